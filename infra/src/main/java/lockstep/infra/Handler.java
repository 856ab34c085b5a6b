package lockstep.infra;

import software.amazon.awscdk.Duration;

/** The Lambda handlers of functions.jar, with their sizes, network access and timeouts. */
enum Handler {
    HOLD_SNAPSHOT("HoldSnapshot", Size.WORKER, true, Duration.minutes(15)),
    /** Also waits for the plan, which counts the rows of large tables. The wait ends early if HoldSnapshot fails. */
    AWAIT_SNAPSHOT("AwaitSnapshot", Size.SHORT, false, Duration.minutes(10)),
    DUMP_PARTS("DumpParts", Size.WORKER, true, Duration.minutes(15)),
    SEAL_MANIFEST("SealManifest", Size.SHORT, false, Duration.minutes(2)),
    ASSESS("Assess", Size.SHORT, false, Duration.minutes(2)),
    ADMIT("Admit", Size.SHORT, false, Duration.minutes(1)),
    /** The next run continues where this one timed out. */
    COLLECT_PARTS("CollectParts", Size.SHORT, false, Duration.minutes(15)),
    START_SYNC("StartSync", Size.SHORT, false, Duration.minutes(3), true),
    RELEASE_SNAPSHOT("ReleaseSnapshot", Size.SHORT, false, Duration.minutes(1)),
    /** A cold start is slow with the CPU of this size, and starts over after a timeout. */
    START_RESTORE("StartRestore", Size.SHORT, false, Duration.seconds(30), true),
    PREFLIGHT("Preflight", Size.WORKER, true, Duration.minutes(15)),
    STAGE_PARTS("StageParts", Size.WORKER, true, Duration.minutes(15)),
    PUBLISH("Publish", Size.WORKER, true, Duration.minutes(15)),
    RECORD("Record", Size.SHORT, true, Duration.minutes(15)),
    /** Invokes ReportStatus of every shard, and waits for the slowest. */
    WATCH("Watch", Size.SHORT, false, Duration.minutes(15), true),
    PREPARE_DATABASE("PrepareDatabase", Size.SHORT, true, Duration.minutes(2)),
    REPORT_STATUS("ReportStatus", Size.WORKER, true, Duration.minutes(15)),
    IMPORT_TABLE("ImportTable", Size.WORKER, true, Duration.minutes(15)),
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
