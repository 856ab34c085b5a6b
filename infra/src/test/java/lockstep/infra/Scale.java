package lockstep.infra;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import lockstep.infra.SimulatedMachine.Answer;
import lockstep.infra.SimulatedMachine.Execution;
import lockstep.infra.SimulatedMachine.Failed;
import lockstep.landscape.DataSet;

/**
 * Simulates a sync of many shards and much data with the synthesized state machines. Functions' results have the fields and
 * approximate lengths of real ones. Durations of functions are extrapolated per gigabyte of COPY text from what {@code bench/sync} measured
 * on a machine with two cores (bench/results/sync.md). Nothing was measured on AWS.
 */
final class Scale {
    /** The size of the measured data set as COPY text. */
    private static final double MEASURED_GB = 0.554;
    private static final double MIB = 1 << 20;
    /** The engine's constants: the size of a part as COPY text, the size of a dump's batch on disk, and the parts per staging batch. */
    private static final double PART = 32 * MIB;
    private static final double BATCH = 512 * MIB;
    private static final int PARTS_IN_BATCH = 12;
    /** The size of a row in bytes of COPY text. */
    private static final int ROW = 129;
    private static final double FUNCTION_MOST = 900;
    /** HoldSnapshot ends this long before its timeout. */
    private static final double HOLD_MOST = FUNCTION_MOST - 10;
    /** Longer work is done by a task, which has to start first (assumed). */
    private static final double FUNCTION_LONGEST = 300;
    private static final double TASK_START = 60;
    private static final double TASK_MOST = 24 * 3600;
    private static final double AWAIT_MOST = FUNCTION_MOST - 2;
    /** Assumed durations: between states, and of a call to a warm function. */
    private static final double BETWEEN = 0.05;
    private static final double CALL = 0.1;

    /** The kinds of sync, with the seconds that the measured data set took. */
    enum Kind {
        FIRST("first sync", 1.24, 3.27, 3.50, 13.23), ONE_PERCENT("1 % changed", 0.58, 4.01, 0.22, 2.59),
        NOTHING("nothing changed", 0.79, 3.25, 0, 0.3);

        final String told;
        final double plan;
        final double dump;
        final double stage;
        final double publish;

        Kind(String told, double plan, double dump, double stage, double publish) {
            this.told = told;
            this.plan = plan;
            this.dump = dump;
            this.stage = stage;
            this.publish = publish;
        }
    }

    /**
     * @param broken  the number of shards in each account whose database is down
     * @param gb      the size of the data set in GB of COPY text
     */
    record Landscape(int accounts, int shards, int broken, double gb, Kind kind) {
        int parts() {
            return (int) Math.max(1, Math.ceil(gb * 1e9 / PART));
        }

        double seconds(double measured) {
            return measured * gb / MEASURED_GB;
        }
    }

    /** @param restore the restore of one account; null if the dump failed */
    record Simulated(Landscape landscape, Execution dump, Execution restore) {
        boolean verified() {
            return dump.error.isEmpty() && restore.error.isEmpty();
        }

        /** The number of shards in which the restore finished, and what failed in the others. */
        String outcome() {
            if (!dump.error.isEmpty()) return "fails: " + first(dump);
            if (restore.error.isEmpty()) return "verified";
            return landscape.broken > 0 && restore.error.equals("RestoreFailed") ? "verified in all others" : "fails: " + first(restore);
        }

        private static String first(Execution execution) {
            var failed = execution.failures.keySet().stream().findFirst().orElse(execution.error);
            return failed.replaceAll("lockstep[A-Za-z.]*\\$", "").replace("Sandbox.Timedout", "15 minutes")
                    .replace("States.DataLimitExceeded", "256 KiB");
        }

        double seconds() {
            return dump.seconds + (restore == null ? 0 : restore.seconds);
        }
    }

    private final JsonNode dump;
    private final JsonNode restore;
    private final int shardsAtOnce;

    /** @param shardsAtOnce the maximum number of concurrent shards per account; 0 for the definition's */
    Scale(JsonNode dump, JsonNode restore, DataSet dataSet, int shardsAtOnce) {
        this.dump = with(dump, dataSet);
        this.restore = with(restore, dataSet);
        this.shardsAtOnce = shardsAtOnce;
    }

    private static JsonNode with(JsonNode definition, DataSet dataSet) {
        var copy = definition.deepCopy();
        ((ObjectNode) copy.at("/States/Prepare-master/Parameters/sync")).set("dataSet",
                Assembly.JSON.valueToTree(Workflow.constant(dataSet)));
        return copy;
    }

    Simulated simulate(Landscape landscape) {
        var dumped = SimulatedMachine.run(dump(landscape), Assembly.JSON.createObjectNode(), new Source(landscape), BETWEEN);
        if (!dumped.error.isEmpty()) return new Simulated(landscape, dumped, null);
        var input = Assembly.JSON.createObjectNode().put("dataSet", "master").put("syncId", "20260301T120000Z-0001")
                .put("bucket", "lockstep-111111111111-eu-central-1-master-data")
                .put("manifestKey", "manifests/master/20260301T120000Z-0001.json").put("snapshotTime", "2026-03-01T12:00:02.123456Z");
        return new Simulated(landscape, dumped, SimulatedMachine.run(restore(landscape), input, new Target(landscape), BETWEEN));
    }

    private JsonNode dump(Landscape landscape) {
        var copy = dump.deepCopy();
        var batches = ((ObjectNode) copy.at("/States/Prepare-master/Parameters/sync")).putArray("batches");
        int ranges = (int) (BATCH / PART);
        for (int i = 0; i < Math.max(1, Math.ceil(landscape.gb * 1e9 / BATCH)); i++) {
            var batch = batches.addObject().put("index", i).putArray("ranges");
            for (int r = 0; r < ranges; r++)
                batch.addObject().put("table", "master.drug_interaction").put("from", "[\"123456789\"]").put("until", "[\"123716789\"]");
        }
        return copy;
    }

    private JsonNode restore(Landscape landscape) {
        var copy = restore.deepCopy();
        var shards = ((ObjectNode) copy.at("/States/Shards/Parameters")).putArray("shards");
        for (int i = 1; i <= landscape.shards; i++)
            shards.addObject().put("name", name(i)).put("secretArn",
                    "arn:aws:secretsmanager:eu-central-1:444444444444:secret:lockstep/" + name(i) + "/writer-AbCdEf");
        if (shardsAtOnce > 0) ((ObjectNode) copy.at("/States/RestoreShards")).put("MaxConcurrency", shardsAtOnce);
        return copy;
    }

    private static String name(int shard) {
        return String.format(Locale.ROOT, "clinic-%04d", shard);
    }

    private static ObjectNode worked(double seconds) {
        return Assembly.JSON.createObjectNode().put("millis", (long) (1000 * seconds)).put("peakMemoryMiB", 409);
    }

    private static Answer timed(ObjectNode output, double seconds) throws Failed {
        if (seconds > FUNCTION_MOST) throw new Failed("Sandbox.Timedout",
                "{\"errorMessage\":\"RequestId: 00000000-0000-0000-0000-000000000000 Error: Task timed out after 900.00 seconds\"}",
                FUNCTION_MOST);
        return new Answer(output, CALL + seconds);
    }

    /** A function refuses work that would take it too long. */
    private static void inFunction(double seconds) throws Failed {
        if (seconds > FUNCTION_LONGEST)
            throw new Failed(Workflow.TOO_LONG, "{\"errorMessage\":\"publishing 1000.0 GB takes about 398 minutes\"}",
                    CALL);
    }

    private static Answer inTask(ObjectNode output, double seconds) throws Failed {
        if (seconds > TASK_MOST) throw new Failed("States.Timeout", "", TASK_MOST);
        return new Answer(output, TASK_START + seconds);
    }

    private static final class Source implements SimulatedMachine.Work {
        private final Landscape landscape;
        private double begun = -1;

        Source(Landscape landscape) {
            this.landscape = landscape;
        }

        private boolean large() {
            return landscape.seconds(landscape.kind.dump) > FUNCTION_LONGEST;
        }

        @Override
        public Answer answer(String state, JsonNode event, double now, double others) throws Failed {
            return switch (state) {
                case "HoldSnapshot" -> {
                    inFunction(landscape.seconds(landscape.kind.dump));
                    if (others - now > HOLD_MOST) throw new Failed("lockstep.masterdata.engine.Fault$SnapshotGone",
                            "the snapshot was not released in time", HOLD_MOST);
                    yield new Answer(worked(others - now), Math.max(0, others - now));
                }
                case "HoldSnapshotInTask" -> inTask(worked(others - now), Math.max(0, others - now - TASK_START));
                case "AwaitSnapshot" -> {
                    if (begun < 0) begun = now;
                    double seconds = begun + landscape.seconds(landscape.kind.plan) + (large() ? TASK_START : 0) - now;
                    if (seconds > AWAIT_MOST) throw new Failed(Workflow.SNAPSHOT_PENDING, "no snapshot was taken yet", AWAIT_MOST);
                    yield timed(worked(seconds).put("snapshotTime", "2026-03-01T12:00:02.123456Z"), seconds);
                }
                case "DumpBatch" -> {
                    double seconds = landscape.seconds(landscape.kind.dump) / Math.max(1, Math.ceil(landscape.gb * 1e9 / BATCH));
                    yield timed(worked(seconds).put("parts", (int) (BATCH / PART)).put("rows", (long) (BATCH / ROW)), seconds);
                }
                case "SealManifest" -> timed(worked(1).put("manifestKey", "manifests/master/20260301T120000Z-0001.json")
                        .put("snapshotTime", "2026-03-01T12:00:02.123456Z"), 0.1 + landscape.parts() / 1000.0);
                // it reads at most 32 MB of a table's changes, regardless of the table's size
                case "Assess" -> timed(assessed(), 1);
                case "Admit" -> timed(worked(1).put("manifestKey", "manifests/master/20260301T120000Z-0001.json")
                        .put("snapshotTime", "2026-03-01T12:00:02.123456Z"), 0.1 + landscape.parts() / 1000.0);
                case "CollectParts" -> timed(worked(1), 1);
                case "ReleaseAfterHoldFailure", "ReleaseAfterPartsFailure" -> timed(worked(0.1), 0.1);
                default -> throw new IllegalStateException("no function is simulated of state " + state);
            };
        }
    }

    /** An assessment that does not hold the sync. */
    private static ObjectNode assessed() {
        var output = worked(1).put("held", false).put("against", "20260228T120000Z-0001");
        output.putArray("reasons");
        var tables = output.putArray("tables");
        for (int i = 0; i < 4; i++)
            tables.addObject().put("table", "master.drug_interaction").put("before", 1234567890).put("after", 1234567890)
                    .put("came", 12345678).put("went", 12345678).put("exact", true);
        return output;
    }

    private record Target(Landscape landscape) implements SimulatedMachine.Work {
        @Override
        public Answer answer(String state, JsonNode event, double now, double others) throws Failed {
            return switch (state) {
                case "Preflight" -> preflight(event.at("/shard/name").asText());
                case "StageBatch" -> {
                    double seconds = landscape.seconds(landscape.kind.stage) * PARTS_IN_BATCH / Math.max(PARTS_IN_BATCH, landscape.parts());
                    yield timed(worked(seconds).put("parts", PARTS_IN_BATCH), seconds);
                }
                case "Publish" -> {
                    inFunction(landscape.seconds(landscape.kind.publish));
                    yield timed(published(event), landscape.seconds(landscape.kind.publish));
                }
                case "PublishInTask" -> inTask(published(event), landscape.seconds(landscape.kind.publish));
                case "Record" -> {
                    long failed = 0;
                    for (var outcome : event.get("outcomes")) if (outcome.has("error")) failed++;
                    yield timed(worked(1).put("shards", event.get("outcomes").size()).put("failed", failed).put("cause",
                            failed == 0 ? "" : failed + " failed"), 0.1 + failed * 0.2);
                }
                default -> throw new IllegalStateException("no function is simulated of state " + state);
            };
        }

        private Answer preflight(String shard) throws Failed {
            double seconds = 0.74 + landscape.parts() / 50_000.0;
            if (shard.compareTo(name(landscape.broken)) <= 0)
                throw new Failed("lockstep.masterdata.engine.Fault$DatabaseUnavailable",
                        "{\"errorMessage\":\"database " + shard
                                + ".cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com:5432/clinic: The connection attempt failed.\"}",
                        10);
            var output = worked(seconds).put("shard", shard).put("rows", (long) (landscape.gb * 1e9 / ROW));
            var batches = output.putArray("batches");
            if (landscape.kind != Kind.NOTHING)
                for (int from = 0; from < landscape.parts(); from += PARTS_IN_BATCH)
                    batches.addObject().put("from", from).put("until", Math.min(landscape.parts(), from + PARTS_IN_BATCH));
            var tables = output.putArray("tables");
            for (int i = 0; i < 4; i++) tables.addObject().put("table", "master.drug_interaction").put("read", false).put("unchanged", 1234)
                    .put("deltas", 1234).put("parts", 1234).put("bytes", 123456789);
            return timed(output, seconds);
        }

        private ObjectNode published(JsonNode event) {
            var output = worked(landscape.seconds(landscape.kind.publish)).put("shard", event.at("/shard/name").asText());
            var tables = output.putArray("tables");
            for (int i = 0; i < 4; i++)
                tables.addObject().put("name", "master.drug_interaction").put("rows", 1234567890)
                        .put("digest", "0123456789abcdef0123456789abcdef").put("inserted", 1234567).put("updated", 1234567)
                        .put("deleted", 1234567).put("kept", 12);
            output.putObject("workers").put("batches", 123).put("millis", 1234567).put("peakMemoryMiB", 409);
            return output;
        }
    }

    // ---- costs, and requests to each service

    /** The cost of one sync in US dollars, by list prices of eu-central-1 in 2025, without databases, logs and storage. */
    static Map<String, Double> dollars(Simulated simulated) {
        var dollars = new TreeMap<String, Double>();
        int accounts = simulated.landscape.accounts;
        dollars.put("Step Functions", 0.025 / 1000 * (simulated.dump.transitions + accounts * simulated.restore.transitions));
        dollars.put("Lambda", lambda(simulated.dump) + accounts * lambda(simulated.restore));
        dollars.put("Fargate", fargate(simulated.dump) + accounts * fargate(simulated.restore));
        dollars.put("S3", 0.0054 / 1000 * puts(simulated) + 0.00043 / 1000 * gets(simulated));
        return dollars;
    }

    private static double lambda(Execution execution) {
        double gigabyteSeconds = execution.secondsOfFunctions.entrySet().stream().filter(e -> !isTask(e.getKey()))
                .mapToDouble(e -> e.getValue() * (isWorker(e.getKey()) ? 1769 : 512) / 1024).sum();
        return gigabyteSeconds * 0.0000166667 + execution.invocations.values().stream().mapToLong(i -> i).sum() * 0.20 / 1e6;
    }

    /** One CPU and two GB. */
    private static double fargate(Execution execution) {
        return execution.secondsOfFunctions.entrySet().stream().filter(e -> isTask(e.getKey())).mapToDouble(e -> e.getValue()).sum() / 3600
                * (0.04656 + 2 * 0.00511);
    }

    private static boolean isTask(String state) {
        return state.endsWith("InTask");
    }

    private static boolean isWorker(String state) {
        return List.of("HoldSnapshot", "DumpBatch", "Preflight", "StageBatch", "Publish").contains(state);
    }

    /** Written parts, and workers' notes. */
    static long puts(Simulated simulated) {
        return (simulated.landscape.kind == Kind.NOTHING ? 0 : simulated.landscape.parts())
                + simulated.dump.invocations.getOrDefault("DumpBatch", 0L) + 5;
    }

    /** Each shard reads every part or delta once, and Preflight reads the manifest. */
    static long gets(Simulated simulated) {
        long shards = (long) simulated.landscape.accounts * simulated.landscape.shards;
        return shards * (1 + (simulated.landscape.kind == Kind.NOTHING ? 0 : simulated.landscape.parts()))
                + (simulated.landscape.kind == Kind.ONE_PERCENT ? simulated.landscape.parts() : 0);
    }

    /** The largest data set that stays within all limits, in GB, to two significant digits. */
    double largest(Kind kind) {
        double fits = 0.1;
        double fails = 4000;
        while (fails / fits > 1.01) {
            double middle = Math.sqrt(fits * fails);
            if (fits(middle, kind)) fits = middle;
            else fails = middle;
        }
        return fits;
    }

    private boolean fits(double gb, Kind kind) {
        var simulated = simulate(new Landscape(1, 1, 0, gb, kind));
        return simulated.verified();
    }

    /** The maximum number of shards per account, for a small data set. */
    int mostShards() {
        int fits = 1;
        int fails = 4000;
        while (fails - fits > 1) {
            int middle = (fits + fails) / 2;
            if (simulate(new Landscape(1, middle, 0, 0.04, Kind.ONE_PERCENT)).verified()) fits = middle;
            else fails = middle;
        }
        return fits;
    }

    static List<String> table(List<String> header, List<List<String>> rows) {
        var lines = new ArrayList<String>();
        lines.add("| " + String.join(" | ", header) + " |");
        lines.add("|" + " --- |".repeat(header.size()));
        rows.forEach(row -> lines.add("| " + String.join(" | ", row) + " |"));
        return lines;
    }
}
