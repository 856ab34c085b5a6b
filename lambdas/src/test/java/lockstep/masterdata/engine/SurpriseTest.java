package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.parts.Retention;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Forecast;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Regression tests for findings of a review: schemas and sequences of events that lost rows, verified wrong rows, or blocked syncs. */
class SurpriseTest {
    private static final String LETTERS = "INSERT INTO m.t SELECT CASE WHEN i % 2 = 0 THEN upper(k) ELSE k END, i FROM (SELECT i, "
            + "translate(md5(i::text), '0123456789', 'ghijklmnop') AS k FROM generate_series(1, 600) i) AS k";
    private final TestingDatabase source = TestingServer.database();
    private final TestingDatabase target = TestingServer.database();
    private TestingSync sync;

    private void each(String... statements) {
        for (var database : List.of(source, target)) database.execute(statements);
    }

    private void schema(String... statements) {
        each("CREATE SCHEMA m", Sql.named("state"));
        each(statements);
    }

    private static Table table(String name, String key, String... others) {
        var keys = List.of(key.split(","));
        return new Table("m." + name, Stream.concat(keys.stream(), Stream.of(others)).toList(), keys, Optional.empty());
    }

    private void dataSet(Table... tables) {
        sync = new TestingSync(new DataSet("hard", "source", List.of(tables)));
    }

    /** Creates one table of 400 rows and syncs it. */
    private void simple() {
        schema("CREATE TABLE m.t (id int PRIMARY KEY, v text)");
        dataSet(table("t", "id", "v"));
        source.execute("INSERT INTO m.t SELECT i, 'v' || i FROM generate_series(1, 400) i");
    }

    private String contents(TestingDatabase database) {
        var contents = new StringBuilder();
        for (Table table : sync.dataSet.tables())
            contents.append(database.value("SELECT md5(string_agg(row, ' ' ORDER BY row COLLATE \"C\")) FROM (SELECT ROW("
                    + Sql.columns("t.", table.columns()) + ")::text AS row FROM " + Sql.table(table.name()) + " t) AS rows"));
        return contents.toString();
    }

    private void assertInStep() {
        assertEquals(contents(source), contents(target));
    }

    /** PostgreSQL writes neither rows nor a new file for any of these. */
    @ParameterizedTest
    @ValueSource(strings = {"ALTER TABLE m.t DROP COLUMN v; ALTER TABLE m.t ADD COLUMN v text DEFAULT 'x'",
            "ALTER TABLE m.t RENAME v TO x; ALTER TABLE m.t RENAME w TO v; ALTER TABLE m.t RENAME x TO w",
            "ALTER TYPE m.kind RENAME VALUE 'a' TO 'q'; ALTER TYPE m.kind ADD VALUE 'a'"})
    void valuesThatChangeWithoutAWriteAreRead(String migration) {
        schema("CREATE TYPE m.kind AS ENUM ('a', 'b')", "CREATE TABLE m.t (id int PRIMARY KEY, v text, w text, k m.kind)");
        dataSet(table("t", "id", "v", "w", "k"));
        source.execute("INSERT INTO m.t SELECT i, 'v' || i, 'w' || i, 'a' FROM generate_series(1, 400) i");
        sync.run(source, target, "one");
        target.execute(migration.split("; "));
        sync.run(source, target, "two");
        assertInStep();
    }

    @Test
    void whereSomeSessionsAreNotCountedEveryTableIsRead() {
        simple();
        String login = "uncounted_" + target.name();
        target.execute("CREATE ROLE " + login + " LOGIN SUPERUSER", "ALTER ROLE " + login + " SET track_counts = off");
        try {
            sync.run(source, target, "one");
            target.as(login).execute("UPDATE m.t SET v = 'drift' WHERE id = 300");
            sync.run(source, target, "two");
            assertInStep();
        } finally {
            target.execute("DROP ROLE " + login);
        }
    }

    @Test
    void aRollbackThatIsUnderWayOutlivesAnotherPreflight() {
        simple();
        sync.run(source, target, "one");
        String first = contents(source);
        source.execute("UPDATE m.t SET v = 'B' WHERE id = 7");
        sync.run(source, target, "two");
        sync.dump(source, "three");
        sync.stage(target, "one", Mode.ROLLBACK);
        sync.preflight(target, "three");
        TestingSync.publisher(target).publish("hard", "one");
        assertEquals(first, contents(target));
    }

    @Test
    void aRepairTrustsNothingThatABrokenOffSyncDecided() {
        simple();
        sync.run(source, target, "one");
        source.execute("UPDATE m.t SET v = 'B' WHERE id = 7");
        sync.dump(source, "two");
        sync.stage(target, "two");
        target.execute("UPDATE m.t SET v = 'drift' WHERE id = 300");
        sync.restore(target, "two", Mode.REPAIR);
        assertInStep();
    }

    @Test
    void aRollbackToWhatABrokenOffSyncBegan() {
        simple();
        sync.dump(source, "one");
        String first = contents(source);
        sync.stage(target, "one");
        source.execute("UPDATE m.t SET v = 'B' WHERE id = 7");
        sync.run(source, target, "two");
        sync.restore(target, "one", Mode.ROLLBACK);
        assertEquals(first, contents(target));
    }

    /** The target's manifest is no longer kept, and the source has returned to its earlier content. */
    @Test
    void aTargetFarBehindNeedsNoDeltaThatWasCollected() {
        simple();
        sync.run(source, target, "one");
        source.execute("UPDATE m.t SET v = 'B' WHERE id = 7");
        sync.run(source, target, "two");
        source.execute("UPDATE m.t SET v = 'C' WHERE id = 7");
        sync.dump(source, "three");
        source.execute("UPDATE m.t SET v = 'v7' WHERE id = 7");
        sync.dump(source, "four");
        for (var after : List.of(Duration.ofMinutes(1), Duration.ofDays(2)))
            new Retention(1, Duration.ZERO, Duration.ofHours(6)).collect(sync.store, RetentionTest.versions(sync.store), "hard",
                    Instant.now().plus(after));
        sync.restore(target, "four");
        assertInStep();
    }

    @Test
    void aRowOfAPartitionThatIsReferredToByItselfIsKept() {
        schema("CREATE TABLE m.t (id int, region text, name text, PRIMARY KEY (id, region)) PARTITION BY LIST (region)",
                "CREATE TABLE m.t_east PARTITION OF m.t FOR VALUES IN ('east')",
                "CREATE TABLE m.t_rest PARTITION OF m.t DEFAULT",
                "CREATE TABLE m.visit (id int, region text, FOREIGN KEY (id, region) REFERENCES m.t_east ON DELETE CASCADE)");
        dataSet(table("t", "id,region", "name"));
        source.execute(
                "INSERT INTO m.t (id, region, name) SELECT i, CASE WHEN i % 3 = 0 THEN 'east' ELSE 'west' END, 'n' || i FROM "
                        + "generate_series(1, 400) i");
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.visit VALUES (3, 'east')");
        source.execute("DELETE FROM m.t WHERE id IN (3, 6)");
        var results = sync.run(source, target, "two");
        assertEquals("1", target.value("SELECT count(*) FROM m.visit"));
        assertEquals(List.of(1L, 1L), List.of(results.getFirst().deleted(), results.getFirst().kept()));
    }

    @ParameterizedTest
    @CsvSource({"text UNIQUE, CASCADE", "text NOT NULL UNIQUE, CASCADE", "text UNIQUE, SET NULL"})
    void anExchangeOfValuesThatAKeyCarriesOnIsRefused(String type, String action) {
        schema("CREATE TABLE m.t (id int PRIMARY KEY, code " + type + ")",
                "CREATE TABLE m.visit (code text REFERENCES m.t (code) ON UPDATE " + action + ")");
        dataSet(table("t", "id", "code"));
        source.execute("INSERT INTO m.t SELECT i, 'c' || i FROM generate_series(1, 400) i");
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.visit VALUES ('c1')");
        source.execute("UPDATE m.t SET code = 'x' WHERE id = 1", "UPDATE m.t SET code = 'c1' WHERE id = 2",
                "UPDATE m.t SET code = 'c2' WHERE id = 1");
        assertTrue(assertThrows(Fault.MergeConflict.class, () -> sync.run(source, target, "two")).getMessage().contains("ON UPDATE"));
        assertEquals("c1", target.value("SELECT code FROM m.visit"));
    }

    @Test
    void aKeptRowThatTheShardMadeItsOwnStays() {
        schema("CREATE TABLE m.t (id int PRIMARY KEY, v text NOT NULL)", "CREATE TABLE m.visit (t int REFERENCES m.t)");
        sync = new TestingSync(
                new DataSet("hard", "source", List.of(new Table("m.t", List.of("id", "v"), List.of("id"), Optional.of("v <> 'local'")))));
        source.execute("INSERT INTO m.t SELECT i, 'v' || i FROM generate_series(1, 400) i");
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.visit VALUES (7)");
        source.execute("DELETE FROM m.t WHERE id = 7");
        sync.run(source, target, "two");
        target.execute("UPDATE m.t SET v = 'local' WHERE id = 7", "DELETE FROM m.visit");
        sync.run(source, target, "three");
        assertEquals("local", target.value("SELECT v FROM m.t WHERE id = 7"));
        assertEquals("0", target.value("SELECT count(*) FROM lockstep.kept_row"));
    }

    @Test
    void rowsOfATableThatInheritsAreNotTakenForThoseOfItsParent() {
        simple();
        target.execute("CREATE TABLE m.mine () INHERITS (m.t)", "INSERT INTO m.mine VALUES (-5, 'mine')");
        assertThrows(Fault.SchemaMismatch.class, () -> sync.run(source, target, "one"));
        assertEquals("1", target.value("SELECT count(*) FROM m.mine"));
        source.execute("CREATE TABLE m.mine () INHERITS (m.t)");
        assertThrows(Fault.SchemaMismatch.class, () -> sync.dump(source, "two"));
    }

    @Test
    void noRowIsDumpedTwiceWhenTextHasComeToSortOtherwise() {
        schema("CREATE TABLE m.t (k text COLLATE \"C\" PRIMARY KEY, v int)");
        dataSet(table("t", "k", "v"));
        source.execute(LETTERS);
        sync.run(source, target, "one");
        source.execute("ALTER TABLE m.t ALTER k TYPE text COLLATE \"en-x-icu\"", "UPDATE m.t SET v = v + 1");
        assertEquals(600, sync.dump(source, "two").tables().getFirst().rows());
        sync.restore(target, "two");
        assertInStep();
    }

    @Test
    void keysThatSortByOperatorsOfAnExtension() {
        schema("CREATE EXTENSION citext SCHEMA m", "CREATE TABLE m.t (k m.citext PRIMARY KEY, v int)");
        dataSet(table("t", "k", "v"));
        source.execute(LETTERS);
        sync.run(source, target, "one");
        source.execute("UPDATE m.t SET v = v + 1 WHERE v % 50 = 0");
        sync.run(source, target, "two");
        source.execute("UPDATE m.t SET v = v + 1");
        sync.run(source, target, "three");
        assertInStep();
    }

    @Test
    void aKeyThatIsWrittenOtherwiseAndStaysEqual() {
        schema("CREATE TABLE m.t (k numeric PRIMARY KEY, v int)");
        dataSet(table("t", "k", "v"));
        source.execute("INSERT INTO m.t SELECT i, i FROM generate_series(1, 600) i");
        sync.run(source, target, "one");
        source.execute("UPDATE m.t SET k = 7.00 WHERE k = 7");
        sync.run(source, target, "two");
        assertInStep();
        assertEquals(List.of(), sync.drifted);
    }

    @Test
    void aForecastSeesWhatRowsWillReferTo() {
        schema("CREATE TABLE m.drug (id int PRIMARY KEY)", "CREATE TABLE m.pair (id int PRIMARY KEY, drug int REFERENCES m.drug)");
        dataSet(table("drug", "id"), table("pair", "id", "drug"));
        source.execute("INSERT INTO m.drug SELECT generate_series(1, 50)", "INSERT INTO m.pair SELECT i, i FROM generate_series(1, 50) i");
        sync.run(source, target, "one");
        source.execute("UPDATE m.pair SET drug = 8 WHERE id = 7", "DELETE FROM m.drug WHERE id = 7");
        sync.dump(source, "two");
        sync.stage(target, "two");
        var forecast = new Forecast(target).compute("hard", "two").getFirst();
        var was = sync.restore(target, "two").getFirst();
        assertEquals(List.of(1L, 0L), List.of(was.deleted(), was.kept()));
        assertEquals(List.of(was.deleted(), was.kept()), List.of(forecast.deleted(), forecast.kept()));
    }

    @Test
    void collationsOfAForeignKeysTwoSidesMayDiffer() {
        schema("CREATE TABLE m.t (k text COLLATE \"C\" PRIMARY KEY, v int)",
                "CREATE TABLE m.visit (k text COLLATE \"en-x-icu\" REFERENCES m.t)");
        dataSet(table("t", "k", "v"));
        source.execute("INSERT INTO m.t SELECT 'k' || i, i FROM generate_series(1, 60) i");
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.visit VALUES ('k7')");
        source.execute("DELETE FROM m.t WHERE v IN (7, 8)");
        var results = sync.run(source, target, "two");
        assertEquals(List.of(1L, 1L), List.of(results.getFirst().deleted(), results.getFirst().kept()));
    }
}
