package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import lockstep.masterdata.engine.Preflight.Mode;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Faults at random moments of a restore, by seed: it ends in step, and a reader never sees anything but a state of the source. */
class FaultTest {
    private static final int ROUNDS = 5;
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final TestingDatabase source = TestingProduct.source();
    private final TestingDatabase target = TestingProduct.database();
    private final AtomicInteger struck = new AtomicInteger();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void endsInStep(long seed) throws Exception {
        var random = new Random(seed);
        mark(-1);
        sync.run(source, target, "first");
        target.execute("INSERT INTO m.prescription (drug) SELECT generate_series(1, 500, 7)");
        var stop = new AtomicBoolean();
        var wrong = new AtomicInteger();
        var answers = new AtomicInteger();
        var reader = Thread.ofPlatform().start(() -> read(stop, answers, wrong));
        var killer = Thread.ofPlatform().start(() -> kill(stop, new Random(seed)));
        for (int round = 0; round < ROUNDS; round++) {
            source.execute(random.nextBoolean() ? "UPDATE m.drug SET name = 'r" + round + "' || id" : "UPDATE m.drug SET name = 'few' WHERE id % 60 = " + round,
                    "UPDATE m.drug SET code = 'z' || id WHERE id IN (11, 12)", "DELETE FROM m.interaction WHERE id % 40 = " + round,
                    "INSERT INTO m.interaction (a, note) SELECT id, 'new' FROM m.drug WHERE id % 50 = " + round);
            mark(round);
            sync.dump(source, "r" + round);
            restore("r" + round, new Random(random.nextLong()));
            synchronized (struck) { // this reading is not to be struck
                assertEquals(TestingProduct.contents(source), TestingProduct.contents(target), "seed " + seed + ", round " + round);
            }
        }
        stop.set(true);
        reader.join();
        killer.join();
        assertEquals(0, wrong.get());
        assertTrue(answers.get() > 20 && struck.get() > 5, answers + " answers, " + struck + " faults");
        assertEquals("0", target.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'"));
    }

    /** The same number in two tables: a reader that sees two different ones has seen a mixture. */
    private void mark(int round) {
        source.execute("UPDATE m.drug SET price = " + round + " WHERE id = 1", "UPDATE m.postal SET town = '" + round + "' WHERE code = '0000001' AND seq = 0");
    }

    private void read(AtomicBoolean stop, AtomicInteger answers, AtomicInteger wrong) {
        target.run(connection -> {
            Sql.execute(connection, "SET application_name = 'reader'");
            try (var statement = connection.createStatement()) {
                while (!stop.get()) {
                    try (var row = statement.executeQuery("SELECT (SELECT price::text FROM m.drug WHERE id = 1), (SELECT town FROM m.postal WHERE code = '0000001' AND seq = 0), (SELECT count(*) FROM m.drug)")) {
                        row.next();
                        answers.incrementAndGet();
                        if (!row.getString(1).equals(row.getString(2)) || row.getLong(3) != 500) wrong.incrementAndGet();
                    }
                }
            }
            return null;
        });
    }

    private void kill(AtomicBoolean stop, Random random) {
        target.run(connection -> {
            Sql.execute(connection, "SET application_name = 'killer'");
            try (var statement = connection.createStatement()) {
                while (!stop.get()) {
                    Thread.sleep(random.nextInt(1200));
                    synchronized (struck) {
                        try (var row = statement.executeQuery("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lockstep' AND state <> 'idle'")) {
                            row.next();
                            struck.addAndGet(row.getInt(1));
                        }
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return null;
        });
    }

    /** As the state machine: what may pass is tried again, drift goes back to Preflight, any other fault ends a try, and the next one begins anew. */
    private void restore(String syncId, Random random) {
        for (int tries = 0; ; tries++) {
            try {
                var plan = new Preflight(target).prepare(sync.readManifest(syncId), Mode.SYNC);
                for (var batch : plan.batches()) new Stager(target, 2).stage("master", syncId, batch, keys -> flaky(random));
                TestingSync.publisher(target).publish("master", syncId);
                return;
            } catch (Fault.Drifted | Fault.Transient e) {
                if (tries > 200) throw e;
            } catch (Fault.PartRefused | Fault.BatchFailed | Fault.Unexpected e) {
                if (tries > 200) throw e;
                clean(syncId);
            }
        }
    }

    private void clean(String syncId) {
        try {
            Cleanup.dropStaging(target, "master", syncId);
        } catch (Fault e) {
            struck.incrementAndGet(); // it is for tidiness only: the next try does not need it
        }
    }

    /** Throttles, loses, and alters objects. */
    private PartStore flaky(Random random) {
        return new PartStore() {
            @Override
            public void put(String key, byte[] bytes, int length) {
                throw new IllegalStateException("a target does not write");
            }

            @Override
            public Optional<InputStream> open(String key) {
                int fault;
                synchronized (random) {
                    fault = random.nextInt(40);
                }
                if (fault < 3) struck.incrementAndGet();
                return switch (fault) {
                    case 0 -> throw new Fault.StoreUnavailable("throttled", null);
                    case 1 -> Optional.empty();
                    case 2 -> sync.store.open(key).map(in -> new java.io.FilterInputStream(in) {
                        @Override
                        public int read(byte[] bytes, int from, int length) throws java.io.IOException {
                            int read = super.read(bytes, from, length);
                            if (read > 0) bytes[from] ^= 1;
                            return read;
                        }
                    });
                    default -> sync.store.open(key);
                };
            }
        };
    }
}
