package lockstep.landscape;

import java.time.Duration;

/**
 * How syncs of a data set are held.
 *
 * @param longest for how long; then the sync is given up, and nothing was changed
 * @param usual   of tables that have no {@link Hold} of their own
 */
public record Holding(Duration longest, Hold usual) {
    public static final Holding DEFAULT = new Holding(Duration.ofDays(3), Hold.DEFAULT);
    /** The notes of a sync are deleted after a week. */
    static final Duration MOST = Duration.ofDays(6);
}
