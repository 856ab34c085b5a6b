package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.dump.Planner;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rows of small deltas, which are merged without staging tables. */
class InlineRowsTest {
    private static final String CONTENT = "SELECT string_agg(t::text, E'\\n' ORDER BY \"Id\") FROM \"Order Desk\".\"lineItem\" t";
    private static final String[] PRODUCT = {"CREATE SCHEMA \"Order Desk\"", "CREATE DOMAIN \"Order Desk\".given AS text NOT NULL",
            "CREATE TABLE \"Order Desk\".\"lineItem\" (hidden text, \"Id\" int PRIMARY KEY, \"größe\" numeric(6,2), dropped int, name "
                    + "varchar(40),"
                    + " tags text[], twice int GENERATED ALWAYS AS (2 * \"Id\") STORED)",
            "ALTER TABLE \"Order Desk\".\"lineItem\" DROP COLUMN dropped"};
    private final TestingDatabase source = TestingServer.database();
    private final TestingDatabase target = TestingServer.database();
    private final TestingSync sync = new TestingSync(
            new DataSet("master", "clinic-1", List.of(
                    new Table("\"Order Desk\".\"lineItem\"", List.of("name", "Id", "tags", "größe"), List.of("Id"), Optional.empty()))),
            new Planner(8 << 20, 64 << 20), 4 << 20);

    @BeforeEach
    void product() {
        sync.store.inlineBelow = 1024;
        for (var database : List.of(source, target)) {
            database.execute(PRODUCT);
            database.execute(Sql.named("state"));
        }
        source.execute("INSERT INTO \"Order Desk\".\"lineItem\" (\"Id\", \"größe\", name, tags) SELECT n, n / 7.0, 'item ' || n, '{a}'"
                + " FROM generate_series(1, 60) n");
        sync.run(source, target, "one");
    }

    @Test
    void anyValueArrivesAsItIs() {
        target.execute("UPDATE \"Order Desk\".\"lineItem\" SET hidden = 'own'");
        sync.run(source, target, "two");
        source.execute(
                "UPDATE \"Order Desk\".\"lineItem\" SET name = E'\"\\\\ '' , ( ) { } \\n\\t\\r \\\\N', tags = ARRAY['\"', E'\\\\', '', "
                        + "NULL, '{}', ',']"
                        + " WHERE \"Id\" = 1",
                "UPDATE \"Order Desk\".\"lineItem\" SET name = '', tags = '{}', \"größe\" = NULL WHERE \"Id\" = 2",
                "UPDATE \"Order Desk\".\"lineItem\" SET name = NULL, tags = NULL, \"größe\" = 1.50 WHERE \"Id\" = 3",
                "UPDATE \"Order Desk\".\"lineItem\" SET name = '\\N' WHERE \"Id\" = 4",
                "UPDATE \"Order Desk\".\"lineItem\" SET name = '🏥 {data} ? $1 ' || chr(8) WHERE \"Id\" = 5",
                "UPDATE \"Order Desk\".\"lineItem\" SET name = 'NULL', tags = '{NULL}' WHERE \"Id\" = 6",
                "DELETE FROM \"Order Desk\".\"lineItem\" WHERE \"Id\" = 7",
                "INSERT INTO \"Order Desk\".\"lineItem\" (\"Id\", name) VALUES (100, ' ')");
        sync.run(source, target, "three");
        assertEquals(List.of(), sync.plan.batches(), "nothing needs a staging table");
        assertEquals(source.value(CONTENT.replace("t::text", "(t.\"Id\", t.name, t.tags, t.\"größe\")::text")),
                target.value(CONTENT.replace("t::text", "(t.\"Id\", t.name, t.tags, t.\"größe\")::text")));
        assertEquals("59", target.value("SELECT count(*) FROM \"Order Desk\".\"lineItem\" WHERE hidden = 'own'"));
        sync.restore(target, "one", Mode.ROLLBACK);
        assertEquals("60", target.value("SELECT count(*) FROM \"Order Desk\".\"lineItem\" WHERE name = 'item ' || \"Id\""));
    }

    @Test
    void aDomainThatRefusesNullNeedsAStagingTable() {
        target.execute("ALTER TABLE \"Order Desk\".\"lineItem\" ADD COLUMN own \"Order Desk\".given DEFAULT 'x'");
        sync.run(source, target, "two");
        source.execute("UPDATE \"Order Desk\".\"lineItem\" SET name = 'new' WHERE \"Id\" < 3");
        sync.run(source, target, "three");
        assertEquals(1, sync.plan.batches().size());
        assertEquals("2", target.value("SELECT count(*) FROM \"Order Desk\".\"lineItem\" WHERE name = 'new'"));
    }

    @Test
    void aValueThatTheTargetCannotHoldIsReported() {
        target.execute("ALTER TABLE \"Order Desk\".\"lineItem\" ADD CONSTRAINT short CHECK (length(name) < 10)");
        source.execute("UPDATE \"Order Desk\".\"lineItem\" SET name = 'far too long' WHERE \"Id\" = 1");
        assertThrows(Fault.MergeConflict.class, () -> sync.run(source, target, "two"));
        assertEquals("item 1", target.value("SELECT name FROM \"Order Desk\".\"lineItem\" WHERE \"Id\" = 1"));
    }
}
