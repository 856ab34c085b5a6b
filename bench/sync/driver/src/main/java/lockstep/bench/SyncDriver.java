package lockstep.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.review.Admission;
import lockstep.masterdata.engine.dump.AwaitedSnapshot;
import lockstep.masterdata.engine.dump.Batch;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.dump.Dumper;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.ManifestReader;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.dump.Planner;
import lockstep.masterdata.engine.restore.Preflight;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.Publisher;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.dump.Sealer;
import lockstep.masterdata.engine.dump.SnapshotHolder;
import lockstep.masterdata.engine.restore.Stager;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.postgres.SessionSettings;

/**
 * Runs the engine like the two state machines, with the parameters of the deployed functions but without Lambda.
 *
 * <pre>
 *   SyncDriver prepare HOST:PORT/DATABASE    once per database: Lockstep's tables, logins and grants
 *   SyncDriver dump SYNC-ID                  from $BENCH_SOURCE into the store at $BENCH_STORE
 *   SyncDriver restore SYNC-ID               from the store into $BENCH_TARGET
 *   SyncDriver rollback SYNC-ID              the same, although a newer sync is in force there
 *   SyncDriver warm SYNC-ID                  both, after some syncs between small databases
 * </pre>
 * Dump and restore print a line of JSON with the times of each phase.
 */
public final class SyncDriver {
    /** The same as in handler.DumpParts, handler.StageParts and handler.Publish. */
    private static final int STREAMS = 2;
    private static final long PART_BYTES = 32L << 20;
    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(20);
    /** The maxConcurrency of the state machines' maps. */
    private static final int WORKERS = 4;
    private static final int WARM_SYNCS = 6;
    private static final int MAX_TRIES = 3;

    private static final DataSet DATA_SET = new DataSet("master", "source", List.of(
            new Table("master.ingredient", List.of("id", "code", "name", "revised_on"), List.of("id"), Optional.empty()),
            new Table("master.disease", List.of("id", "code", "name", "category", "billable", "synonyms", "valid_to", "revised_on"),
                    List.of("id"), Optional.empty()),
            new Table("master.postal_code", List.of("code", "seq", "prefecture", "town", "revised_on"), List.of("code", "seq"),
                    Optional.empty()),
            new Table("master.drug",
                    List.of("id", "code", "name", "name_kana", "dosage_form", "ingredients", "strength_mg", "price", "approved_on",
                            "withdrawn_on", "tags", "revised_on"),
                    List.of("id"), Optional.empty()),
            new Table("master.drug_interaction",
                    List.of("id", "drug_id", "other_drug_id", "severity", "mechanism", "evidence", "revised_on"), List.of("id"),
                    Optional.empty())));

    private final Phases phases = new Phases();
    private final FileStore store;
    private final Keys keys;

    private SyncDriver(Path directory) {
        store = new FileStore(directory);
        keys = Keys.of(directory.resolve("keys"));
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 2) throw new IllegalArgumentException("expected prepare, dump, restore, rollback or warm and its "
                + "argument, given " + Arrays.toString(arguments));
        switch (arguments[0]) {
            case "prepare" -> new DatabaseRoles(new Plain(arguments[1], "postgres", "prepare")).prepare(login("lockstep_reader"),
                    login("lockstep_writer"), List.of(DATA_SET));
            case "dump" -> System.out.println(dump(System.getenv("BENCH_SOURCE"), System.getenv("BENCH_STORE"), arguments[1]));
            case "restore" ->
                    System.out.println(restore(System.getenv("BENCH_TARGET"), System.getenv("BENCH_STORE"), arguments[1], Mode.SYNC));
            case "rollback" ->
                    System.out.println(restore(System.getenv("BENCH_TARGET"), System.getenv("BENCH_STORE"), arguments[1], Mode.ROLLBACK));
            case "warm" -> warm(Path.of(System.getenv("WORK")), arguments[1]);
            default -> throw new IllegalArgumentException("expected prepare, dump, restore, rollback or warm, given " + arguments[0]);
        }
    }

    private static String dump(String source, String store, String syncId) throws Exception {
        var driver = new SyncDriver(Path.of(store));
        driver.dump(new Plain(source, "lockstep_reader", "dump"), new SyncPaths(DATA_SET.name(), syncId));
        return driver.results();
    }

    private static String restore(String target, String store, String syncId, Mode mode) throws Exception {
        var driver = new SyncDriver(Path.of(store));
        driver.restore(new Plain(target, "lockstep_writer", "restore"), new SyncPaths(DATA_SET.name(), syncId), mode);
        return driver.results();
    }

    /**
     * Syncs in a warm JVM, like warm functions: runs some syncs between small databases, signals "ready", waits for "go", and syncs.
     * The signals are files in the directory.
     */
    private static void warm(Path directory, String syncId) throws Exception {
        String[] sources = System.getenv("BENCH_WARM_SOURCES").split(",");
        for (int i = 0; i < WARM_SYNCS; i++) {
            dump(sources[i % sources.length], directory.resolve("warm-store").toString(), "warm-" + i);
            restore(System.getenv("BENCH_WARM_TARGET"), directory.resolve("warm-store").toString(), "warm-" + i, Mode.SYNC);
        }
        Files.createFile(directory.resolve("ready"));
        while (!Files.exists(directory.resolve("go"))) Thread.sleep(2);
        Files.writeString(directory.resolve("dump.json"), dump(System.getenv("BENCH_SOURCE"), System.getenv("BENCH_STORE"), syncId));
        Files.writeString(directory.resolve("restore.json"),
                restore(System.getenv("BENCH_TARGET"), System.getenv("BENCH_STORE"), syncId, Mode.SYNC));
        Files.createFile(directory.resolve("done"));
    }

    private String results() throws IOException {
        phases.record("written", store.written.sum());
        phases.record("read", store.read.sum());
        return Json.MAPPER.writeValueAsString(phases.results());
    }

    private void dump(Database source, SyncPaths paths) throws Exception {
        try (var executor = Executors.newSingleThreadExecutor()) {
            var holder = executor.submit(() -> hold(source, paths));
            try {
                phases.time("plan", () -> AwaitedSnapshot.await(store, paths, Instant.now().plusSeconds(600)));
                var batches = Json.MAPPER.readValue(store.open(paths.batches()).orElseThrow(), Batch[].class);
                var dumper = new Dumper(source, store, STREAMS, PART_BYTES);
                phases.time("dump", () -> map(Arrays.asList(batches), batch -> dumper.dump(DATA_SET, paths, batch)));
                var manifest = phases.time("seal", () -> {
                    new Sealer(store, keys::sign).seal(DATA_SET, paths, "1.0.0");
                    return new Admission(store, keys::verify).admit(paths, Instant.now());
                });
                phases.record("parts", manifest.tables().stream().mapToInt(t -> t.parts().size()).sum());
            } finally {
                new Released("done").write(store, paths);
            }
            phases.time("release", holder::get);
        }
    }

    private Released hold(Database source, SyncPaths paths) {
        try {
            return new SnapshotHolder(source, store, Planner.DEFAULT, keys::verify).hold(DATA_SET, paths, Instant.now().plusSeconds(3600));
        } catch (RuntimeException e) {
            new Released(e.toString()).write(store, paths);
            throw e;
        }
    }

    private void restore(Plain target, SyncPaths paths, Mode mode) throws Exception {
        var manifest = phases.time("manifest",
                () -> new ManifestReader(store, keys::verify).read(paths.manifest(), DATA_SET, paths.syncId()));
        for (int tries = 1;; tries++) {
            try {
                restore(target, paths, mode, manifest);
                phases.record("tries", tries);
                return;
            } catch (Fault.Drifted e) {
                if (tries == MAX_TRIES) throw e;
            }
        }
    }

    private void restore(Plain target, SyncPaths paths, Mode mode, Manifest manifest) throws Exception {
        var plan = phases.time("preflight", () -> new Preflight(target.during("preflight")).prepare(manifest, mode));
        var stager = new Stager(target.during("stage"), STREAMS);
        phases.time("stage", () -> map(plan.batches(), batch -> stager.stage(DATA_SET.name(), paths.syncId(), batch, objects -> store)));
        var results = phases.time("publish",
                () -> new Publisher(target.during("publish"), LOCK_TIMEOUT).publish(DATA_SET.name(), paths.syncId()));
        phases.record("staged_rows", plan.rows());
        phases.record("changed_rows", results.stream().mapToLong(t -> t.inserted() + t.updated() + t.deleted()).sum());
    }

    /** Works like the state machines' Map states: runs some workers in parallel, each with one item. */
    private static <T> Void map(List<T> items, Consumer<T> step) throws Exception {
        try (var executor = Executors.newFixedThreadPool(WORKERS)) {
            var steps = items.stream().map(item -> Executors.callable(() -> step.accept(item))).toList();
            for (var done : executor.invokeAll(steps)) done.get();
            return null;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    private static Login login(String name) {
        return new Login("localhost", 0, "", name, "bench");
    }

    /** A connection without TLS, like those of all contenders. Its application name identifies the step in the server's log. */
    private record Plain(String place, String user, String step) implements Database {
        Plain during(String step) {
            return new Plain(place, user, step);
        }

        @Override
        public Connection connect() {
            try {
                Connection connection = DriverManager.getConnection("jdbc:postgresql://" + place, user, "bench");
                SessionSettings.apply(connection);
                connection.setClientInfo("ApplicationName", "lockstep " + step);
                return connection;
            } catch (SQLException e) {
                throw new IllegalStateException(place + " can't be reached", e);
            }
        }

        @Override
        public String name() {
            return place;
        }
    }
}
