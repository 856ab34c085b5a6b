package lockstep.infra;

import software.amazon.awscdk.Duration;

/** The functions of functions.jar, what each needs, and how long each may take. */
enum Handler {
    HOLD_SNAPSHOT("HoldSnapshot", Size.WORKER, true, Duration.minutes(15)),
    /** Waits for the plan as well, which counts the rows of large tables. A holder that fails ends the wait. */
    AWAIT_SNAPSHOT("AwaitSnapshot", Size.SHORT, false, Duration.minutes(10)),
    DUMP_PARTS("DumpParts", Size.WORKER, true, Duration.minutes(15)),
    SEAL_MANIFEST("SealManifest", Size.SHORT, false, Duration.minutes(2)),
    ASSESS("Assess", Size.SHORT, false, Duration.minutes(2)),
    ADMIT("Admit", Size.SHORT, false, Duration.minutes(1)),
    /** What a run does not get to, the next one does. */
    COLLECT_PARTS("CollectParts", Size.SHORT, false, Duration.minutes(15)),
    START_SYNC("StartSync", Size.SHORT, false, Duration.minutes(3), true),
    RELEASE_SNAPSHOT("ReleaseSnapshot", Size.SHORT, false, Duration.minutes(1)),
    /** A cold start is slow with the CPU of this size, and after a time-out the next one counts its own. */
    START_RESTORE("StartRestore", Size.SHORT, false, Duration.seconds(30), true),
    PREFLIGHT("Preflight", Size.WORKER, true, Duration.minutes(15)),
    STAGE_PARTS("StageParts", Size.WORKER, true, Duration.minutes(15)),
    PUBLISH("Publish", Size.WORKER, true, Duration.minutes(15)),
    RECORD("Record", Size.SHORT, true, Duration.minutes(15)),
    /** Asks the functions of the shards, and waits for the slowest of them. */
    WATCH("Watch", Size.SHORT, false, Duration.minutes(15), true),
    PREPARE_DATABASE("PrepareDatabase", Size.SHORT, true, Duration.minutes(2)),
    REPORT_STATUS("ReportStatus", Size.WORKER, true, Duration.minutes(15)),
    IMPORT_TABLE("ImportTable", Size.WORKER, true, Duration.minutes(15)),
    /** Each try to reach the chat has ten seconds of its own. */
    NOTIFY("lockstep.delivery", "Notify", Size.SHORT, false, Duration.minutes(2), true);

    /**
     * Memory is bought for the CPU that comes with it: 1769 MB is one whole. What a worker really uses is bounded by its
     * heap, so that it stays under 512 MB. A short function ends before the second compiler would pay; a worker says that it
     * wants it, since Lambda's own Java goes without.
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
    /** In the isolated subnets, where the databases are. */
    final boolean opensDatabase;
    final Duration timeout;
    /** No step of a run, all of which must be of one release: a new version may be given a part of the calls first. */
    final boolean alone;

    Handler(String className, Size size, boolean opensDatabase, Duration timeout) {
        this(className, size, opensDatabase, timeout, false);
    }

    Handler(String className, Size size, boolean opensDatabase, Duration timeout, boolean alone) {
        this("lockstep.masterdata.handler", className, size, opensDatabase, timeout, alone);
    }

    Handler(String packageName, String className, Size size, boolean opensDatabase, Duration timeout, boolean alone) {
        this.packageName = packageName;
        this.className = className;
        this.size = size;
        this.opensDatabase = opensDatabase;
        this.timeout = timeout;
        this.alone = alone;
    }
}
