package lockstep.landscape;

/** The metrics of a data set over all shards of an account that receive it, in the namespace {@link Names#metrics(String)}. */
public enum DataSetMetric {
    /** Seconds: the age of the oldest snapshot in force. Not published while a shard's is unknown. */
    FRESHNESS("Freshness"),
    /** The number of shards that are too far behind, differ from the sync in force, do not report, or fail a check. */
    OUT_OF_STEP("OutOfStep");

    private final String word;

    DataSetMetric(String word) {
        this.word = word;
    }

    /** The metric's name in CloudWatch. */
    public String word() {
        return word;
    }
}
