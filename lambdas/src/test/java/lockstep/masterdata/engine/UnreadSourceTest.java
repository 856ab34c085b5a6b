package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.dump.Planner;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.KeyRange;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.SourceFingerprint;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.poll.Poll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that a table of the source is not read if nobody has written to it, and that nothing makes a written table look like one. */
class UnreadSourceTest {
    private static final String ALL = "m.drug m.interaction m.postal";
    private static final String NONE = "";
    /** Makes the next snapshot see another transaction, so that only the server's counts can show that a table was not written to. */
    private static final String TRANSACTION = "SELECT pg_current_xact_id()";

    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final TestingDatabase source = TestingProduct.source();

    /** Dumps and returns the tables that were read. */
    static String dump(TestingSync sync, TestingDatabase source, String syncId) {
        assertTrue(Poll.within(Duration.ofSeconds(20), () -> sessions(source) == 0), "earlier sessions end");
        return dumpNow(sync, source, syncId);
    }

    private static long sessions(TestingDatabase source) {
        return Long.parseLong(source.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
                + "pg_backend_pid() AND backend_type = 'client backend'"));
    }

    static String dumpNow(TestingSync sync, TestingDatabase source, String syncId) {
        sync.dump(source, syncId);
        return String.join(" ", new TreeSet<>(Arrays.stream(sync.batches(syncId)).flatMap(b -> b.ranges().stream()).map(KeyRange::table)
                .toList()));
    }

    private String dump(String syncId) {
        return dump(sync, source, syncId);
    }

    /** Restores into a new target and compares it with the source. */
    private void assertCarried(String syncId) {
        var target = TestingProduct.database();
        sync.restore(target, syncId);
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    private String rowsRead() {
        return source.value("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) || ' ' || sum(seq_scan + coalesce(idx_scan, 0)) "
                + "FROM pg_stat_user_tables WHERE schemaname = 'm'");
    }

    @Test
    void withoutAWriteNoRowIsRead() {
        assertEquals(ALL, dump("one"));
        String before = rowsRead();
        assertEquals(NONE, dump("two"));
        source.execute(TRANSACTION);
        assertEquals(NONE, dump("three"));
        assertEquals(before, rowsRead());
        assertEquals(sync.readManifest("one").tables().stream().map(TableManifest::parts).toList(),
                sync.readManifest("three").tables().stream().map(TableManifest::parts).toList());
        assertCarried("three");
    }

    @Test
    void onlyWrittenTablesAreRead() {
        dump("one");
        source.execute("UPDATE m.drug SET price = 7 WHERE id = 7");
        assertEquals("m.drug", dump("two"));
        assertEquals(1, sync.readManifest("two").table("m.drug").orElseThrow().deltas().size());
        assertCarried("two");
        source.execute("DELETE FROM m.postal WHERE seq = 1");
        assertEquals("m.postal", dump("three"));
        source.execute("INSERT INTO m.interaction (a) VALUES (1)");
        assertEquals("m.interaction", dump("four"));
        assertCarried("four");
    }

    /** The server counts rows of transactions that were rolled back, too. */
    @Test
    void aWriteThatWasRolledBackCostsARead() {
        dump("one");
        source.execute("BEGIN", "UPDATE m.drug SET price = 7", "ROLLBACK");
        source.execute("BEGIN; UPDATE m.drug SET price = 7; ROLLBACK");
        assertEquals("m.drug", dump("two"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            // as many rows are counted as before
            "m.drug|SELECT pg_stat_reset(); UPDATE m.drug SET price = -1",
            "m.drug|SELECT pg_stat_reset_single_table_counters('m.drug'::regclass); UPDATE m.drug SET price = -1",
            "m.postal|TRUNCATE m.postal", "m.postal|ALTER TABLE m.postal ALTER town TYPE text USING upper(town)",
            "m.drug|ALTER TABLE m.drug RENAME name TO swap; ALTER TABLE m.drug RENAME secret TO name",
            "m.postal|ALTER TABLE m.postal RENAME TO old; CREATE TABLE m.postal (LIKE m.old INCLUDING ALL); INSERT INTO m.postal "
                    + "SELECT code, seq, 'other' FROM m.old",
            "m.postal|VACUUM FULL m.postal"})
    void whatTheCountsDoNotShowIsRead(String table, String statements) {
        dump("one");
        for (String statement : statements.split("; ")) source.execute(statement);
        assertTrue(List.of(dump("two").split(" ")).contains(table));
        assertCarried("two");
    }

    /** The counts are the same as before. */
    @Test
    void writesWhileTheServerDidNotCountAreRead() {
        dump("one");
        configure("ALTER SYSTEM SET track_counts = off");
        source.execute("UPDATE m.drug SET price = -1");
        configure("ALTER SYSTEM RESET track_counts");
        assertEquals(ALL, dump("two"));
        assertCarried("two");
        configure("ALTER SYSTEM SET track_counts = off");
        assertEquals(ALL, dump("three"));
        assertTrue(fingerprint("three").writes().isEmpty());
        source.execute("UPDATE m.drug SET price = -2");
        assertEquals(ALL, dump("four"));
        configure("ALTER SYSTEM RESET track_counts");
    }

    private void configure(String change) {
        source.execute(change, "SELECT pg_reload_conf()");
        String value = change.contains("off") ? "off" : "on";
        assertTrue(Poll.within(Duration.ofSeconds(20), () -> source.value("SHOW track_counts").equals(value)));
    }

    @Test
    void whileSomeRolesWritesAreNotCountedEverythingIsRead() {
        source.execute("DROP ROLE IF EXISTS uncounted", "CREATE ROLE uncounted");
        dump("one");
        source.execute("ALTER ROLE uncounted SET track_counts = off");
        assertEquals(ALL, dump("two"));
        source.execute("DROP ROLE uncounted");
    }

    @Test
    void aWriteInProgressIsReadWhenItHasEnded() throws SQLException {
        try (Connection writer = source.connect()) {
            Sql.execute(writer, "BEGIN; UPDATE m.drug SET price = -1");
            assertEquals(ALL, dumpNow(sync, source, "one"));
            assertEquals(NONE, dumpNow(sync, source, "two"), "it still has not ended");
            Sql.execute(writer, "COMMIT");
            assertTrue(dumpNow(sync, source, "three").contains("m.drug"));
            assertCarried("three");
        }
    }

    /** The fingerprint must not include what the snapshot does not see. */
    @Test
    void aWriteThatCommitsRightAfterTheSnapshotIsReadByTheNextDump() throws InterruptedException {
        // calls of the server's own function are only replaced by an SQL function, which is inlined
        source.execute("CREATE FUNCTION m.slow() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_catalog.pg_sleep(1); RETURN "
                + "pg_catalog.statement_timestamp(); END $$",
                "CREATE OR REPLACE FUNCTION pg_catalog.transaction_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT "
                        + "m.slow() $$");
        var dumping = Thread.ofVirtual().start(() -> sync.dump(source, "one"));
        assertTrue(Poll.within(Duration.ofSeconds(20), () -> source.value("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                + "current_database() AND wait_event = 'PgSleep'").equals("1")), "it has its snapshot");
        source.execute("UPDATE m.drug SET price = -1");
        dumping.join();
        assertEquals("m.drug", dump("two"));
        assertCarried("two");
    }

    /** The session reports its second write only after some seconds of idling. */
    @Test
    void aWriteThatWasNotReportedYetIsRead() throws SQLException {
        dump("one");
        try (Connection writer = source.connect()) {
            Sql.execute(writer, "UPDATE m.postal SET town = 'first' WHERE seq = 1");
            Sql.execute(writer, "UPDATE m.drug SET price = -1");
            assertEquals("0", source.value("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'drug'"), "not reported");
            assertEquals(ALL, dumpNow(sync, source, "two"));
            assertCarried("two");
        }
    }

    /** The counts of a transaction within a procedure are reported when the procedure ends. */
    @Test
    void aSessionThatIsBusyMayHaveWritten() throws Exception {
        source.execute("""
                CREATE PROCEDURE m.load() LANGUAGE plpgsql AS $$ BEGIN
                  UPDATE m.drug SET price = -1;
                  COMMIT;
                  PERFORM pg_sleep(3);
                END $$""");
        dump("one");
        var loading = Thread.ofVirtual().start(() -> source.execute("CALL m.load()"));
        assertTrue(Poll.within(Duration.ofSeconds(20), () -> source.value("SELECT price FROM m.drug WHERE id = 1").equals("-1")));
        assertEquals(ALL, dumpNow(sync, source, "two"));
        assertCarried("two");
        loading.join();
    }

    /** A session that has done nothing since the earlier snapshot has nothing to report. */
    @Test
    void sessionsWithoutATransactionSinceThenHinderNothing() throws SQLException {
        try (Connection idle = source.connect(); Connection open = source.connect()) {
            Sql.execute(idle, "SELECT 1");
            Sql.execute(open, "BEGIN; SELECT count(*) FROM m.drug");
            dumpNow(sync, source, "one");
            source.execute(TRANSACTION);
            assertTrue(Poll.within(Duration.ofSeconds(20), () -> sessions(source) == 2));
            assertEquals(NONE, dumpNow(sync, source, "two"));
            Sql.execute(idle, "SELECT 1");
            source.execute(TRANSACTION);
            assertEquals(ALL, dumpNow(sync, source, "three"), "it may have written, and is not waited for");
        }
    }

    /** Reading the large table would take longer than waiting. */
    @Test
    void sessionsAreWaitedForIfThatIsFasterThanReading() throws Exception {
        source.execute("INSERT INTO m.postal SELECT 'x' || i, 0, repeat('x', 1000) FROM generate_series(1, 60000) i");
        var large = new TestingSync(TestingProduct.DATA_SET, Planner.DEFAULT, 32 << 20);
        dump(large, source, "one");
        Connection idle = source.connect();
        Sql.execute(idle, TRANSACTION);
        Thread.ofVirtual().start(() -> {
            TestingCluster.pause(500);
            try {
                idle.close();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        });
        assertEquals(NONE, dumpNow(large, source, "two"));
    }

    /** A replica does not count the writes that it replays. */
    @Test
    void aReplicaIsRead() {
        dump("one");
        source.execute("CREATE OR REPLACE FUNCTION pg_catalog.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS $$ SELECT true $$");
        assertEquals(ALL, dump("two"));
        assertTrue(sync.readManifest("two").tables().stream().allMatch(t -> t.fingerprint().isEmpty()));
    }

    /** Tables and files of the copy have the same numbers. */
    @Test
    void aCopyOfTheDatabaseIsRead() {
        dump("one");
        assertTrue(Poll.within(Duration.ofSeconds(20), () -> sessions(source) == 0));
        String name = source.name() + "_copy";
        new TestingDatabase(source.port(), "postgres", "postgres").execute("CREATE DATABASE " + name + " TEMPLATE " + source.name());
        assertEquals(ALL, dump(sync, new TestingDatabase(source.port(), name, "postgres"), "two"));
    }

    @Test
    void aManifestOfAnEarlierVersionProvesNothing() {
        dump("one");
        var manifest = sync.readManifest("one");
        String key = SyncPaths.manifest("master", "one");
        byte[] earlier = new String(Json.MAPPER.writeValueAsBytes(manifest), java.nio.charset.StandardCharsets.UTF_8)
                .replaceAll(",\"fingerprint\":\\{[^}]*}", "").getBytes(java.nio.charset.StandardCharsets.UTF_8);
        sync.store.put(key, earlier);
        sync.store.put(SyncPaths.signature(key), sync.sign(earlier));
        assertTrue(sync.readManifest("one").tables().stream().allMatch(t -> t.fingerprint().isEmpty()));
        assertEquals(ALL, dump("two"));
        assertEquals(NONE, dump("three"));
    }

    @Test
    void anAlteredManifestProvesNothing() {
        dump("one");
        String key = SyncPaths.manifest("master", "one");
        sync.store.put(key, new String(sync.store.objects.get(key)).replaceAll("\"reused\":0", "\"reused\":1").getBytes());
        assertEquals(ALL, dump("two"));
    }

    /** A dry run is not the newest manifest, so nothing is compared with it. */
    @Test
    void whatOnlyADryRunHasReadIsReadAgain() {
        dump("one");
        source.execute("UPDATE m.drug SET price = -1");
        sync.rehearse(source, "rehearsed");
        assertEquals("m.drug", dump("two"));
        assertCarried("two");
    }

    @Test
    void rowsAreReadNowAndThen() {
        dump("0");
        for (int i = 1; i <= 30; i++) assertEquals(NONE, dump(Integer.toString(i)), () -> "every dump");
        assertEquals(30, fingerprint("30").reused());
        assertEquals(ALL, dump("31"));
        assertEquals(0, fingerprint("31").reused());
        source.execute("CREATE OR REPLACE FUNCTION pg_catalog.transaction_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT "
                + "pg_catalog.statement_timestamp() + interval '91 days' $$");
        assertEquals(ALL, dump("32"));
        assertTrue(fingerprint("32").read().isAfter(Instant.now().plus(Duration.ofDays(90))));
    }

    private SourceFingerprint fingerprint(String syncId) {
        Manifest manifest = sync.readManifest(syncId);
        return manifest.table("m.drug").flatMap(TableManifest::fingerprint).orElseThrow();
    }

    @Test
    void anotherDataSetIsRead() {
        dump("one");
        var tables = TestingProduct.DATA_SET.tables();
        Table postal = tables.get(2);
        for (Table other : List.of(new Table(postal.name(), postal.columns(), postal.key(), Optional.empty()),
                new Table(postal.name(), List.of("code", "seq"), postal.key(), postal.where()),
                new Table(postal.name(), postal.columns(), List.of("seq", "code"), postal.where()))) {
            var changed = sync.with(new DataSet("master", "clinic-1", List.of(tables.get(0), tables.get(1), other)));
            assertEquals(ALL, dump(changed, source, "two-" + other.hashCode()));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"town <> 'local'|false", "seq IN (0, 1) AND NOT town LIKE 'x%'|false",
            "\"town\" IS NOT NULL|false", "seq > 0 AND now() > '2020-01-01'|true", "town <> current_user|true",
            "seq < (SELECT count(*) FROM m.drug)|true", "seq::text <> 'x'|true", "length(town) > 0|true",
            "town <> current_setting('a.b', true)|true", "town <> 'today'|true", "town <> E'x'|true", "EXISTS (SELECT FROM m.drug)|true"})
    void aFilterMayHaveAnotherAnswerWithoutAWrite(String filter, boolean read) {
        var sync = new TestingSync(new DataSet("master", "clinic-1",
                List.of(new Table("m.postal", List.of("code", "seq", "town"), List.of("code", "seq"), Optional.of(filter)))));
        dump(sync, source, "one");
        assertEquals(read ? "m.postal" : NONE, dump(sync, source, "two"));
    }

    /** The text of a regclass is the name of the table. */
    @Test
    void valuesThatARenameChangesAreRead() {
        source.execute("CREATE TYPE m.pair AS (a int, b regclass)", "CREATE DOMAIN m.pairs AS m.pair[]",
                "CREATE TABLE m.named (id int PRIMARY KEY, v m.pairs)", "INSERT INTO m.named VALUES (1, ARRAY[ROW(1, 'm.drug')::m.pair])");
        var sync = new TestingSync(new DataSet("master", "clinic-1",
                List.of(new Table("m.named", List.of("id", "v"), List.of("id"), Optional.empty()))));
        dump(sync, source, "one");
        source.execute("ALTER TABLE m.drug RENAME TO remedy");
        assertEquals("m.named", dump(sync, source, "two"));
        assertNotEquals(sync.readManifest("one").tables().getFirst().digest(), sync.readManifest("two").tables().getFirst().digest());
    }

    @Test
    void labelsThatWereRenamedAreRead() {
        source.execute("CREATE TYPE m.kind AS ENUM ('a', 'b')", "CREATE TABLE m.kinds (id int PRIMARY KEY, v m.kind)",
                "INSERT INTO m.kinds VALUES (1, 'a')");
        var sync = new TestingSync(new DataSet("master", "clinic-1",
                List.of(new Table("m.kinds", List.of("id", "v"), List.of("id"), Optional.empty()))));
        dump(sync, source, "one");
        source.execute("ALTER TYPE m.kind RENAME VALUE 'a' TO 'c'");
        assertEquals("m.kinds", dump(sync, source, "two"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"UPDATE p.many_1 SET note = 'x' WHERE id = 3", "TRUNCATE p.many_2", "ALTER TABLE p.many DETACH PARTITION p.many_1",
                    "ALTER TABLE p.many ATTACH PARTITION p.more FOR VALUES FROM (20) TO (30)"})
    void partitionsAreWatched(String write) {
        source.execute("CREATE SCHEMA p", "CREATE TABLE p.many (id int PRIMARY KEY, note text) PARTITION BY RANGE (id)",
                "CREATE TABLE p.many_1 PARTITION OF p.many FOR VALUES FROM (0) TO (10)",
                "CREATE TABLE p.many_2 PARTITION OF p.many FOR VALUES FROM (10) TO (20)",
                "CREATE TABLE p.more (id int PRIMARY KEY, note text)", "INSERT INTO p.many SELECT i, 'n' FROM generate_series(0, 19) i",
                "INSERT INTO p.more VALUES (25, 'n')");
        var sync = new TestingSync(new DataSet("master", "clinic-1",
                List.of(new Table("p.many", List.of("id", "note"), List.of("id"), Optional.empty()))));
        dump(sync, source, "one");
        source.execute(TRANSACTION);
        assertEquals(NONE, dump(sync, source, "two"));
        source.execute(write);
        assertEquals("p.many", dump(sync, source, "three"));
    }

    /** The rights that prepare-database grants are enough; without the function, only equal snapshots are believed. */
    @Test
    void theReaderMayAskWhetherEverythingIsReported() {
        var shards = new TestingShards();
        shards.product(List.of(TestingShards.table("m.t", "id", "v")), "CREATE TABLE m.t (id int PRIMARY KEY, v text)",
                "INSERT INTO m.t VALUES (1, 'x')");
        var reader = shards.source.as(TestingShards.READER);
        dump(shards.sync, reader, "one");
        shards.source.execute(TRANSACTION);
        assertEquals(NONE, dump(shards.sync, reader, "two"));
        shards.source.execute("ALTER FUNCTION lockstep.unreported_sessions OWNER TO " + TestingShards.WRITER);
        try (Connection other = shards.source.connect()) {
            Sql.execute(other, TRANSACTION);
            assertEquals("m.t", dumpNow(shards.sync, reader, "three"), "its owner does not see other sessions' times");
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        shards.source.execute("DROP FUNCTION lockstep.unreported_sessions");
        assertEquals("m.t", dump(shards.sync, reader, "four"));
        var more = new AtomicInteger();
        assertTrue(Poll.within(Duration.ofSeconds(20), () -> dump(shards.sync, reader, "more" + more.incrementAndGet()).equals(NONE)),
                "as soon as nothing else happens on the server, such as autovacuum");
    }
}
