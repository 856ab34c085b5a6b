package lockstep.valve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class GlobTest {
    /** Checks the relations of all globs of up to three letters against all texts of up to six. */
    @Test
    void whatIsSaidOfTwoGlobsIsTrueOfAllTexts() {
        var globs = words("ab*?", 3).stream().map(Glob::new).distinct().toList();
        var texts = words("ab", 6);
        var matched = globs.stream().collect(Collectors.toMap(glob -> glob, glob -> texts.stream()
                .filter(text -> text.matches(glob.text().replace("*", ".*").replace("?", "."))).collect(Collectors.toSet())));
        int covering = 0, reallyCovering = 0;
        for (Glob one : globs) {
            for (Glob other : globs) {
                var both = new ArrayList<>(matched.get(one));
                both.retainAll(matched.get(other));
                assertEquals(!both.isEmpty(), one.overlaps(other), () -> one + " and " + other);
                boolean really = matched.get(one).containsAll(matched.get(other));
                if (one.covers(other)) assertTrue(really, () -> one + " does not cover " + other);
                covering += one.covers(other) ? 1 : 0;
                reallyCovering += really ? 1 : 0;
            }
        }
        assertTrue(covering > reallyCovering * 0.85, covering + " of " + reallyCovering + " are seen");
    }

    @Test
    void starsOfAnArnEndAtAColon() {
        var logs = new Glob("arn:aws:logs:*:222222222222:*");
        assertFalse(logs.overlapsAsArn(new Glob("arn:aws:logs:eu-central-1:111111111111:log-group:*"), true));
        assertFalse(logs.overlapsAsArn(new Glob("arn:aws:logs:eu-central-1:111111111111:log-group:*"), false));
        assertTrue(logs.overlapsAsArn(new Glob("arn:aws:logs:*:*:log-group:x"), true));
        // in a plain text, a star also matches colons
        assertTrue(new Glob("arn:aws:sns:eu:222222222222:*").overlapsAsArn(new Glob("arn:aws:sns:*:111111111111:x:y"), false));
        assertFalse(new Glob("arn:aws:sns:eu:222222222222:*").overlapsAsArn(new Glob("arn:aws:sns:*:111111111111:x:y"), true));
    }

    private static List<String> words(String letters, int length) {
        var words = new ArrayList<>(List.of(""));
        for (int from = 0, round = 0; round < length; round++) {
            int to = words.size();
            for (int i = from; i < to; i++) for (char letter : letters.toCharArray()) words.add(words.get(i) + letter);
            from = to;
        }
        return words;
    }
}
