package lockstep.landscape;

import java.time.Duration;

/**
 * How the shards that receive a data set are watched.
 *
 * @param every  how often each is asked what it really holds; whole minutes
 * @param behind an alarm fires when a newer manifest has been there for longer and is not in force
 * @param age    an alarm fires when the snapshot in force is older
 */
public record Watch(Duration every, Duration behind, Duration age) {
    /** An alarm's period spans two looks, and is a day at most. */
    static final Duration LONGEST = Duration.ofHours(12);
    public static final Watch DEFAULT = new Watch(Duration.ofMinutes(15), Duration.ofHours(1), Duration.ofDays(7));

    public Watch {
        if (every.toMinutes() < 1 || every.compareTo(LONGEST) > 0 || !every.equals(Duration.ofMinutes(every.toMinutes()))) throw new IllegalArgumentException("shards are asked every so many whole minutes, and every 12 hours at least, not every " + every);
    }
}
