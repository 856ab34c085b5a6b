package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests that a policy that hides nothing from Lockstep's logins does not block a sync. If one hides rows, the sync is refused with the
 * statement that fixes it.
 */
@Tag("nightly")
class RowSecurityTest {
    private static final TestingShards SHARDS = new TestingShards();
    /** Matches the statements in a message; each ends with a semicolon. */
    private static final Pattern STATEMENT = Pattern.compile("\\b(?:CREATE|ALTER|DROP) (?:POLICY|ROLE|TABLE|USER) [^;]+;|\\bGRANT [^;]+;");
    private static final String[] TABLES = {"CREATE TABLE m.unit (id int PRIMARY KEY, name text)",
            "CREATE TABLE m.use (id int PRIMARY KEY, unit int REFERENCES m.unit)",
            "CREATE TABLE own.visit (unit int REFERENCES m.unit ON DELETE CASCADE, secret text)"};

    private static void product(List<String> everywhere) {
        var ddl = new ArrayList<>(List.of(TABLES));
        ddl.addAll(everywhere);
        SHARDS.product(List.of(TestingShards.table("m.unit", "id", "name"), TestingShards.table("m.use", "id", "unit")),
                ddl.toArray(String[]::new));
        TestingShards.visit(SHARDS.source, "INSERT INTO m.unit SELECT i, 'u' || i FROM generate_series(1, 300) i",
                "INSERT INTO m.use SELECT i, i FROM generate_series(1, 100) i");
    }

    /** Syncs inserts, updates and deletes, and a row that stays because a visitor refers to it. */
    private static void follow() {
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES (200, 'mine')");
        TestingShards.visit(SHARDS.source, "UPDATE m.unit SET name = 'new' WHERE id IN (1, 150)",
                "DELETE FROM m.unit WHERE id IN (200, 201)", "INSERT INTO m.unit VALUES (900, 'x')",
                "UPDATE m.use SET unit = 900 WHERE id = 7",
                "DELETE FROM m.use WHERE id = 8");
        assertEquals(Map.of("m.unit", "+1 ~2 -1 =1", "m.use", "+0 ~1 -1 =0"), SHARDS.carry("m.unit (200,u200)").changes());
        assertEquals("(200,mine)", SHARDS.value("SELECT string_agg(v::text, ' ') FROM own.visit v"));
        assertEquals(Map.of("m.unit", "+1 ~2 -1 =0", "m.use", "+1 ~1 -0 =0"), SHARDS.back(0).changes());
    }

    /** The first form is the default of a popular managed service. */
    @ParameterizedTest
    @ValueSource(strings = {
            "ALTER TABLE m.unit ENABLE ROW LEVEL SECURITY; CREATE POLICY \"Enable read access for all users\" ON m.unit FOR SELECT USING "
                    + "(true)",
            "ALTER TABLE m.unit ENABLE ROW LEVEL SECURITY; ALTER TABLE m.unit FORCE ROW LEVEL SECURITY; CREATE POLICY p ON m.unit FOR "
                    + "SELECT "
                    + "USING (true)",
            "ALTER TABLE m.unit ENABLE ROW LEVEL SECURITY; ALTER TABLE m.use ENABLE ROW LEVEL SECURITY; ALTER TABLE own.visit ENABLE ROW "
                    + "LEVEL SECURITY",
            "ALTER TABLE m.use ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON m.use TO pg_monitor USING (unit > 50)",
            "ALTER TABLE own.visit ENABLE ROW LEVEL SECURITY; ALTER TABLE own.visit FORCE ROW LEVEL SECURITY; CREATE POLICY p ON own.visit "
                    + "USING (secret = current_user)",
            "ALTER TABLE m.unit ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON m.unit FOR SELECT USING (1 = 1); CREATE POLICY q ON m.unit "
                    + "AS "
                    + "RESTRICTIVE USING (true)",
            "ALTER TABLE m.unit ENABLE ROW LEVEL SECURITY; CREATE POLICY q ON m.unit AS RESTRICTIVE TO pg_monitor USING (false)",
            "ALTER TABLE own.visit ENABLE ROW LEVEL SECURITY; CREATE POLICY lockstep_writer ON own.visit FOR SELECT TO pg_monitor USING "
                    + "(false)"})
    void aPolicyThatHidesNothingDoesNotBlock(String policies) {
        product(List.of(policies.split("; ")));
        follow();
    }

    @Test
    void partitionsWithPoliciesOfTheirOwn() {
        SHARDS.product(List.of(TestingShards.table("m.unit", "id", "name")),
                "CREATE TABLE m.unit (id int PRIMARY KEY, name text) PARTITION BY RANGE (id)",
                "CREATE TABLE m.unit_low PARTITION OF m.unit FOR VALUES FROM (0) TO (100)",
                "CREATE TABLE m.unit_rest PARTITION OF m.unit DEFAULT", "ALTER TABLE m.unit ENABLE ROW LEVEL SECURITY",
                "ALTER TABLE m.unit_low ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON m.unit_low USING (false)",
                "CREATE TABLE own.visit (unit int REFERENCES m.unit ON DELETE CASCADE) PARTITION BY RANGE (unit)",
                "CREATE TABLE own.visit_all PARTITION OF own.visit DEFAULT", "ALTER TABLE own.visit_all ENABLE ROW LEVEL SECURITY");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.unit SELECT i, 'u' || i FROM generate_series(1, 300) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES (7)");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.unit WHERE id IN (7, 8)");
        assertEquals(Map.of("m.unit", "+0 ~0 -1 =1"), SHARDS.carry("m.unit (7,u7)").changes());
    }

    /** The administrator is not a superuser and owns the tables, which have FORCE ROW LEVEL SECURITY. */
    @Test
    void anAdministratorWhomPoliciesApplyTo() {
        product(List.of());
        SHARDS.each("DO $$ BEGIN CREATE ROLE secured_admin LOGIN CREATEROLE; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
                "GRANT shards_reader, shards_writer TO secured_admin WITH ADMIN OPTION", "GRANT USAGE ON SCHEMA ext TO secured_admin",
                "DROP SCHEMA lockstep CASCADE", "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO secured_admin', "
                        + "current_database()); END $$",
                "ALTER SCHEMA m OWNER TO secured_admin",
                "ALTER SCHEMA own OWNER TO secured_admin", "ALTER TABLE m.unit OWNER TO secured_admin",
                "ALTER TABLE m.use OWNER TO secured_admin", "ALTER TABLE own.visit OWNER TO secured_admin");
        for (String table : List.of("m.unit", "m.use", "own.visit"))
            SHARDS.each("ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY", "ALTER TABLE " + table + " FORCE ROW LEVEL SECURITY",
                    "CREATE POLICY p ON " + table + " FOR SELECT USING (true)");
        for (var database : List.of(SHARDS.source, SHARDS.follows, SHARDS.reads)) SHARDS.prepare(database.as("secured_admin"));
        follow();
    }

    /**
     * Executes the statements of each message, first the writer's, then the reader's. The sync then succeeds, and no row was lost.
     */
    private static void fixedByTheMessage(TestingDatabase refusing, String policy, String expectedName) {
        product(List.of());
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES (200, 'mine')");
        TestingShards.visit(SHARDS.source, "UPDATE m.unit SET name = 'new' WHERE id IN (1, 150)",
                "DELETE FROM m.unit WHERE id IN (200, 201)", "INSERT INTO m.unit VALUES (900, 'x')", "DELETE FROM m.use WHERE id = 8");
        var before = SHARDS.rows(SHARDS.follows);
        TestingShards.visit(refusing, policy.split("; "));
        Map<String, String> changes = null;
        int fixes = 0;
        for (boolean refused = true; refused;) {
            try {
                if (changes == null) changes = TestingShards.changes(SHARDS.sync.restore(SHARDS.writer(SHARDS.follows), SHARDS.dump()));
                SHARDS.assertHolds(SHARDS.follows, SHARDS.rows(SHARDS.source), "m.unit (200,u200)");
                refused = false;
            } catch (Fault.AccessRefused e) {
                assertTrue(++fixes < 4, e.getMessage());
                assertTrue(e.getMessage().contains(expectedName), e.getMessage());
                if (changes == null) assertEquals(before, SHARDS.rows(SHARDS.follows));
                var statements = STATEMENT.matcher(e.getMessage()).results().map(r -> r.group()).toList();
                assertTrue(!statements.isEmpty(), "no statement in: " + e.getMessage());
                TestingShards.visit(refusing, statements.toArray(String[]::new));
            }
        }
        assertTrue(fixes > 0, "it was not refused");
        assertEquals(Map.of("m.unit", "+1 ~2 -1 =1", "m.use", "+0 ~0 -1 =0"), changes);
        assertEquals("(200,mine)", TestingShards.value(SHARDS.follows, "SELECT string_agg(v::text, ' ') FROM own.visit v"));
    }

    private static final String ENABLED = "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY; ";

    @ParameterizedTest
    @ValueSource(strings = {
            "m.unit; CREATE POLICY \"tenant's own\" ON m.unit AS RESTRICTIVE USING (id < 100)",
            "m.unit; CREATE POLICY few ON m.unit USING (id < 100)",
            "own.visit; CREATE POLICY narrower ON own.visit AS RESTRICTIVE FOR SELECT USING (false)",
            "own.visit; CREATE POLICY mine ON own.visit USING (secret = current_user)",
            "m.use; CREATE POLICY \"Own; rows\" ON m.use AS RESTRICTIVE FOR DELETE USING (false)",
            "m.unit; CREATE POLICY no_update ON m.unit AS RESTRICTIVE FOR UPDATE USING (id <> 150)",
            "m.unit; CREATE POLICY no_insert ON m.unit AS RESTRICTIVE FOR INSERT WITH CHECK (id < 900)"})
    void aTargetsPolicyThatHidesRows(String given) {
        String table = given.substring(0, given.indexOf(';'));
        String policy = given.substring(given.indexOf(';') + 2);
        // prepare-database created no policies while row security was off, and a restrictive policy needs a permissive one
        String permissive = policy.contains("RESTRICTIVE") ? "; CREATE POLICY everyone ON " + table + " USING (true) WITH CHECK (true)"
                : "";
        fixedByTheMessage(SHARDS.follows, ENABLED.replace("{t}", table) + policy.replace("Own; rows", "Own rows") + permissive, table);
    }

    @ParameterizedTest
    @ValueSource(strings = {"CREATE POLICY few ON m.unit USING (id < 100)",
            "CREATE POLICY \"tenant's own\" ON m.unit AS RESTRICTIVE USING (id < 100); CREATE POLICY everyone ON m.unit USING (true)",
            "SELECT 'no policy at all'"})
    void aSourcesPolicyThatHidesRows(String policy) {
        fixedByTheMessage(SHARDS.source, ENABLED.replace("{t}", "m.unit") + policy, "m.unit");
    }
}
