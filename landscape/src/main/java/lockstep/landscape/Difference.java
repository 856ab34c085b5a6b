package lockstep.landscape;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * An intended difference between the editions.
 *
 * @param what   keys that {@code lockstep diff} shows; {@code *} in a key matches any text
 * @param reason why the editions differ
 * @param check  what QA should try
 */
public record Difference(List<String> what, String reason, String check) {
    public Difference {
        what = List.copyOf(what);
    }

    /** Whether one of the keys or patterns in {@link #what} matches the key. */
    public boolean covers(String key) {
        return what.stream().anyMatch(pattern -> covers(pattern, key));
    }

    /** Whether the pattern matches the key. */
    public static boolean covers(String pattern, String key) {
        return key.matches(Arrays.stream(pattern.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*")));
    }
}
