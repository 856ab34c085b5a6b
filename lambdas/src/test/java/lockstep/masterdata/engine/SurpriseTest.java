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
import lockstep.masterdata.engine.Preflight.Mode;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a review found: schemas and sequences of events under which rows were lost, or taken for verified, or a sync was stuck. */
class SurpriseTest {
    private static final String LETTERS = "INSERT INTO m.t SELECT CASE WHEN i % 2 = 0 THEN upper(k) ELSE k END, i FROM (SELECT i, translate(md5(i::text), '0123456789', 'ghijklmnop') AS k FROM generate_series(1, 600) i) AS k";
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

    /** One table of 400 rows, in step. */
    private void simple() {
        schema("CREATE TABLE m.t (id int PRIMARY KEY, v text)");
        dataSet(table("t", "id", "v"));
        source.execute("INSERT INTO m.t SELECT i, 'v' || i FROM generate_series(1, 400) i");
    }

    private String contents(TestingDatabase database) {
        var contents = new StringBuilder();
        for (Table table : sync.dataSet.tables())
            contents.append(database.value("SELECT md5(string_agg(row, ' ' ORDER BY row COLLATE \"C\")) FROM (SELECT ROW(" + Sql.columns("t.", table.columns()) + ")::text AS row FROM " + Sql.table(table.name()) + " t) AS rows"));
        return contents.toString();
    }

    private void assertInStep() {
        assertEquals(contents(source), contents(target));
    }

    /** PostgreSQL writes no row for any of these, nor a new file. */
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
}
