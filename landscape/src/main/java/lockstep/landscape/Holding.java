package lockstep.landscape;

import java.time.Duration;

/**
 * How syncs of a data set are held for approval.
 *
 * @param longest how long a sync waits for approval before it fails without having changed anything
 * @param usual   the thresholds of tables without their own
 */
public record Holding(Duration longest, Hold usual) {
    public static final Holding DEFAULT = new Holding(Duration.ofDays(3), Hold.DEFAULT);
    /** Less than a week, after which a sync's notes are deleted. */
    static final Duration MOST = Duration.ofDays(6);
}
