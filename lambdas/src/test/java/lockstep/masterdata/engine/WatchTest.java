package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import lockstep.landscape.Check;
import lockstep.landscape.DataSetMetric;
import lockstep.landscape.ShardMetric;
import lockstep.masterdata.check.Queries;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.ShardReport.Rows;
import lockstep.masterdata.engine.restore.ShardReport;
import lockstep.masterdata.watch.Standing.Remedy;
import lockstep.masterdata.watch.Watcher;
import org.junit.jupiter.api.Test;

/** Tests the watcher with real databases and manifests; restores that it starts run at once. */
class WatchTest {
    private static final Duration EVERY = Duration.ofMinutes(15);

    private final TestingDatabase source = TestingProduct.source();
    private final TestingDatabase target = TestingProduct.database();
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final Account account = new Account();

    /** An account with the shard demo-1, and shards that do not answer. */
    private final class Account implements Watcher.Environment {
        final Map<String, Map<ShardMetric, Double>> measured = new ConcurrentHashMap<>();
        final Map<DataSetMetric, Double> overall = new TreeMap<>();
        final List<String> started = new ArrayList<>();
        final List<Watcher.StartedRestore> told = new ArrayList<>();
        final Set<String> running = new HashSet<>();
        List<Check> checks = List.of();
        Optional<RuntimeException> sourceFails = Optional.empty();
        /** By default every look reads every row. */
        Duration rows = EVERY;

        @Override
        public Optional<Latest> newest() {
            sourceFails.ifPresent(f -> { throw f; });
            return Latest.read(sync.store, "master");
        }

        @Override
        public Manifest manifest(String syncId) {
            return sync.readManifest(syncId);
        }

        @Override
        public ShardReport report(String shard, boolean rows) {
            switch (shard) {
                case "demo-1" -> { return ShardReport.read(target, sync.dataSet, rows ? Rows.ALL : Rows.WRITTEN); }
                case "slow" -> {
                    try {
                        Thread.sleep(60_000);
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    throw new AssertionError("it was waited for");
                }
                default -> throw new Fault.DatabaseUnavailable("the database is down", null);
            }
        }

        @Override
        public Queries.Results check(String shard) {
            return target.run(connection -> Queries.run(connection, checks));
        }

        @Override
        public Set<String> running() {
            return running;
        }

        @Override
        public boolean start(String execution, Remedy remedy, String shard) {
            if (started.contains(execution)) return false;
            started.add(execution);
            sync.restore(target, remedy.syncId(), remedy.mode());
            return true;
        }

        @Override
        public void notifyStarted(Watcher.StartedRestore one) {
            told.add(one);
        }

        @Override
        public void measure(String shard, Map<ShardMetric, Double> values) {
            measured.computeIfAbsent(shard, s -> new TreeMap<>()).putAll(values);
        }

        @Override
        public void measure(Map<DataSetMetric, Double> values) {
            overall.clear();
            overall.putAll(values);
        }

        double last(ShardMetric metric) {
            return measured.get("demo-1").get(metric);
        }
    }

    private List<Watcher.Seen> look(Instant now, String... shards) {
        return new Watcher(account, "master", "demo", EVERY, account.rows, Duration.ofHours(1), !account.checks.isEmpty(), 32)
                .look(shards.length == 0 ? List.of("demo-1") : List.of(shards), now, Instant.now().plusSeconds(10));
    }

    private static Instant later(int minutes) {
        return Instant.now().plus(Duration.ofMinutes(minutes));
    }

    private String master() {
        return TestingProduct.contents(target);
    }

    @Test
    void whatIsInStepIsLeftAlone() {
        sync.run(source, target, "one");
        look(later(10));
        assertEquals(List.of(), account.started);
        assertEquals(0, account.last(ShardMetric.BEHIND));
        assertEquals(0, account.last(ShardMetric.DRIFT));
        assertEquals(0, account.last(ShardMetric.UNREACHABLE));
        assertEquals(600, account.last(ShardMetric.FRESHNESS), 30);
        assertEquals(600, account.overall.get(DataSetMetric.FRESHNESS), 30);
        assertEquals(0, account.overall.get(DataSetMetric.OUT_OF_STEP));
    }

    @Test
    void rowsEditedByHandAreToldAndRepairedOnceASlot() {
        sync.run(source, target, "one");
        target.execute("UPDATE m.drug SET price = 99 WHERE id = 7", "DELETE FROM m.interaction WHERE id = 3");
        var now = Instant.parse("2030-01-01T10:07:00Z");
        look(now);
        assertEquals(2, account.last(ShardMetric.DRIFT));
        assertEquals(1, account.overall.get(DataSetMetric.OUT_OF_STEP));
        assertEquals(List.of("drift-one-203001011000-demo-1"), account.started);
        assertEquals(List.of(new Watcher.StartedRestore("drift", "master", "demo", "demo-1", "one", List.of("m.interaction", "m.drug"),
                "drift-one-203001011000-demo-1")), account.told);
        assertEquals(TestingProduct.contents(source), master());
        look(now.plus(EVERY));
        assertEquals(0, account.last(ShardMetric.DRIFT));

        target.execute("UPDATE m.drug SET price = 98 WHERE id = 7");
        look(now.plus(EVERY.multipliedBy(2)));
        assertEquals(1, account.last(ShardMetric.DRIFT), "noticed");
        assertEquals(1, account.started.size(), "and left to the next slot");
        look(now.plus(EVERY.multipliedBy(4)));
        assertEquals("drift-one-203001011100-demo-1", account.started.getLast());
        assertEquals(TestingProduct.contents(source), master());
    }

    /** Looks between those that read every row. */
    @Test
    void whatNobodyHasWrittenToIsReadOnceADay() {
        account.rows = Duration.ofDays(1);
        sync.run(source, target, "one");
        var now = Instant.parse("2030-01-01T00:00:00Z");
        long looksThatRead = 0;
        for (int i = 0; i < 96; i++) {
            String before = rowsRead();
            look(now.plus(EVERY.multipliedBy(i)));
            if (!before.equals(rowsRead())) looksThatRead++;
        }
        assertEquals(1, looksThatRead);
        target.execute("UPDATE m.drug SET price = 99 WHERE id = 7");
        // as if the server had not counted it
        target.execute("UPDATE lockstep.applied_table SET writes = writes + 1 WHERE table_name = 'm.drug'");
        int looks = 0;
        for (; account.started.isEmpty() && looks < 200; looks++) {
            assertEquals(0, account.last(ShardMetric.DRIFT));
            look(now.plus(EVERY.multipliedBy(96 + looks)));
        }
        assertTrue(looks > 1 && looks <= 96, "found after " + looks + " looks");
        assertEquals(TestingProduct.contents(source), master());
    }

    @Test
    void whatSomebodyHasWrittenToIsReadByEachLook() {
        account.rows = Duration.ofDays(1000);
        sync.run(source, target, "one");
        target.execute("UPDATE m.drug SET price = 99 WHERE id = 7");
        look(Instant.parse("2030-01-01T10:07:00Z"));
        assertEquals(1, account.last(ShardMetric.DRIFT));
        assertEquals(1, account.started.size());
        assertEquals(TestingProduct.contents(source), master());
    }

    private String rowsRead() {
        return target.value("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables WHERE schemaname = 'm'");
    }

    @Test
    void aMissedSyncIsCaughtUpWhenItsNotificationHasHadItsTime() {
        sync.run(source, target, "one");
        source.execute("UPDATE m.drug SET price = 1 WHERE id < 10");
        sync.dump(source, "two");
        look(later(4));
        assertEquals(240, account.last(ShardMetric.BEHIND), 30);
        assertEquals(List.of(), account.started);
        assertEquals(0, account.overall.get(DataSetMetric.OUT_OF_STEP), "not behind for long enough");

        account.running.add("two");
        look(later(61));
        assertEquals(1, account.overall.get(DataSetMetric.OUT_OF_STEP));
        look(later(10));
        account.running.clear();
        account.running.add("back-other-demo-1");
        look(later(10));
        assertEquals(List.of(), account.started, "it is under way, or the shard is busy");

        account.running.clear();
        look(later(10));
        assertTrue(account.started.getFirst().matches("missed-two-\\d{12}-demo-1"), account.started::toString);
        assertEquals("missed", account.told.getFirst().what());
        assertEquals(TestingProduct.contents(source), master());
        look(later(30));
        assertEquals(0, account.last(ShardMetric.BEHIND));
        assertEquals(1, account.started.size());
    }

    /** The delay counts from the first missed sync. Otherwise, with one sync an hour, no shard would ever be an hour behind. */
    @Test
    void behindCountsFromTheFirstThatWasMissed() {
        sync.run(source, target, "one");
        for (var id : List.of("two", "three")) {
            source.execute("UPDATE m.drug SET price = price + 1 WHERE id = 1");
            sync.dump(source, id);
        }
        var newest = Latest.read(sync.store, "master").orElseThrow();
        var two = newest.earlier().getFirst();
        assertEquals(Optional.of(two.since()), newest.newerSince(sync.readManifest("one").snapshotTime(), Instant.MIN));
        assertEquals(Optional.of(newest.since()), newest.newerSince(sync.readManifest("two").snapshotTime(), Instant.MIN));
        assertEquals(Optional.empty(), newest.newerSince(sync.readManifest("three").snapshotTime(), Instant.MIN));
        look(later(10));
        assertTrue(account.started.getFirst().startsWith("missed-three-"), account.started::toString);
    }

    @Test
    void aShardThatNeverHadASyncGetsTheNewest() {
        sync.dump(source, "one");
        look(later(10));
        assertTrue(account.started.getFirst().startsWith("missed-one-"), account.started::toString);
        assertEquals(TestingProduct.contents(source), master());
        assertFalse(account.measured.get("demo-1").containsKey(ShardMetric.FRESHNESS), "nothing was in force");
    }

    @Test
    void whatWasBroughtBackOnPurposeStaysSoUntilTheNextSync() {
        sync.run(source, target, "one");
        String one = master();
        source.execute("UPDATE m.drug SET price = 1 WHERE id < 10");
        sync.run(source, target, "two");
        sync.restore(target, "one", Mode.ROLLBACK);
        look(later(10));
        assertEquals(List.of(), account.started);
        assertEquals(0, account.last(ShardMetric.BEHIND));

        target.execute("UPDATE m.drug SET price = 99 WHERE id = 7");
        look(later(10));
        assertEquals(one, master(), "repaired");
        assertTrue(ShardReport.read(target, sync.dataSet).applied().orElseThrow().rollback(), "and still brought back");
        look(later(200));
        assertEquals(1, account.started.size());

        sync.dump(source, "three");
        look(later(200));
        assertTrue(account.started.getLast().startsWith("missed-three-"), account.started::toString);
        assertEquals(TestingProduct.contents(source), master());
    }

    @Test
    void shardsThatDoNotAnswerHoldBackNoOther() {
        sync.run(source, target, "one");
        target.execute("UPDATE m.drug SET price = 99 WHERE id = 7");
        var seen = look(later(10), "down", "slow", "demo-1");
        assertEquals(1, account.started.size());
        for (var shard : List.of("down", "slow")) assertEquals(Map.of(ShardMetric.UNREACHABLE, 1.0), account.measured.get(shard));
        assertEquals(Map.of(DataSetMetric.OUT_OF_STEP, 3.0), account.overall, "and nobody knows how old the oldest snapshot is");
        assertEquals("the database is down", seen.getFirst().failure().orElseThrow());
        assertEquals(TestingProduct.contents(source), master());
    }

    @Test
    void whileTheSourceDoesNotAnswerItIsToldAndTheRestIsDone() {
        sync.run(source, target, "one");
        target.execute("UPDATE m.drug SET price = 99 WHERE id = 7");
        account.sourceFails = Optional.of(new Fault.StoreUnavailable("the source does not answer", null));
        assertThrows(Fault.StoreUnavailable.class, () -> look(later(10)));
        assertEquals(600, account.last(ShardMetric.FRESHNESS), 30);
        assertFalse(account.measured.get("demo-1").containsKey(ShardMetric.BEHIND), "nobody knows");
        assertEquals(1, account.started.size());
    }

    /** Without permission to list the source's bucket, S3 reports a missing object as access denied. */
    @Test
    void beforeTheFirstSyncThereIsNothingToTell() {
        for (var unread : List.<Optional<RuntimeException>>of(Optional.empty(), Optional.of(new Fault.AccessRefused("403", null)))) {
            account.sourceFails = unread;
            look(later(10), "demo-1", "down");
            assertEquals(Map.of(ShardMetric.UNREACHABLE, 0.0), account.measured.get("demo-1"));
            assertEquals(Map.of(), account.overall, "no alarm goes off, although a shard is not prepared yet");
        }
        account.sourceFails = Optional.of(new Fault.StoreUnavailable("the source does not answer", null));
        assertThrows(Fault.StoreUnavailable.class, () -> look(later(10)));
        account.sourceFails = Optional.empty();
        sync.run(source, target, "one");
        account.sourceFails = Optional.of(new Fault.AccessRefused("403", null));
        assertThrows(Fault.AccessRefused.class, () -> look(later(10)));
    }

    /** The manifest was dropped, or has other columns than this account's deployment. */
    @Test
    void withoutTheManifestInForceThereIsNoDriftToTell() {
        sync.run(source, target, "one");
        sync.store.put(SyncPaths.manifest("master", "one"), "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        target.execute("UPDATE m.drug SET price = 99 WHERE id = 7");
        look(later(10));
        assertEquals(List.of(), account.started);
        assertFalse(account.measured.get("demo-1").containsKey(ShardMetric.DRIFT));
    }

    @Test
    void namesFitWhateverTheSyncIsCalled() {
        String id = "x".repeat(60);
        sync.run(source, target, id);
        target.execute("UPDATE m.drug SET price = 99 WHERE id = 7");
        look(later(10));
        assertTrue(account.started.getFirst().matches("drift-[0-9a-f]{24}-\\d{12}-demo-1"), account.started::toString);
    }

    @Test
    void queriesOfTheUsersOwn() {
        sync.run(source, target, "one");
        account.checks = List.of(new Check("right", "SELECT count(*) FROM m.drug", "500"),
                new Check("wrong", "SELECT count(*) FROM m.drug WHERE name IS NULL", "0"),
                new Check("broken", "SELECT nothing", "0"), new Check("null", "SELECT NULL", "0"),
                new Check("two-rows", "SELECT 1 FROM m.drug", "1"), new Check("no-row", "SELECT 1 WHERE false", "1"),
                new Check("two-columns", "SELECT 1, 2", "1"), new Check("writes", "DELETE FROM m.postal RETURNING '1'", "1"),
                new Check("after-all", "SELECT 'x'", "x"));
        var seen = look(later(10)).getFirst();
        assertEquals(7, account.last(ShardMetric.CHECKS_FAILED));
        assertEquals(1, account.overall.get(DataSetMetric.OUT_OF_STEP));
        assertEquals("wrong: returned '71'", seen.checks().getFirst());
        assertTrue(seen.checks().get(1).contains("nothing"), seen.checks()::toString);
        assertEquals(List.of("null: returned NULL", "two-rows: the query returned more than one row",
                "no-row: the query returned no row, expected one",
                "two-columns: the query returned 2 columns, expected one"), seen.checks().subList(2, 6));
        assertTrue(seen.checks().get(6).contains("read-only"), seen.checks()::toString);
        assertEquals("300", target.value("SELECT count(*) FROM m.postal"));
    }
}
