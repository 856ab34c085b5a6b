package lockstep.landscape;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** The values of examples that stand for those of an adopter: ids of accounts, networks and certificates, secrets, and hosts. */
public final class Placeholders {
    /** Account ids of one digit, certificates of zeros, and domains that are reserved for documentation (RFC 2606). */
    private static final Pattern PLACEHOLDER = Pattern.compile(String.join("|",
            "\\b(\\d)\\1{11}\\b",
            "\\b00000000-0000-0000-0000-\\d{12}\\b",
            "\\b(vpc|subnet|rtb|sg|ns)-0123456789abcdef\\w*",
            "\\bsecret:\\S+-AbCdEf\\b",
            "(?<![\\w.-])[\\w-]+(\\.[\\w-]+)*\\.example(\\.(com|org|net))?(?![\\w.-])",
            "(?<![\\w.-])([\\w-]+\\.)*example\\.(com|org|net)(?![\\w.-])"));

    private Placeholders() {}

    /** Returns {@code line: value} of each placeholder outside comments, in the order of the file. */
    public static List<String> in(Path file) {
        try {
            var found = new ArrayList<String>();
            int number = 0;
            for (String line : Files.readAllLines(file)) {
                number++;
                var value = PLACEHOLDER.matcher(line.replaceFirst("(^|\\s)#.*", ""));
                while (value.find()) found.add(number + ": " + value.group());
            }
            return found;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
