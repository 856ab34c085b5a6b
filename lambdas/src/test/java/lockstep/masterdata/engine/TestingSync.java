package lockstep.masterdata.engine;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.function.Function;
import lockstep.landscape.DataSet;
import lockstep.masterdata.engine.dump.AwaitedSnapshot;
import lockstep.masterdata.engine.dump.Batch;
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
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.Preflight;
import lockstep.masterdata.engine.restore.Publisher.TableResult;
import lockstep.masterdata.engine.restore.Publisher;
import lockstep.masterdata.engine.restore.Stager;
import lockstep.masterdata.engine.review.Admission;

/**
 * Runs the steps of a sync like the state machines: the holder runs in parallel to the dump, and each step reads its input from the store.
 */
final class TestingSync {
    final TestingStore store;
    final DataSet dataSet;
    /** The last result of Preflight. */
    Preflight.Plan plan;
    /** The tables that had drifted after Preflight, as found by a restore. */
    final List<String> drifted = new ArrayList<>();
    private final Planner planner;
    private final long partBytes;
    private final KeyPair keys;
    /** Whether dumps read every row. */
    boolean rows;

    /** Creates a sync with sizes so small that little data yields several ranges, batches and parts. */
    TestingSync(DataSet dataSet) {
        this(dataSet, new Planner(16 << 10, 64 << 10), 4 << 10);
    }

    TestingSync(DataSet dataSet, Planner planner, long partBytes) {
        this(dataSet, planner, partBytes, new TestingStore(), keys());
    }

    private TestingSync(DataSet dataSet, Planner planner, long partBytes, TestingStore store, KeyPair keys) {
        this.dataSet = dataSet;
        this.planner = planner;
        this.partBytes = partBytes;
        this.store = store;
        this.keys = keys;
    }

    /** Returns the same sync after the data set was changed. */
    TestingSync with(DataSet changed) {
        return new TestingSync(changed, planner, partBytes, store, keys);
    }

    /** Dumps and restores. */
    List<TableResult> run(Database source, Database target, String syncId) {
        dump(source, syncId);
        return restore(target, syncId);
    }

    Manifest dump(Database source, String syncId) {
        return dump(source, syncId, this::seal);
    }

    /** Dumps without admitting the manifest, for a forecast. */
    Manifest rehearse(Database source, String syncId) {
        return dump(source, syncId, id -> new Sealer(store, this::sign).seal(dataSet, new SyncPaths(dataSet.name(), id), "1.2.3"));
    }

    private Manifest dump(Database source, String syncId, Function<String, Manifest> seal) {
        var paths = new SyncPaths(dataSet.name(), syncId);
        try (var executor = Executors.newSingleThreadExecutor()) {
            var holder = CompletableFuture.supplyAsync(() -> hold(source, syncId), executor);
            try {
                AwaitedSnapshot.await(store, paths, Instant.now().plusSeconds(20));
                for (Batch batch : batches(syncId)) dumper(source).dump(dataSet, paths, batch);
                return seal.apply(syncId);
            } finally {
                new Released("done").write(store, paths);
                join(holder);
            }
        }
    }

    Released hold(Database source, String syncId) {
        var paths = new SyncPaths(dataSet.name(), syncId);
        try {
            return new SnapshotHolder(source, store, planner, this::verify).hold(dataSet, paths, Instant.now().plusSeconds(60), rows);
        } catch (Fault e) {
            new Released(e.getMessage()).write(store, paths);
            throw e;
        }
    }

    private static void join(CompletableFuture<Released> holder) {
        try {
            holder.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof Fault fault) throw fault;
            throw e;
        }
    }

    Dumper dumper(Database source) {
        return new Dumper(source, store, 2, partBytes);
    }

    Batch[] batches(String syncId) {
        return Json.read(store, new SyncPaths(dataSet.name(), syncId).batches(), Batch[].class).orElseThrow();
    }

    Manifest seal(String syncId) {
        new Sealer(store, this::sign).seal(dataSet, new SyncPaths(dataSet.name(), syncId), "1.2.3");
        return admit(syncId);
    }

    Manifest admit(String syncId) {
        return new Admission(store, this::verify).admit(new SyncPaths(dataSet.name(), syncId), Instant.now());
    }

    List<TableResult> restore(Database target, String syncId) {
        return restore(target, syncId, Mode.SYNC);
    }

    List<TableResult> restore(Database target, String syncId, Mode mode) {
        while (true) {
            stage(target, syncId, mode);
            try {
                return publisher(target).publish(dataSet.name(), syncId);
            } catch (Fault.Drifted e) {
                drifted.addAll(e.tables());
            }
        }
    }

    void stage(Database target, String syncId) {
        stage(target, syncId, Mode.SYNC);
    }

    void stage(Database target, String syncId, Mode mode) {
        plan = new Preflight(target).prepare(readManifest(syncId), mode);
        for (var batch : plan.batches()) new Stager(target, 2).stage(dataSet.name(), syncId, batch, keys -> store);
    }

    Preflight.Plan preflight(Database target, String syncId) {
        return new Preflight(target).prepare(readManifest(syncId));
    }

    Manifest readManifest(String syncId) {
        return reader().read(SyncPaths.manifest(dataSet.name(), syncId), dataSet, syncId);
    }

    ManifestReader reader() {
        return new ManifestReader(store, this::verify);
    }

    static Publisher publisher(Database target) {
        return new Publisher(target, Duration.ofMillis(500));
    }

    byte[] sign(byte[] bytes) {
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(keys.getPrivate());
            signature.update(bytes);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean verify(byte[] bytes, byte[] signed) {
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initVerify(keys.getPublic());
            signature.update(bytes);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static KeyPair keys() {
        try {
            return KeyPairGenerator.getInstance("EC").generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
