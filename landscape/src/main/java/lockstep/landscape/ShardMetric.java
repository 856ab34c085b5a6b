package lockstep.landscape;

/**
 * The metrics of each shard that receives a data set, in the namespace {@link Names#metrics(String, String)}. An unknown value is not
 * published.
 */
public enum ShardMetric {
    /** Seconds: the age of the snapshot in force. */
    FRESHNESS("Freshness"),
    /** Seconds since a manifest newer than the one in force appeared; 0 if there is none. */
    BEHIND("Behind"),
    /** The number of tables that differ from the manifest in force. */
    DRIFT("Drift"),
    /** 1 if the shard could not report its state, otherwise 0. */
    UNREACHABLE("Unreachable"),
    /** The number of user-defined checks that failed or were not answered. */
    CHECKS_FAILED("ChecksFailed");

    private final String word;

    ShardMetric(String word) {
        this.word = word;
    }

    /** The metric's name in CloudWatch. */
    public String word() {
        return word;
    }
}
