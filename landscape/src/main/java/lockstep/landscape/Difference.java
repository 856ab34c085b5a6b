package lockstep.landscape;

import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A difference between the editions that is meant to be.
 *
 * @param what   the key that {@code lockstep diff} shows, or several keys with {@code *} for any text
 * @param reason why the editions differ
 * @param check  what QA should try
 */
public record Difference(String what, String reason, String check) {
    /** Whether the key is among those that are meant. */
    public boolean covers(String key) {
        return key.matches(Arrays.stream(what.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*")));
    }
}
