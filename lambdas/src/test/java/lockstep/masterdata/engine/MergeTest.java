package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Preflight;
import lockstep.masterdata.engine.restore.Publisher;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests schemas that are difficult to merge, with a target that uses deltas and one that reads every table. */
class MergeTest {
    private final TestingDatabase source = TestingServer.database();
    private final TestingDatabase follows = TestingServer.database();
    private final TestingDatabase reads = TestingServer.database();
    private TestingSync sync;
    private int round;

    @BeforeEach
    void schemas() {
        each("CREATE SCHEMA m", Sql.named("state"));
    }

    private void each(String... statements) {
        for (var database : List.of(source, follows, reads)) database.execute(statements);
    }

    private static Table table(String name, String key, String... others) {
        var keys = List.of(key.split(","));
        return new Table("m." + name, Stream.concat(keys.stream(), Stream.of(others)).toList(), keys, Optional.empty());
    }

    private void dataSet(Table... tables) {
        sync = new TestingSync(new DataSet("hard", "source", List.of(tables)));
    }

    private void carry() {
        String id = "s" + round++;
        sync.dump(source, id);
        sync.restore(follows, id);
        sync.restore(reads, id, Preflight.Mode.REPAIR);
        for (Table table : sync.dataSet.tables())
            for (var target : List.of(follows, reads))
                assertEquals(contents(source, table), contents(target, table), id + " " + table.name() + " in " + target.name());
    }

    private static String contents(TestingDatabase database, Table table) {
        return database.value("SELECT string_agg(ROW(" + Sql.columns("t.", table.columns()) + ")::text, ' ' ORDER BY ROW("
                + Sql.columns("t.", table.columns()) + ")::text COLLATE \"C\") FROM " + Sql.table(table.name()) + " t");
    }

    @Test
    void tablesThatReferToEachOther() {
        each("CREATE TABLE m.ward (id int PRIMARY KEY, head int)",
                "CREATE TABLE m.doctor (id int PRIMARY KEY, ward int NOT NULL REFERENCES m.ward, room int)",
                "ALTER TABLE m.ward ADD FOREIGN KEY (head) REFERENCES m.doctor",
                "CREATE TABLE m.room (id int PRIMARY KEY, owner int REFERENCES m.doctor)",
                "ALTER TABLE m.doctor ADD FOREIGN KEY (room) REFERENCES m.room", "CREATE TABLE m.visit (doctor int REFERENCES m.doctor)");
        dataSet(table("ward", "id", "head"), table("doctor", "id", "ward", "room"), table("room", "id", "owner"));
        source.execute("INSERT INTO m.ward SELECT i FROM generate_series(1, 300) i",
                "INSERT INTO m.doctor SELECT i, i FROM generate_series(1, 300) i",
                "INSERT INTO m.room SELECT i, 301 - i FROM generate_series(1, 300) i", "UPDATE m.ward SET head = id",
                "UPDATE m.doctor SET room = id");
        carry();
        source.execute(
                "WITH w AS (INSERT INTO m.ward VALUES (900, 900)), r AS (INSERT INTO m.room VALUES (900, 900)) INSERT INTO m.doctor "
                        + "VALUES (900, 900, 900)",
                "UPDATE m.ward SET head = 900 WHERE id = 1");
        carry();
        for (var target : List.of(follows, reads)) target.execute("INSERT INTO m.visit VALUES (1)");
        source.execute("UPDATE m.ward SET head = NULL WHERE id IN (2, 1, 900)",
                "UPDATE m.room SET owner = NULL WHERE id = 299 OR id = 300 OR id = 900",
                "UPDATE m.doctor SET room = NULL WHERE id IN (1, 2, 900)",
                "DELETE FROM m.doctor WHERE id IN (2, 900)", "DELETE FROM m.ward WHERE id IN (2, 900)");
        carry();
    }

    @Test
    void rowsOfACircleGoTogetherOrStayTogether() {
        each("CREATE TABLE m.a (id int PRIMARY KEY, b int)", "CREATE TABLE m.b (id int PRIMARY KEY, a int NOT NULL REFERENCES m.a)",
                "ALTER TABLE m.a ADD FOREIGN KEY (b) REFERENCES m.b",
                "CREATE TABLE m.visit (a int REFERENCES m.a)");
        dataSet(table("a", "id", "b"), table("b", "id", "a"));
        source.execute(
                "WITH a AS (INSERT INTO m.a SELECT i, i FROM generate_series(1, 50) i) INSERT INTO m.b SELECT i, i FROM "
                        + "generate_series(1, 50) i");
        carry();
        follows.execute("INSERT INTO m.visit VALUES (7)");
        source.execute("WITH a AS (DELETE FROM m.a WHERE id IN (7, 8)) DELETE FROM m.b WHERE id IN (7, 8)");
        sync.dump(source, "gone");
        assertEquals(List.of(1L, 1L), sync.restore(follows, "gone").stream().map(Publisher.TableResult::kept).toList());
        assertEquals("7 49", follows.value("SELECT b || ' ' || (SELECT count(*) FROM m.b) FROM m.a WHERE id = 7"));
        follows.execute("DELETE FROM m.visit");
        carry();
    }

    @Test
    void uniqueValuesThatMayBeNullAreExchanged() {
        each("CREATE TABLE m.drug (id int PRIMARY KEY, code text UNIQUE, name text, local text)",
                "CREATE TABLE m.visit (drug int REFERENCES m.drug ON DELETE CASCADE)");
        dataSet(table("drug", "id", "code", "name"));
        source.execute("INSERT INTO m.drug SELECT i, 'c' || i, 'n' FROM generate_series(1, 400) i");
        carry();
        for (var target : List.of(follows, reads))
            target.execute("INSERT INTO m.visit SELECT generate_series(1, 9)", "UPDATE m.drug SET local = 'mine'");
        source.execute("UPDATE m.drug SET code = NULL WHERE id IN (1, 2)", "UPDATE m.drug SET code = 'c2' WHERE id = 1",
                "UPDATE m.drug SET code = 'c1', name = 'x' WHERE id = 2");
        carry();
        // each row takes its neighbour's value
        source.execute("UPDATE m.drug SET code = 'z' || id", "UPDATE m.drug SET code = 'c' || (id % 400 + 1)");
        carry();
        assertEquals("9 400", follows.value("SELECT count(*) || ' ' || (SELECT count(*) FROM m.drug WHERE local = 'mine') FROM m.visit"));
        assertEquals(List.of(), sync.drifted, "counted as it was written");
    }

    @Test
    void uniqueValuesThatMayNotBeNullAreExchanged() {
        each("CREATE TABLE m.drug (id int PRIMARY KEY, code text NOT NULL UNIQUE, rank int NOT NULL, mark int NOT NULL, UNIQUE (mark, "
                + "rank))",
                "CREATE TABLE m.visit (drug int REFERENCES m.drug)");
        dataSet(table("drug", "id", "code", "rank", "mark"));
        source.execute("INSERT INTO m.drug SELECT i, 'c' || i, i, 1 FROM generate_series(1, 400) i");
        carry();
        for (var target : List.of(follows, reads)) target.execute("INSERT INTO m.visit SELECT generate_series(1, 400)");
        source.execute("UPDATE m.drug SET code = 'z' || id, rank = -id", "UPDATE m.drug SET code = 'c' || (id % 400 + 1), rank = 401 - id",
                "DELETE FROM m.drug WHERE id = 400", "INSERT INTO m.drug VALUES (1000, 'c1', 1000, 1)");
        follows.execute("DELETE FROM m.visit WHERE drug = 400");
        reads.execute("DELETE FROM m.visit WHERE drug = 400");
        carry();
        source.execute("UPDATE m.drug SET rank = -rank WHERE id < 3", "UPDATE m.drug SET rank = 799 + rank WHERE id < 3");
        carry();
        assertEquals("399", follows.value("SELECT count(*) FROM m.visit"), "nothing cascades");
        assertEquals(List.of(), sync.drifted);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ALTER TABLE m.drug ADD local text", "CREATE TABLE m.visit (drug int REFERENCES m.drug ON DELETE CASCADE)",
            "CREATE FUNCTION m.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'; CREATE TRIGGER t BEFORE DELETE ON m.drug "
                    + "FOR EACH ROW EXECUTE FUNCTION m.f()"})
    void anExchangeThatWouldBeNoticedIsRefusedByName(String why) {
        each("CREATE TABLE m.drug (id int PRIMARY KEY, code text NOT NULL UNIQUE)", why);
        dataSet(table("drug", "id", "code"));
        source.execute("INSERT INTO m.drug SELECT i, 'c' || i FROM generate_series(1, 40) i");
        carry();
        source.execute("UPDATE m.drug SET code = 'x' WHERE id = 1", "UPDATE m.drug SET code = 'c1' WHERE id = 2",
                "UPDATE m.drug SET code = 'c2' WHERE id = 1");
        String before = contents(follows, sync.dataSet.tables().getFirst());
        sync.dump(source, "exchanged");
        var refused = assertThrows(Fault.MergeConflict.class, () -> sync.restore(follows, "exchanged"));
        assertTrue(refused.getMessage().contains("m.drug exchange unique values") && refused.getMessage().contains("drug_code_key"),
                refused.getMessage());
        assertEquals(before, contents(follows, sync.dataSet.tables().getFirst()));
    }

    @Test
    void constraintsThatMayBeDeferredAre() {
        each("CREATE TABLE m.drug (id int PRIMARY KEY, code text NOT NULL UNIQUE DEFERRABLE, other int REFERENCES m.drug DEFERRABLE "
                + "INITIALLY DEFERRED, local text)");
        dataSet(table("drug", "id", "code", "other"));
        source.execute("INSERT INTO m.drug SELECT i, 'c' || i, 401 - i FROM generate_series(1, 400) i");
        carry();
        source.execute(
                "BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE m.drug SET code = 'c' || (id % 400 + 1); DELETE FROM m.drug WHERE id IN (1, "
                        + "400); INSERT INTO m.drug VALUES (1, 'c2', 1); UPDATE m.drug SET other = 1 WHERE id = 7; COMMIT");
        carry();
    }

    @Test
    void aKeyOfManyKinds() {
        each("CREATE TYPE m.kind AS ENUM ('z', 'a', 'm')", "CREATE DOMAIN m.code AS text NOT NULL CHECK (VALUE <> '')",
                "CREATE TABLE m.t (kind m.kind, code m.code, at timestamptz, during tstzrange, bytes bytea, n numeric, facts jsonb, tags "
                        + "m.kind[], PRIMARY KEY (kind, code, at))",
                "CREATE TABLE m.child (id uuid PRIMARY KEY, kind m.kind, code text, at timestamptz, FOREIGN KEY (kind, code, at) "
                        + "REFERENCES m.t)");
        dataSet(table("t", "kind,code,at", "during", "bytes", "n", "facts", "tags"), table("child", "id", "kind", "code", "at"));
        source.execute(
                """
                INSERT INTO m.t SELECT (ARRAY['z', 'a', 'm'])[i % 3 + 1]::m.kind, 'c\\' || i / 7, timestamptz '2026-01-01 12:00+09' + i * \
                interval '1 microsecond',
                  tstzrange(now(), NULL), decode(md5(i::text), 'hex'), i * 1.10, jsonb_build_object('n', i, 'text', '薬'), ARRAY['z', \
                  NULL]::m.kind[] FROM generate_series(1, 300) i""",
                "INSERT INTO m.child SELECT gen_random_uuid(), kind, code, at FROM m.t");
        carry();
        source.execute("UPDATE m.t SET bytes = '\\x00', n = 1.100 WHERE code = 'c\\3'", "DELETE FROM m.child WHERE code = 'c\\4'",
                "DELETE FROM m.t WHERE code = 'c\\4'",
                "INSERT INTO m.t (kind, code, at) VALUES ('a', 'new', 'infinity')",
                "INSERT INTO m.child VALUES (gen_random_uuid(), 'a', 'new', 'infinity')");
        carry();
        assertEquals(List.of(0, 0), sync.plan.tables().stream().map(Preflight.Choice::deltas).toList(), "reads all");
        assertEquals(List.of(), sync.drifted);
    }

    @Test
    void partitionsIdentitiesAndGeneratedColumns() {
        each("CREATE TABLE m.t (id int GENERATED ALWAYS AS IDENTITY, region text, name text, upper text GENERATED ALWAYS AS (upper(name)) "
                + "STORED, PRIMARY KEY (id, region)) PARTITION BY LIST (region)",
                "CREATE TABLE m.t_east PARTITION OF m.t FOR VALUES IN ('east')", "CREATE TABLE m.t_rest PARTITION OF m.t DEFAULT",
                "CREATE TABLE m.visit (id int, region text, FOREIGN KEY (id, region) REFERENCES m.t)");
        dataSet(table("t", "id,region", "name"));
        source.execute(
                "INSERT INTO m.t (region, name) SELECT CASE WHEN i % 3 = 0 THEN 'east' ELSE 'west' END, 'n' || i FROM generate_series(1, "
                        + "400) i");
        carry();
        for (var target : List.of(follows, reads)) target.execute("INSERT INTO m.visit VALUES (3, 'east')");
        source.execute("UPDATE m.t SET name = 'changed' WHERE id IN (3, 5)", "DELETE FROM m.t WHERE id = 6",
                "INSERT INTO m.t (region, name) VALUES ('east', 'new')", "UPDATE m.t SET region = 'east' WHERE id = 100");
        carry();
        assertEquals("CHANGED", follows.value("SELECT upper FROM m.t WHERE id = 5"));
        assertEquals("402", follows.value("INSERT INTO m.t (region) VALUES ('x') RETURNING id"));
        assertEquals(List.of(), sync.drifted);
    }

    @Test
    void textThatSortsOtherwiseAtATarget() {
        source.execute("CREATE TABLE m.t (k text COLLATE \"C\" PRIMARY KEY, v int)");
        for (var target : List.of(follows, reads)) target.execute("CREATE TABLE m.t (k text COLLATE \"en-x-icu\" PRIMARY KEY, v int)");
        dataSet(table("t", "k", "v"));
        source.execute(
                "INSERT INTO m.t SELECT CASE WHEN i % 2 = 0 THEN upper(md5(i::text)) ELSE md5(i::text) END, i FROM generate_series(1, "
                        + "600) i");
        carry();
        source.execute("UPDATE m.t SET v = -v WHERE v % 100 = 0", "DELETE FROM m.t WHERE v % 90 = 7",
                "INSERT INTO m.t SELECT 'new ' || i, i FROM generate_series(1, 9) i");
        carry();
        follows.execute("UPDATE m.t SET v = 5 WHERE v = 17", "INSERT INTO m.t VALUES ('zzz', 1)");
        carry();
        source.execute("UPDATE m.t SET v = v + 1");
        sync.dump(source, "missed");
        source.execute("UPDATE m.t SET v = v + 1 WHERE v % 3 = 0", "DELETE FROM m.t WHERE k > 'f'");
        carry();
    }
}
