package lockstep.landscape;

/** What is measured of each shard that receives a data set, in the namespace {@link Names#metrics}. Where nothing is known, nothing is put. */
public enum ShardMetric {
    /** Seconds: the age of the snapshot in force. */
    FRESHNESS("Freshness"),
    /** Seconds since there is a manifest that is newer than the one in force; 0 when there is none. */
    BEHIND("Behind"),
    /** How many tables do not hold what the manifest in force says. */
    DRIFT("Drift"),
    /** 1 when the shard could not say what it holds, else 0. */
    UNREACHABLE("Unreachable"),
    /** How many of the user's queries were answered otherwise than expected, or not at all. */
    CHECKS_FAILED("ChecksFailed");

    private final String word;

    ShardMetric(String word) {
        this.word = word;
    }

    /** As CloudWatch has it. */
    public String word() {
        return word;
    }
}
