package lockstep.landscape;

/**
 * What the master data of an account may use at once. It applies to each running sync, so two that run side by side may use twice as much.
 *
 * @param functions   functions that run at once; at least 4
 * @param connections connections to one database; at least 2
 * @param functionMinutes steps that are expected to take longer run as a task instead of a function; at most 10, because AWS ends a
 *                        function after 15 minutes and a database may be slower than expected
 */
public record Limits(int functions, int connections, int functionMinutes) {
    public static final Limits DEFAULT = new Limits(200, 8, 5);
    /** Step Functions runs at most 40 iterations of an inline Map at once. */
    private static final int MOST_SHARDS = 40;
    /** A function that reads or writes rows opens two. */
    private static final int CONNECTIONS_OF_A_FUNCTION = 2;
    /** Functions that run beside those that read or write rows: one holds the snapshot, and one waits for it. */
    private static final int OTHERS = 2;

    public Limits {
        if (functionMinutes < 0 || functionMinutes > 10)
            throw new IllegalArgumentException("0 to 10 minutes are possible, not " + functionMinutes);
        if (functions < 4 || connections < 2)
            throw new IllegalArgumentException(
                    "at least 4 functions and 2 connections are needed, not " + functions + " and " + connections);
    }

    /** How many functions read or stage batches of rows of one database at once. */
    public int batchesAtOnce() {
        return Math.clamp(connections / CONNECTIONS_OF_A_FUNCTION, 1, functions - OTHERS);
    }

    /** How many shards are restored at once. */
    public int shardsAtOnce() {
        return Math.clamp((functions - OTHERS) / batchesAtOnce(), 1, MOST_SHARDS);
    }

    /** How many shards the watch asks at once. */
    public int reportsAtOnce() {
        return Math.min(functions - OTHERS, 32);
    }
}
