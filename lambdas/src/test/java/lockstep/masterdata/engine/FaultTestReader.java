package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * Reads {@link TestingProduct}'s tables continuously, as a product does: in single statements over all of them, and in transactions of two
 * statements. An answer is right if it equals the source's content at one time, and no earlier answer was of a later time.
 */
final class FaultTestReader implements AutoCloseable {
    /** The queries for two halves of the content, without rows from 100000 on, which may be kept. */
    private static final List<String> HALVES = List.of("""
            (SELECT price::text FROM m.drug WHERE id = 1) || ' ' || (SELECT note FROM m.interaction WHERE id = 1) || ' '
              || (SELECT count(*) || ' ' || sum(hashtext(code || coalesce(name, ''))::bigint) FROM m.drug WHERE id < 100000)""", """
            (SELECT town FROM m.postal WHERE code = '0000001' AND seq = 0) || ' ' || (SELECT count(*) || ' ' || \
            sum(hashtext(town)::bigint) FROM m.postal WHERE town <> 'local') || ' '
              || (SELECT count(*) || ' ' || sum(hashtext(id || coalesce(note, ''))::bigint) FROM m.interaction)""");

    private final TestingDatabase target;
    private final List<Map<String, Integer>> known = List.of(new ConcurrentHashMap<>(), new ConcurrentHashMap<>());
    private final AtomicInteger versions = new AtomicInteger();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stop;
    final AtomicInteger answers = new AtomicInteger();
    final AtomicInteger wrong = new AtomicInteger();
    final AtomicInteger refused = new AtomicInteger();
    final AtomicLong longestMillis = new AtomicLong();

    FaultTestReader(TestingDatabase target) {
        this.target = target;
    }

    /** Accepts the source's current content as right from now on. */
    void knows(TestingDatabase source) {
        int version = versions.incrementAndGet();
        for (int half = 0; half < 2; half++) known.get(half).put(source.value("SELECT " + HALVES.get(half)), version);
    }

    void start() {
        threads.add(Thread.ofPlatform().start(() -> read(this::statement)));
        threads.add(Thread.ofPlatform().start(() -> read(this::transaction)));
    }

    private interface Reading {
        /** @return the version that was seen, or 0 for none */
        int with(Connection connection) throws SQLException;
    }

    private void read(Reading reading) {
        int last = 0;
        while (!stop) {
            try (var connection = target.connect()) {
                Sql.execute(connection, "SET application_name = 'reader'");
                while (!stop) {
                    long begun = System.nanoTime();
                    int seen = reading.with(connection);
                    longestMillis.accumulateAndGet((System.nanoTime() - begun) / 1_000_000, Math::max);
                    answers.incrementAndGet();
                    if (seen == 0 || seen < last) wrong.incrementAndGet();
                    last = seen;
                    TestingCluster.pause(12);
                }
            } catch (SQLException | Fault e) {
                refused.incrementAndGet(); // a failed query is not a wrong answer
                TestingCluster.pause(20);
            }
        }
    }

    private int statement(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT " + HALVES.get(0) + ", " + HALVES.get(1))) {
            row.next();
            return version(row.getString(1), row.getString(2));
        }
    }

    private int transaction(Connection connection) throws SQLException {
        try {
            Sql.execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ");
            String first = half(connection, 0);
            TestingCluster.pause(5);
            int seen = version(first, half(connection, 1));
            Sql.execute(connection, "COMMIT");
            return seen;
        } catch (SQLException e) {
            if (!connection.isClosed()) connection.close();
            throw e;
        }
    }

    private static String half(Connection connection, int half) throws SQLException {
        try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT " + HALVES.get(half))) {
            row.next();
            return row.getString(1);
        }
    }

    /** Returns the version of an answer, or 0 if it is empty or mixed. */
    private int version(String first, String second) {
        int version = first == null ? 0 : known.get(0).getOrDefault(first, 0);
        return second != null && version == known.get(1).getOrDefault(second, 0) ? version : 0;
    }

    /** Takes a snapshot and reads half of it; the returned action reads the rest. */
    Runnable holdSnapshot() {
        try {
            var connection = target.connect();
            Sql.execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ");
            String first = half(connection, 0);
            return () -> {
                try (connection) {
                    answers.incrementAndGet();
                    if (version(first, half(connection, 1)) == 0) wrong.incrementAndGet();
                } catch (SQLException e) {
                    refused.incrementAndGet();
                }
            };
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        stop = true;
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
