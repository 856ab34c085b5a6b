package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Preflight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests the second safety net: rows outside the data set that refer to master rows must be the same before and after the merge, whatever
 * changed them. Otherwise the merge is rolled back with its own fault.
 */
class VisitorRowsTest {
    private static final TestingShards SHARDS = new TestingShards();
    private static final String FUNCTION = "CREATE FUNCTION own.f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN {does} "
            + "RETURN coalesce(NEW, OLD); END'; ";

    private static void product(String... more) {
        SHARDS.product(List.of(TestingShards.table("m.t", "id", "code", "name")),
                "CREATE TABLE m.t (id int PRIMARY KEY, code text NOT NULL UNIQUE, name text)",
                "CREATE TABLE own.visit (id int PRIMARY KEY, t int REFERENCES m.t, code text REFERENCES m.t (code) ON UPDATE CASCADE, "
                        + "note text)",
                "CREATE TABLE own.diary (t int, note text)",
                "CREATE TABLE own.line (visit int REFERENCES own.visit ON DELETE CASCADE)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT i, 'c' || i, 'n' FROM generate_series(1, 300) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit SELECT i, i, 'c' || i, 'mine' FROM generate_series(1, 20) i",
                "INSERT INTO own.visit VALUES (99, NULL, NULL, 'mine')", "INSERT INTO own.diary VALUES (1, 'x')",
                "INSERT INTO own.line VALUES (1)");
        SHARDS.visit(more);
    }

    private static void changed() {
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET name = 'new' WHERE id = 250", "DELETE FROM m.t WHERE id = 251",
                "INSERT INTO m.t VALUES (900, 'c900', 'n')");
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "DELETE FROM own.visit WHERE id = 3;| AFTER DELETE ON m.t FOR EACH ROW",
            "UPDATE own.visit SET t = NULL WHERE id = 3;| AFTER UPDATE ON m.t FOR EACH ROW",
            "UPDATE own.visit SET t = 4 WHERE id = 3;| BEFORE INSERT ON m.t FOR EACH ROW",
            "UPDATE own.visit SET code = NULL;| AFTER INSERT ON m.t FOR EACH STATEMENT",
            "TRUNCATE own.visit CASCADE;| AFTER DELETE ON m.t FOR EACH STATEMENT"})
    void aTriggerOfTheProductThatTouchesThemIsFound(String given) {
        String does = given.substring(0, given.indexOf('|'));
        product((FUNCTION.replace("{does}", does) + "CREATE TRIGGER meddles" + given.substring(given.indexOf('|') + 1)
                + " EXECUTE FUNCTION own.f()"));
        changed();
        String visitors = "SELECT (SELECT string_agg(v::text, ' ' ORDER BY id) FROM own.visit v) || (SELECT string_agg(l::text, ' ') "
                + "FROM own.line l)";
        String before = SHARDS.value(visitors);
        var rows = SHARDS.rows(SHARDS.follows);
        String id = SHARDS.dump();
        for (var target : SHARDS.targets()) {
            var fault = assertThrows(Fault.class, () -> SHARDS.sync.restore(SHARDS.writer(target), id, target == SHARDS.reads
                    ? Preflight.Mode.REPAIR : Preflight.Mode.SYNC));
            assertEquals("VisitorRowsChanged", fault.getClass().getSimpleName(), fault.getMessage());
            assertTrue(fault.getMessage().contains("own.visit"), fault.getMessage());
            assertEquals(rows, SHARDS.rows(target));
        }
        assertEquals(before, SHARDS.value(visitors));
        // without the trigger the same sync succeeds
        SHARDS.visit("DROP FUNCTION own.f CASCADE");
        assertEquals(Map.of("m.t", "+1 ~1 -1 =0"), SHARDS.carry().changes());
        assertEquals(before, SHARDS.value(visitors));
    }

    /**
     * Rows that refer to no master row may change, and so may other columns of a row that does, and rows that the product
     * adds.
     */
    @ParameterizedTest
    @ValueSource(strings = {"INSERT INTO own.diary VALUES (1, TG_OP);", "UPDATE own.visit SET note = ''seen'';", "DELETE FROM own.diary;",
            "DELETE FROM own.line;",
            "INSERT INTO own.visit VALUES (100, 1, ''c1'') ON CONFLICT DO NOTHING;"})
    void aTriggerThatTouchesOtherThingsRuns(String does) {
        product(FUNCTION.replace("{does}", does) + "CREATE TRIGGER writes AFTER INSERT OR UPDATE OR DELETE ON m.t FOR EACH ROW EXECUTE "
                + "FUNCTION own.f()");
        changed();
        assertEquals(Map.of("m.t", "+1 ~1 -1 =0"), SHARDS.carry().changes());
    }

    /** Rows with ON UPDATE CASCADE may change: they refer to the same master row as before. */
    @Test
    void rowsThatFollowAnotherValueByTheirOwnKey() {
        product();
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET code = 'new' WHERE id = 3");
        assertEquals(Map.of("m.t", "+0 ~1 -0 =0"), SHARDS.carry().changes());
        assertEquals("3 new", SHARDS.value("SELECT t || ' ' || code FROM own.visit WHERE id = 3"));
        assertEquals("21", SHARDS.value("SELECT count(*) FROM own.visit"));
    }

    /** Such a foreign key would remove the value from a visitor's row. */
    @ParameterizedTest
    @ValueSource(strings = {"SET NULL", "SET DEFAULT"})
    void aKeyThatDropsAValueOnUpdateIsRefused(String action) {
        product("ALTER TABLE own.visit DROP CONSTRAINT visit_code_fkey, ADD FOREIGN KEY (code) REFERENCES m.t (code) ON UPDATE " + action);
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET code = 'new' WHERE id = 3");
        String before = SHARDS.value("SELECT string_agg(v::text, ' ' ORDER BY id) FROM own.visit v");
        String id = SHARDS.dump();
        for (var target : SHARDS.targets()) assertThrows(Fault.class, () -> SHARDS.sync.restore(SHARDS.writer(target), id));
        assertEquals(before, SHARDS.value("SELECT string_agg(v::text, ' ' ORDER BY id) FROM own.visit v"));
        // a value without references may change
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET code = 'c3' WHERE id = 3", "UPDATE m.t SET code = 'new' WHERE id = 300");
        assertEquals(Map.of("m.t", "+0 ~1 -0 =0"), SHARDS.carry().changes());
    }

    /** Rows that visitors write during the merge, which a slow trigger delays here, are not treated as changes of the merge. */
    @Test
    void visitorsWhoWriteMeanwhile() throws InterruptedException {
        product(FUNCTION.replace("{does}", "PERFORM pg_sleep(0.3);")
                + "CREATE TRIGGER slow AFTER UPDATE ON m.t FOR EACH STATEMENT EXECUTE FUNCTION own.f()");
        changed();
        String id = SHARDS.dump();
        SHARDS.sync.stage(SHARDS.writer(SHARDS.follows), id);
        var stop = new AtomicBoolean();
        var visitor = Thread.ofPlatform().start(() -> SHARDS.follows.run(connection -> {
            for (int i = 1000; !stop.get(); i++) {
                Sql.execute(connection, "INSERT INTO own.visit VALUES (" + i + ", " + (i % 200 + 1) + ", NULL)");
                Sql.execute(connection, "DELETE FROM own.visit WHERE id = " + (i - 3) + " AND id > 999");
                Sql.execute(connection, "UPDATE own.visit SET t = 7 WHERE id = " + (i - 1) + " AND id > 999");
                Thread.yield();
            }
            return null;
        }));
        try {
            assertEquals(Map.of("m.t", "+1 ~1 -1 =0"), TestingShards.changes(TestingSync.publisher(SHARDS.writer(SHARDS.follows))
                    .publish("exact", id)));
        } finally {
            stop.set(true);
            visitor.join();
        }
    }
}
