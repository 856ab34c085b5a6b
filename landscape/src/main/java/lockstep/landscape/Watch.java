package lockstep.landscape;

import java.time.Duration;

/**
 * How the shards that receive a data set are watched.
 *
 * @param every  how often each shard is checked, in whole minutes; tables to which nobody has written are not read
 * @param rows   how often every row of each shard is read
 * @param behind an alarm fires when a newer manifest has existed for longer than this and is not in force
 * @param age    an alarm fires when the snapshot in force is older than this
 */
public record Watch(Duration every, Duration rows, Duration behind, Duration age) {
    /** An alarm's period spans two intervals, and is at most a day. */
    static final Duration LONGEST = Duration.ofHours(12);
    public static final Watch DEFAULT = new Watch(Duration.ofMinutes(15), Duration.ofDays(1), Duration.ofHours(1), Duration.ofDays(7));

    public Watch {
        if (every.toMinutes() < 1 || every.compareTo(LONGEST) > 0 || !every.equals(Duration.ofMinutes(every.toMinutes())))
            throw new IllegalArgumentException("the interval must be whole minutes and at most 12 hours, not " + every);
        if (rows.compareTo(every) < 0)
            throw new IllegalArgumentException(
                    "rows can't be read more often than the shard is checked: " + rows + " is less than " + every);
    }
}
