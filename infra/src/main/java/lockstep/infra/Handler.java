package lockstep.infra;

import software.amazon.awscdk.Duration;

/** The Lambda handlers of functions.jar, with their sizes, network access and timeouts. */
enum Handler {
    /** Holds the snapshot, and reads the tables in it. */
    READ_SOURCE("ReadSource", Size.WORKER, true, Duration.minutes(15)),
    /** The longest step waits for the plan of a dump. The next run of one that collects parts continues where it timed out. */
    MANAGE_MANIFESTS("ManageManifests", Size.SHORT, false, Duration.minutes(15)),
    IMPORT_TABLE("ImportTable", Size.WORKER, true, Duration.minutes(15)),
    RESTORE_SHARDS("RestoreShards", Size.WORKER, true, Duration.minutes(15)),
    /** A cold start is slow with the CPU of this size, and starts over after a timeout. */
    START_RESTORE("StartRestore", Size.SHORT, false, Duration.seconds(30), true),
    /** Invokes ReportStatus for every shard, and waits for the slowest. */
    WATCH("Watch", Size.SHORT, false, Duration.minutes(15), true),
    PREPARE_DATABASE("PrepareDatabase", Size.SHORT, true, Duration.minutes(2)),
    REPORT_STATUS("ReportStatus", Size.WORKER, true, Duration.minutes(15)),
    /** Each attempt to reach the chat may take ten seconds. */
    NOTIFY("lockstep.delivery", "Notify", Size.SHORT, false, Duration.minutes(2), true);

    /**
     * Lambda allots CPU in proportion to memory: 1769 MB is one full CPU. A worker's heap keeps its actual use below 512 MB. A short
     * function ends before the C2 compiler would pay off; a worker enables C2, because Lambda's Java runtime disables it by default.
     */
    enum Size {
        SHORT(512, "-XX:+UseSerialGC -Xmx192m -XX:TieredStopAtLevel=1"),
        WORKER(1769, "-XX:+UseSerialGC -Xmx256m -XX:MaxDirectMemorySize=64m -XX:TieredStopAtLevel=4");

        final int memory;
        final String javaOptions;

        Size(int memory, String javaOptions) {
            this.memory = memory;
            this.javaOptions = javaOptions;
        }
    }

    final String packageName;
    final String className;
    final Size size;
    /** Whether the function opens a database, and so runs in the isolated subnets. */
    final boolean opensDatabase;
    final Duration timeout;
    /** Whether a new version may receive a part of the calls first. The steps of a run may not: all of them must be of one release. */
    final boolean independentlyVersioned;

    Handler(String className, Size size, boolean opensDatabase, Duration timeout) {
        this(className, size, opensDatabase, timeout, false);
    }

    Handler(String className, Size size, boolean opensDatabase, Duration timeout, boolean independentlyVersioned) {
        this("lockstep.masterdata.handler", className, size, opensDatabase, timeout, independentlyVersioned);
    }

    Handler(String packageName, String className, Size size, boolean opensDatabase, Duration timeout, boolean independentlyVersioned) {
        this.packageName = packageName;
        this.className = className;
        this.size = size;
        this.opensDatabase = opensDatabase;
        this.timeout = timeout;
        this.independentlyVersioned = independentlyVersioned;
    }
}
