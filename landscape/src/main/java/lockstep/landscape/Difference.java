package lockstep.landscape;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Something in which the editions are meant to differ.
 *
 * @param what   keys that {@code lockstep diff} shows; each may hold {@code *} for any text
 * @param reason why the editions differ
 * @param check  what QA should try
 */
public record Difference(List<String> what, String reason, String check) {
    public Difference {
        what = List.copyOf(what);
    }

    /** Whether the key is among those that are meant. */
    public boolean covers(String key) {
        return what.stream().anyMatch(pattern -> covers(pattern, key));
    }

    /** Whether one of {@link #what} means the key. */
    public static boolean covers(String pattern, String key) {
        return key.matches(Arrays.stream(pattern.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*")));
    }
}
