package lockstep.masterdata.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.KmsSignature;
import lockstep.masterdata.aws.S3PartStore;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.dump.AwaitedSnapshot;
import lockstep.masterdata.engine.dump.Batch;
import lockstep.masterdata.engine.dump.Dumped;
import lockstep.masterdata.engine.dump.Dumper;
import lockstep.masterdata.engine.dump.Planner;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.dump.Sealer;
import lockstep.masterdata.engine.dump.SnapshotHolder;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.ManifestReader;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.restore.Preflight.PartRange;
import lockstep.masterdata.engine.restore.Preflight.Plan;
import lockstep.masterdata.engine.restore.Preflight;
import lockstep.masterdata.engine.restore.Publisher.TableResult;
import lockstep.masterdata.engine.restore.Publisher;
import lockstep.masterdata.engine.restore.Stager;
import lockstep.masterdata.engine.review.Admission;

/**
 * Runs the steps of a sync of {@link TestingProduct} with the functions' clients of S3 and KMS, either here or in a separate process that
 * can be killed.
 */
record TestingWorker(S3PartStore store, KmsSignature signature) {
    private static final DataSet DATA_SET = TestingProduct.DATA_SET;
    static final Duration LOCK_TIMEOUT = Duration.ofMillis(200);

    static TestingWorker at(URI aws) {
        return new TestingWorker(TestingAws.store(aws), TestingAws.signature(aws));
    }

    static SyncPaths paths(String syncId) {
        return new SyncPaths(DATA_SET.name(), syncId);
    }

    Released hold(Database source, String syncId) {
        return new SnapshotHolder(source, store, new Planner(16 << 10, 64 << 10), signature).hold(DATA_SET, paths(syncId),
                Instant.now().plusSeconds(120));
    }

    List<Batch> awaitSnapshot(String syncId) {
        AwaitedSnapshot.await(store, paths(syncId), Instant.now().plusSeconds(120));
        return List.of(Json.read(store, paths(syncId).batches(), Batch[].class).orElseThrow());
    }

    Dumped dump(Database source, String syncId, Batch batch) {
        return new Dumper(source, store, 2, 4 << 10).dump(DATA_SET, paths(syncId), batch);
    }

    Manifest seal(String syncId) {
        new Sealer(store, signature).seal(DATA_SET, paths(syncId), "1.2.3");
        return new Admission(store, signature).admit(paths(syncId), java.time.Instant.now());
    }

    void release(String syncId, String reason) {
        new Released(reason).write(store, paths(syncId));
    }

    Plan preflight(Database target, String syncId) {
        return new Preflight(target)
                .prepare(new ManifestReader(store, signature).read(SyncPaths.manifest(DATA_SET.name(), syncId), DATA_SET, syncId));
    }

    int stage(Database target, String syncId, PartRange batch) {
        return new Stager(target, 2).stage(DATA_SET.name(), syncId, batch, keys -> store);
    }

    List<TableResult> publish(Database target, String syncId) {
        return new Publisher(target, LOCK_TIMEOUT).publish(DATA_SET.name(), syncId);
    }

    /** Starts a step in a separate process, which shares this process's output. */
    static Process start(URI aws, TestingDatabase database, String syncId, String step, int... numbers) {
        var line = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "-Xmx128m",
                "-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), TestingWorker.class.getName(),
                aws.toString(), Integer.toString(database.port()), database.name(), syncId, step));
        for (int number : numbers) line.add(Integer.toString(number));
        try {
            return new ProcessBuilder(line).redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static void main(String[] args) {
        var worker = at(URI.create(args[0]));
        var database = new TestingDatabase(Integer.parseInt(args[1]), args[2], "postgres");
        String syncId = args[3];
        switch (args[4]) {
            case "HOLD" -> worker.hold(database, syncId);
            case "DUMP" -> worker.dump(database, syncId, worker.awaitSnapshot(syncId).get(Integer.parseInt(args[5])));
            case "PREFLIGHT" -> worker.preflight(database, syncId);
            case "STAGE" -> worker.stage(database, syncId, new PartRange(Integer.parseInt(args[5]), Integer.parseInt(args[6])));
            case "PUBLISH" -> worker.publish(database, syncId);
            default -> throw new IllegalArgumentException(args[4]);
        }
    }
}
