package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import lockstep.masterdata.check.SqlCheck.TableSum;
import lockstep.masterdata.check.SqlCheck;
import lockstep.masterdata.engine.TestingAws.Answer;
import lockstep.masterdata.engine.TestingAws.Request;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.TestingWire.Message;
import lockstep.masterdata.engine.TestingWire.Verdict;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Cleanup;

/**
 * Syncs a target twice, injects one fault at one moment of the third sync, chosen by a seed, and then runs an ordinary sync.
 * The moment is a message to or from a database, or a request to S3 or KMS; the second sync counts them in each phase.
 */
final class FaultTestRun implements AutoCloseable {
    enum Phase {
        HOLD, DUMP, SEAL, PREFLIGHT, STAGE, PUBLISH;

        boolean atSource() {
            return this == HOLD || this == DUMP;
        }
    }

    enum Kind {
        WORKER_KILLED(Phase.HOLD, Phase.DUMP, Phase.PREFLIGHT, Phase.STAGE, Phase.PUBLISH),
        CONNECTION_KILLED(Phase.HOLD, Phase.DUMP, Phase.PREFLIGHT, Phase.STAGE, Phase.PUBLISH),
        WIRE_CUT(Phase.HOLD, Phase.DUMP, Phase.PREFLIGHT, Phase.STAGE, Phase.PUBLISH),
        CUT_BEFORE_COMMIT(Phase.PREFLIGHT, Phase.STAGE, Phase.PUBLISH),
        CUT_AFTER_COMMIT(Phase.PREFLIGHT, Phase.STAGE, Phase.PUBLISH),
        SOURCE_RESTARTED(Phase.HOLD, Phase.DUMP),
        TARGET_RESTARTED(Phase.PREFLIGHT, Phase.STAGE, Phase.PUBLISH),
        TARGET_CRASHED(Phase.PREFLIGHT, Phase.STAGE, Phase.PUBLISH),
        DISK_FULL(Phase.PREFLIGHT, Phase.STAGE, Phase.PUBLISH),
        S3_ERROR(Phase.HOLD, Phase.DUMP, Phase.SEAL, Phase.PREFLIGHT, Phase.STAGE),
        S3_THROTTLED(Phase.HOLD, Phase.DUMP, Phase.SEAL, Phase.PREFLIGHT, Phase.STAGE),
        S3_SLOW(Phase.HOLD, Phase.DUMP, Phase.SEAL, Phase.PREFLIGHT, Phase.STAGE),
        S3_MISSING(Phase.HOLD, Phase.DUMP, Phase.SEAL, Phase.PREFLIGHT, Phase.STAGE),
        S3_TRUNCATED(Phase.HOLD, Phase.DUMP, Phase.SEAL, Phase.PREFLIGHT, Phase.STAGE),
        S3_FLIPPED(Phase.HOLD, Phase.DUMP, Phase.SEAL, Phase.PREFLIGHT, Phase.STAGE),
        KMS_REFUSED(Phase.HOLD, Phase.SEAL, Phase.PREFLIGHT),
        SOURCE_REWRITTEN(Phase.HOLD, Phase.DUMP),
        SCHEMA_CHANGED(Phase.HOLD, Phase.DUMP, Phase.PREFLIGHT, Phase.STAGE, Phase.PUBLISH),
        CLOCK_SKEW(Phase.HOLD, Phase.PUBLISH),
        VISITORS_LOCK(Phase.PUBLISH),
        LONG_READER(Phase.PUBLISH);

        final List<Phase> phases;

        Kind(Phase... phases) {
            this.phases = List.of(phases);
        }

        boolean ofRequests() {
            return name().startsWith("S3_") || this == KMS_REFUSED;
        }
    }

    /** @param fault the fault with which the third sync ended; empty if it succeeded */
    record Outcome(long seed, Kind kind, Phase phase, String moment, boolean struck, Optional<String> fault, int answers, int wrong,
            long longestMillis, long millis) {
        @Override
        public String toString() {
            return "seed " + seed + ": " + kind + " in " + phase + " at " + moment + (struck ? "" : " (did not strike)") + ": "
                    + fault.map(f -> "failed, " + f).orElse("in step")
                    + "; " + wrong + " of " + answers + " answers wrong, longest " + longestMillis + " ms; " + millis + " ms";
        }
    }

    /** The error that AWS reports when a function's process has died. */
    private static final class ProcessGone extends RuntimeException {}

    private final long seed;
    private final Random random;
    private final TestingCluster sources;
    private final TestingCluster targets;
    private final TestingAws aws;
    private final TestingWorker worker;
    private final TestingDatabase source;
    private final TestingDatabase target;
    private final FaultTestReader reader;
    private final Kind kind;
    private final Phase struckPhase;
    private volatile Phase phase = Phase.HOLD;
    private final Map<Phase, AtomicInteger> messages = new EnumMap<>(Phase.class);
    private final Map<Phase, AtomicInteger> commits = new EnumMap<>(Phase.class);
    private final Map<Phase, AtomicInteger> requests = new EnumMap<>(Phase.class);
    private final Map<Phase, AtomicInteger> steps = new EnumMap<>(Phase.class);
    private volatile boolean armed;
    private final AtomicBoolean struck = new AtomicBoolean();
    private int moment;
    private int times = 1;
    private boolean coin;
    private int way;
    private int stepInProcess;
    private volatile int cutBehind;
    private volatile Process process;
    private volatile Thread background;
    private volatile String schemaBack;

    /** Creates the common start of all runs, after two syncs, of which the second counted the possible moments. */
    private FaultTestRun(TestingCluster sources, TestingCluster targets, TestingAws aws, TestingWorker worker) {
        this(-1, sources, targets, aws, worker, TestingProduct.rows(TestingProduct.tables(sources.create())),
                TestingProduct.tables(targets.create()));
    }

    private FaultTestRun(long seed, TestingCluster sources, TestingCluster targets, TestingAws aws, TestingWorker worker,
            TestingDatabase source, TestingDatabase target) {
        this.seed = seed;
        this.random = new Random(seed);
        this.sources = sources;
        this.targets = targets;
        this.aws = aws;
        this.worker = worker;
        this.source = source;
        this.target = target;
        kind = Kind.values()[Math.floorMod(seed, Kind.values().length)];
        random.nextInt(); // the first numbers of neighbouring seeds are similar
        struckPhase = kind.phases.get(random.nextInt(kind.phases.size()));
        reader = new FaultTestReader(target);
        reset();
        sources.wire.watch = message -> see(message, sources);
        targets.wire.watch = message -> see(message, targets);
        aws.watch = this::see;
    }

    static FaultTestRun beginning(TestingCluster sources, TestingCluster targets, TestingAws aws, TestingWorker worker) {
        var beginning = new FaultTestRun(sources, targets, aws, worker);
        beginning.change(0);
        beginning.sync("first");
        beginning.target.execute("INSERT INTO m.prescription (drug) SELECT generate_series(1, 300, 7)",
                "INSERT INTO m.prescription (drug) VALUES (100000)");
        beginning.change(1);
        beginning.reset();
        beginning.sync("second");
        aws.keep();
        return beginning;
    }

    /** Returns a run with this seed that starts from this state. */
    FaultTestRun withSeed(long seed) {
        aws.backToKept();
        var run = new FaultTestRun(seed, sources, targets, aws, worker, sources.copy(source), targets.copy(target));
        // In half of all runs the target's recorded state is trusted. A copied database starts with counts of zero.
        if (run.random.nextBoolean()) run.target.execute("UPDATE lockstep.applied_table SET writes = 0, counted = 0");
        run.take(messages, commits, requests, steps);
        return run;
    }

    private void take(Map<Phase, AtomicInteger> messages, Map<Phase, AtomicInteger> commits, Map<Phase, AtomicInteger> requests,
            Map<Phase, AtomicInteger> steps) {
        this.messages.putAll(messages);
        this.commits.putAll(commits);
        this.requests.putAll(requests);
        this.steps.putAll(steps);
    }

    private void reset() {
        for (Phase p : Phase.values()) for (var counts : List.of(messages, commits, requests, steps)) counts.put(p, new AtomicInteger());
    }

    boolean isPossible() {
        return kind != Kind.DISK_FULL || targets.hasDisk();
    }

    Outcome run() {
        long begun = System.nanoTime();
        reader.knows(source);
        reader.start();
        var before = sums(target);
        change(2);
        var after = sums(source);
        reader.knows(source);

        arm();
        var longReader = kind == Kind.LONG_READER ? Optional.of(reader.holdSnapshot()) : Optional.<Runnable>empty();
        Optional<RuntimeException> failed = attempt("third");
        heal();
        var found = sums(target);
        assertTrue(found.equals(after) || failed.isPresent() && found.equals(before),
                () -> this + ": " + failed + ": neither before nor after");
        failed.ifPresent(f -> assertTrue(f instanceof Fault && !(f instanceof Fault.Unexpected),
                () -> this + " is not a clear failure: " + trace(f)));

        change(3);
        reader.knows(source);
        if (random.nextBoolean()) target.execute("DELETE FROM m.prescription WHERE drug = 100000");
        sync("fourth");
        assertEquals(sums(source), sums(target), this::toString);
        assertEquals("0", target.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'"), this::toString);
        longReader.ifPresent(Runnable::run);
        reader.close();
        assertEquals(0, reader.wrong.get(), () -> this + ": wrong answers");
        assertTrue(reader.answers.get() > 3, this::toString);
        if (kind == Kind.VISITORS_LOCK)
            assertTrue(reader.longestMillis.get() < 2000, () -> this + ": a reader waited " + reader.longestMillis + " ms");
        return new Outcome(seed, kind, struckPhase, moment + (times > 1 ? "+" + times : "") + (coin ? "'" : "") + "/" + way, struck.get(),
                failed.map(f -> f.getClass().getSimpleName()),
                reader.answers.get(), reader.wrong.get(), reader.longestMillis.get(), (System.nanoTime() - begun) / 1_000_000);
    }

    private static String trace(Throwable fault) {
        var text = new java.io.StringWriter();
        fault.printStackTrace(new java.io.PrintWriter(text));
        return text.toString();
    }

    @Override
    public String toString() {
        return seed < 0 ? "the beginning" : "seed " + seed + " (" + kind + " in " + struckPhase + " at " + moment + ", " + times + ", "
                + coin + ", " + way + ", struck: " + struck + ")";
    }

    private static List<TableSum> sums(TestingDatabase database) {
        return database.run(connection -> SqlCheck.of(connection, TestingProduct.DATA_SET)).sums();
    }

    /** Writes the version into every table, and changes some or all rows of some tables. */
    private void change(int version) {
        source.execute(
                random.nextBoolean() ? "UPDATE m.drug SET name = 'r" + version + " ' || id"
                        : "UPDATE m.drug SET name = 'few' WHERE id % 60 = " + version,
                "UPDATE m.drug SET price = " + version + " WHERE id = 1",
                "UPDATE m.postal SET town = 'v" + version + "' WHERE code = '0000001' AND seq = 0",
                "UPDATE m.interaction SET note = 'v" + version + "' WHERE id = 1",
                "DELETE FROM m.interaction WHERE id % 40 = 2 + " + version,
                "INSERT INTO m.interaction (a, note) SELECT id, 'new " + version + "' FROM m.drug WHERE id % 50 = 4 AND id < 500",
                "DELETE FROM m.postal WHERE code = '" + "0000" + (100 + version) + "'",
                "INSERT INTO m.postal VALUES ('8" + version + "', 1, 'new')",
                "INSERT INTO m.drug (id, code, name) OVERRIDING SYSTEM VALUE VALUES (" + (1000 + version) + ", 'N" + version
                        + "', 'new'), (" + (100000 + version) + ", 'K" + version + "', 'kept perhaps')",
                "DELETE FROM m.drug WHERE id IN (" + (1000 + version - 1) + ", " + (100000 + version - 1) + ")");
    }

    // ---- the steps of the state machines, with shorter waits

    /** Runs an ordinary sync without a fault. */
    private void sync(String syncId) {
        attempt(syncId).ifPresent(f -> {
            throw new AssertionError(this + ": sync " + syncId + " failed: " + f, f);
        });
    }

    private Optional<RuntimeException> attempt(String syncId) {
        return dump(syncId).or(() -> restore(syncId));
    }

    private Optional<RuntimeException> dump(String syncId) {
        var from = source.through(sources.wire);
        phase = Phase.HOLD;
        var holder = CompletableFuture.supplyAsync(() -> hold(from, syncId), task -> Thread.ofPlatform().start(task));
        try {
            var batches = retried(() -> worker.awaitSnapshot(syncId), false);
            phase = Phase.DUMP;
            for (int i = 0; i < batches.size(); i++) {
                var batch = batches.get(i);
                retried(() -> step(from, syncId, () -> worker.dump(from, syncId, batch), batch.index()), false);
            }
            phase = Phase.SEAL;
            retried(() -> worker.seal(syncId), false);
            retried(() -> release(syncId, "sealed"), false);
            holder.join();
            return Optional.empty();
        } catch (CompletionException e) {
            return Optional.of((RuntimeException) e.getCause());
        } catch (RuntimeException e) {
            armed = false; // the snapshot must be released, because the holder would wait for its deadline
            release(syncId, e.toString());
            holder.handle((r, f) -> r).join();
            return Optional.of(e);
        }
    }

    private Object release(String syncId, String reason) {
        worker.release(syncId, reason);
        return reason;
    }

    private Object hold(TestingDatabase from, String syncId) {
        for (int tries = 0;; tries++) {
            try {
                return step(from, syncId, () -> worker.hold(from, syncId));
            } catch (Fault.DatabaseUnavailable e) {
                if (tries == 4) throw releaseAnd(syncId, e);
                TestingCluster.pause(50L << tries);
            } catch (RuntimeException e) {
                throw releaseAnd(syncId, e);
            }
        }
    }

    private RuntimeException releaseAnd(String syncId, RuntimeException e) {
        retried(() -> release(syncId, e.toString()), false);
        return e instanceof ProcessGone ? new Fault.SnapshotGone("the holder's process is gone", e) : e;
    }

    private Optional<RuntimeException> restore(String syncId) {
        var to = target.through(targets.wire);
        try {
            while (true) {
                phase = Phase.PREFLIGHT;
                var plan = retried(() -> step(to, syncId, () -> worker.preflight(to, syncId)), false);
                phase = Phase.STAGE;
                for (var batch : plan.batches())
                    retried(() -> step(to, syncId, () -> worker.stage(to, syncId, batch), batch.from(), batch.until()), false);
                phase = Phase.PUBLISH;
                if (armed && kind == Kind.VISITORS_LOCK && struck.compareAndSet(false, true)) lock();
                try {
                    retried(() -> step(to, syncId, () -> worker.publish(to, syncId)), true);
                    return Optional.empty();
                } catch (Fault.Drifted e) {
                    continue;
                }
            }
        } catch (RuntimeException e) {
            try {
                retried(() -> {
                    Cleanup.dropStaging(to, "master", syncId);
                    return "dropped";
                }, false);
            } catch (RuntimeException left) {
                // reported; the next sync drops it
            }
            return Optional.of(e);
        }
    }

    private <T> T retried(Supplier<T> step, boolean waitsIfBusy) {
        for (int tries = 0, waits = 0;;) {
            try {
                return step.get();
            } catch (Fault.Busy e) {
                if (!waitsIfBusy || waits++ == 10) throw e;
                TestingCluster.pause(50);
            } catch (Fault.Transient | ProcessGone e) {
                if (tries == 4) throw e instanceof ProcessGone ? new Fault.BatchFailed("the process is gone again and again") : e;
                TestingCluster.pause(50L << tries++);
            }
        }
    }

    /** Runs a step, in a separate process if that is to be killed. */
    private <T> T step(TestingDatabase database, String syncId, Supplier<T> here, int... numbers) {
        int stepsSoFar = steps.get(phase).getAndIncrement();
        if (!armed || kind != Kind.WORKER_KILLED || struckPhase != phase || stepsSoFar != stepInProcess) return here.get();
        messages.get(phase).set(0);
        process = TestingWorker.start(aws.endpoint(), database, syncId, phase.name(), numbers);
        if (process.onExit().join().exitValue() != 0) throw new ProcessGone();
        return phase == Phase.PREFLIGHT ? here.get() : null;
    }

    // ---- the fault

    private void arm() {
        var counts = kind.ofRequests() ? requests : kind.name().endsWith("COMMIT") ? commits : messages;
        int there = counts.get(struckPhase).get();
        int stepsThere = Math.max(1, steps.get(struckPhase).get());
        stepInProcess = random.nextInt(stepsThere);
        if (kind == Kind.WORKER_KILLED) there /= stepsThere;
        moment = kind == Kind.KMS_REFUSED ? 0 : random.nextInt(Math.max(1, there * 9 / 10));
        times = kind.ofRequests() ? List.of(1, 2, 5, struckPhase == Phase.SEAL ? 30 : 10_000).get(random.nextInt(4)) : 1;
        coin = random.nextBoolean();
        way = random.nextInt(5);
        reset();
        armed = true;
        if (kind == Kind.CLOCK_SKEW) skew();
        if (kind == Kind.LONG_READER) struck.set(true);
    }

    private Verdict see(Message message, TestingCluster cluster) {
        if (message.type() == 'S' && cutBehind == message.serverSees()) {
            cutBehind = 0;
            return Verdict.CUT_BEHIND;
        }
        if ("Pdc<".indexOf(message.type()) < 0 || phase.atSource() != (cluster == sources)) return Verdict.FORWARD;
        boolean commit = message.text().equals("COMMIT");
        int commitsSoFar = commit ? commits.get(phase).getAndIncrement() : commits.get(phase).get();
        int messagesSoFar = messages.get(phase).getAndIncrement();
        if (!armed || phase != struckPhase || kind.ofRequests()) return Verdict.FORWARD;
        boolean now = kind.name().endsWith("COMMIT") ? commit && commitsSoFar >= moment : messagesSoFar >= moment;
        if (!now || kind == Kind.WORKER_KILLED && process == null || kind == Kind.VISITORS_LOCK || !struck.compareAndSet(false, true))
            return Verdict.FORWARD;
        return strike(message, cluster);
    }

    private Verdict strike(Message message, TestingCluster cluster) {
        switch (kind) {
            case WORKER_KILLED -> process.destroyForcibly().onExit().join();
            case CONNECTION_KILLED -> cluster.terminate(message.serverSees());
            case WIRE_CUT, CUT_BEFORE_COMMIT -> {
                return Verdict.CUT;
            }
            case CUT_AFTER_COMMIT -> cutBehind = message.serverSees();
            case SOURCE_RESTARTED, TARGET_RESTARTED -> inBackground(() -> cluster.restart(coin, Duration.ofMillis(way * 200L)), 50);
            case TARGET_CRASHED -> cluster.crash(message.serverSees());
            case DISK_FULL -> {
                targets.fill();
                if (coin) inBackground(() -> {
                    TestingCluster.pause(way * 200L);
                    targets.makeRoom();
                }, 0);
            }
            case SOURCE_REWRITTEN -> {
                String table = List.of("m.drug", "m.interaction", "m.postal").get(way % 3);
                // the source is reloaded or migrated, with the same content afterwards
                String rewrite = coin && !table.equals("m.drug")
                        ? "BEGIN; CREATE TEMPORARY TABLE again ON COMMIT DROP AS SELECT * FROM " + table + "; TRUNCATE " + table
                                + "; INSERT INTO " + table + " SELECT * FROM again; COMMIT"
                        : "ALTER TABLE " + table + " ALTER "
                                + (table.equals("m.postal") ? "town" : table.equals("m.drug") ? "name" : "note") + " TYPE text USING "
                                + (table.equals("m.postal") ? "town" : table.equals("m.drug") ? "name" : "note") + " || ''";
                inBackground(() -> source.execute(rewrite), 300);
            }
            case SCHEMA_CHANGED -> {
                // Not at the target: rewriting a table there would show readers an empty table in any case.
                var changes = (phase.atSource() ? List.of(
                        List.of("ALTER TABLE m.drug RENAME tags TO labels", "ALTER TABLE m.drug RENAME labels TO tags"),
                        List.of("ALTER TABLE m.postal ALTER town TYPE varchar(200)", "ALTER TABLE m.postal ALTER town TYPE text"),
                        List.of("ALTER TABLE m.interaction RENAME TO interactions", "ALTER TABLE m.interactions RENAME TO interaction"),
                        List.of("ALTER TABLE m.drug ADD more text", "ALTER TABLE m.drug DROP more"),
                        List.of("ALTER TABLE m.interaction ALTER id TYPE numeric", "ALTER TABLE m.interaction ALTER id TYPE bigint"))
                        : List.of(
                                List.of("ALTER TABLE m.drug RENAME tags TO labels", "ALTER TABLE m.drug RENAME labels TO tags"),
                                List.of("ALTER TABLE m.postal ALTER town TYPE varchar", "ALTER TABLE m.postal ALTER town TYPE text"),
                                List.of("ALTER TABLE m.interaction RENAME TO interactions",
                                        "ALTER TABLE m.interactions RENAME TO interaction"),
                                List.of("ALTER TABLE m.drug ADD must text CHECK (must IS NOT NULL) NOT VALID",
                                        "ALTER TABLE m.drug DROP must"),
                                List.of("ALTER TABLE m.drug DROP CONSTRAINT drug_code_key, ADD CONSTRAINT other UNIQUE (name, code)",
                                        "ALTER TABLE m.drug DROP CONSTRAINT other, ADD CONSTRAINT drug_code_key UNIQUE (code)")))
                        .get(way);
                var changed = phase.atSource() ? source : target;
                inBackground(() -> {
                    changed.execute(changes.get(0)); // fails if it deadlocks with Publish
                    schemaBack = changes.get(1);
                }, 300);
            }
            default -> throw new IllegalStateException(kind.name());
        }
        return Verdict.FORWARD;
    }

    private void inBackground(Runnable work, int millis) {
        background = Thread.ofPlatform().start(() -> {
            try {
                work.run();
            } catch (Fault e) {
                // this work may fail as well
            }
        });
        try {
            if (millis > 0) background.join(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private Answer see(Request request) {
        if (request.isKms() != (kind == Kind.KMS_REFUSED)) return Answer.WELL;
        int soFar = requests.get(phase).getAndIncrement();
        if (!armed || phase != struckPhase || !kind.ofRequests() || soFar < moment || soFar >= moment + times) return Answer.WELL;
        boolean reads = request.method().equals("GET");
        boolean lies = reads && aws.objects.containsKey(request.key());
        if (kind == Kind.S3_MISSING && !reads || (kind == Kind.S3_TRUNCATED || kind == Kind.S3_FLIPPED) && !lies) {
            moment++;
            return Answer.WELL;
        }
        struck.set(true);
        boolean forGood = coin && lies && !request.key().startsWith("syncs/");
        return switch (kind) {
            case S3_ERROR -> way == 0 ? Answer.CUT : Answer.ERROR;
            case S3_THROTTLED -> Answer.THROTTLED;
            case S3_SLOW -> Answer.SLOW;
            case S3_MISSING -> {
                if (forGood) aws.objects.remove(request.key());
                yield way == 0 ? Answer.REFUSED : Answer.MISSING;
            }
            case S3_TRUNCATED -> {
                if (forGood)
                    aws.overwrite(request.key(), Arrays.copyOf(aws.objects.get(request.key()), aws.objects.get(request.key()).length / 2));
                yield forGood ? Answer.WELL : Answer.TRUNCATED;
            }
            case S3_FLIPPED -> {
                byte[] flipped = aws.objects.get(request.key()).clone();
                flipped[random.nextInt(flipped.length)] ^= (byte) (1 << way);
                if (forGood) aws.overwrite(request.key(), flipped);
                yield forGood ? Answer.WELL : Answer.FLIPPED;
            }
            case KMS_REFUSED -> way == 0 ? Answer.THROTTLED : Answer.REFUSED;
            default -> throw new IllegalStateException(kind.name());
        };
    }

    /** Changes the clock of one server by hours or days. */
    private void skew() {
        struck.set(true);
        var clock = struckPhase.atSource() ? source : target;
        for (String function : List.of("now", "transaction_timestamp"))
            clock.execute("CREATE OR REPLACE FUNCTION pg_catalog." + function
                    + "() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT pg_catalog.statement_timestamp() + interval '"
                    + (coin ? "-" : "") + List.of("1 second", "1 minute", "1 hour", "1 day", "400 days").get(way) + "' $$");
    }

    private void lock() {
        try {
            var visitor = target.connect();
            visitor.setAutoCommit(false);
            Sql.execute(visitor,
                    "SELECT FROM " + List.of("m.drug WHERE id = 1", "m.interaction WHERE id = 1", "m.postal WHERE code = '0000001'",
                            "m.drug WHERE id = 1001", "m.interaction WHERE id % 40 = 4").get(way) + " FOR UPDATE");
            inBackground(() -> {
                TestingCluster.pause(coin ? 700 : 5000);
                try (visitor) {
                    visitor.rollback();
                } catch (java.sql.SQLException e) {
                    throw new IllegalStateException(e);
                }
            }, 0);
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Repairs everything that does not recover by itself, as an operator would; damaged objects stay. */
    private void heal() {
        armed = false;
        try {
            if (background != null) background.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        targets.makeRoom();
        sources.awaitUp();
        targets.awaitUp();
        if (kind == Kind.SCHEMA_CHANGED && schemaBack != null) (struckPhase.atSource() ? source : target).execute(schemaBack);
        if (kind == Kind.CLOCK_SKEW)
            for (String function : List.of("now", "transaction_timestamp"))
                (struckPhase.atSource() ? source : target).execute("CREATE OR REPLACE FUNCTION pg_catalog." + function
                        + "() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT pg_catalog.statement_timestamp() $$");
    }

    @Override
    public void close() {
        armed = false;
        reader.close();
        if (process != null) process.destroyForcibly();
        targets.makeRoom();
        sources.awaitUp();
        targets.awaitUp();
        sources.drop(source);
        targets.drop(target);
    }
}
