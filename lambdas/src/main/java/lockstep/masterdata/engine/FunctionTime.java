package lockstep.masterdata.engine;

import java.time.Duration;
import java.util.Optional;

/**
 * Whether a step is short enough for a function, which AWS ends after 15 minutes. A task of the same engine does longer ones. The time is
 * estimated from bytes of COPY text, with the speeds that {@code bench/sync} measured on two cores (bench/results/sync.md).
 *
 * @param longest the longest step that a function does, as estimated; much less than 15 minutes, because a database may be slower
 */
public record FunctionTime(Duration longest) {
    /** The time of a task. */
    public static final FunctionTime UNLIMITED = new FunctionTime(Duration.ofDays(365));

    private static final double GB = 1e9;
    /** Seconds for a byte: reading and digesting rows. */
    private static final double READ = 5 / GB;
    /** Reading rows in several functions at once, and writing them as parts. */
    private static final double DUMP = 6 / GB;
    /** Filling an empty table from staging, with its keys and indexes, and verifying it. */
    private static final double FILL = 24 / GB;
    /** Merging and verifying rows that differ. */
    private static final double MERGE = 95 / GB;

    public static FunctionTime ofMinutes(Optional<Integer> minutes) {
        return minutes.map(m -> new FunctionTime(Duration.ofMinutes(m))).orElse(UNLIMITED);
    }

    /** @throws Fault.TooLong if reading these bytes takes too long */
    public void toRead(long bytes) {
        admit("reading", READ * bytes, bytes);
    }

    /** @throws Fault.TooLong if dumping these bytes takes too long */
    public void toDump(long bytes) {
        admit("dumping", DUMP * bytes, bytes);
    }

    /**
     * @param staged  the bytes that were staged
     * @param empty   whether the tables are empty
     * @param verified the bytes of all tables to be verified
     * @throws Fault.TooLong if publishing them takes too long
     */
    public void toPublish(long staged, boolean empty, long verified) {
        admit("publishing", (empty ? FILL : MERGE) * staged + READ * verified, verified);
    }

    private void admit(String what, double seconds, long bytes) {
        if (seconds > longest.toSeconds())
            throw new Fault.TooLong(
                    "%s %.1f GB takes about %.0f minutes, and a function may take %d".formatted(what, bytes / GB, seconds / 60,
                            longest.toMinutes()));
    }
}
