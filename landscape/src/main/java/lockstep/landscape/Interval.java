package lockstep.landscape;

import java.time.Duration;

/** A duration as people write it: a number of minutes, hours or days, such as {@code 30m}, {@code 8h} or {@code 2d}. */
public final class Interval {
    public static final String PATTERN = "[1-9]\\d{0,3}[mhd]";

    private Interval() {}

    /** @param text matches {@link #PATTERN} */
    public static Duration parse(String text) {
        long number = Long.parseLong(text.substring(0, text.length() - 1));
        return switch (text.charAt(text.length() - 1)) {
            case 'm' -> Duration.ofMinutes(number);
            case 'h' -> Duration.ofHours(number);
            default -> Duration.ofDays(number);
        };
    }
}
