package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.restore.ShardReport;
import org.junit.jupiter.api.Test;

/** Tests that the two logins can do their work and nothing else. */
class DatabaseRolesTest {
    private final TestingDatabase source = prepared(TestingProduct.source());
    private final TestingDatabase target = prepared(TestingProduct.database());

    private static TestingDatabase prepared(TestingDatabase database) {
        prepare(database, TestingProduct.DATA_SET);
        prepare(database, TestingProduct.DATA_SET);
        return database;
    }

    private static void prepare(TestingDatabase database, DataSet dataSet) {
        new DatabaseRoles(database).prepare(new Login("h", 1, database.name(), "reader", "secret"),
                new Login("h", 1, database.name(), "writer", "secret"), List.of(dataSet));
    }

    @Test
    void theReaderDumpsAndTheWriterRestores() {
        var sync = new TestingSync(TestingProduct.DATA_SET);
        sync.run(source.as("reader"), target.as("writer"), "one");
        source.execute("DELETE FROM m.interaction WHERE id < 50", "UPDATE m.drug SET name = 'x' WHERE id = 2",
                "INSERT INTO m.drug (code) VALUES ('n')");
        target.execute("INSERT INTO m.prescription (drug) VALUES (1)");
        sync.run(source.as("reader"), target.as("writer"), "two");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
        assertEquals(ShardReport.read(source.as("reader"), sync.dataSet).tables(),
                ShardReport.read(target.as("reader"), sync.dataSet).tables());
    }

    @Test
    void rowsThatReferKeepTheirsWhoeverMaySeeThem() {
        var sync = new TestingSync(TestingProduct.DATA_SET);
        sync.run(source.as("reader"), target.as("writer"), "one");
        target.execute("INSERT INTO m.prescription (drug) VALUES (7)", "ALTER TABLE m.prescription ENABLE ROW LEVEL SECURITY",
                "CREATE POLICY nobody ON m.prescription USING (false)");
        source.execute("DELETE FROM m.interaction", "DELETE FROM m.drug WHERE id IN (7, 8)");
        String before = TestingProduct.contents(target).toString();
        var refused = assertThrows(Fault.AccessRefused.class, () -> sync.run(source.as("reader"), target.as("writer"), "two"));
        assertTrue(refused.getMessage().contains("CREATE POLICY writer ON m.prescription FOR SELECT TO writer USING (true);"),
                refused.getMessage());
        assertEquals(before, TestingProduct.contents(target).toString());

        prepare(target, TestingProduct.DATA_SET);
        sync.run(source.as("reader"), target.as("writer"), "three");
        assertEquals("7", target.value("SELECT string_agg(id::text, ',') FROM m.drug WHERE id IN (7, 8)"));

        target.execute("CREATE POLICY narrower ON m.prescription AS RESTRICTIVE USING (false)");
        source.execute("UPDATE m.drug SET name = 'y' WHERE id = 9");
        assertThrows(Fault.AccessRefused.class, () -> sync.run(source.as("reader"), target.as("writer"), "four"));
    }

    @Test
    void everybodySeesTheFreshnessAndNothingElse() {
        var sync = new TestingSync(TestingProduct.DATA_SET);
        sync.run(source.as("reader"), target.as("writer"), "one");
        target.execute("DO $$BEGIN CREATE ROLE product LOGIN PASSWORD 'secret'; EXCEPTION WHEN duplicate_object THEN NULL; END$$");
        var product = target.as("product");
        assertEquals(target.value("SELECT data_set || snapshot_time FROM lockstep.applied"),
                product.value("SELECT data_set || snapshot_time FROM lockstep.freshness"));
        for (String table : List.of("sync", "staged_part", "applied", "applied_history", "applied_table", "kept_row"))
            assertRefused(target, "product", "SELECT FROM lockstep." + table);
        assertRefused(target, "product", "DELETE FROM lockstep.freshness");
        assertRefused(target, "product", "CREATE TABLE lockstep.mine ()");
    }

    /** The writer has created a table that a later version could trust. */
    @Test
    void whatTheWriterMadeIsNotTakenForTheAdministrators() {
        target.as("writer").execute("CREATE TABLE lockstep.later (put_back text)");
        var refused = assertThrows(Fault.AccessRefused.class, () -> prepare(target, TestingProduct.DATA_SET));
        assertTrue(refused.getMessage().contains("later"), refused.getMessage());
        target.execute("DROP TABLE lockstep.later");
        target.as("writer").execute("CREATE UNLOGGED TABLE lockstep.staging_0_x ()");
        prepare(target, TestingProduct.DATA_SET);
    }

    @Test
    void neitherSeesWhatIsNotAllowed() {
        for (String user : List.of("reader", "writer")) {
            assertRefused(source, user, "SELECT secret FROM m.drug");
            assertRefused(source, user, "SELECT * FROM m.drug");
            assertRefused(source, user, "SELECT text FROM m.prescription");
            assertRefused(source, user, "UPDATE m.drug SET secret = ''");
            assertRefused(source, user, "INSERT INTO m.prescription (drug) VALUES (1)");
            assertRefused(source, user, "CREATE TABLE m.mine ()");
        }
        assertRefused(source, "reader", "UPDATE m.drug SET name = ''");
        assertRefused(source, "reader", "DELETE FROM m.drug");
        assertRefused(source, "reader", "CREATE TABLE lockstep.mine ()");
        assertRefused(source, "writer", "TRUNCATE m.interaction");
    }

    @Test
    void takesBackWhatIsNoLongerAllowed() {
        prepare(source,
                new DataSet("master", "clinic-1", List.of(new Table("m.drug", List.of("id", "code"), List.of("id"), Optional.empty()))));
        assertRefused(source, "reader", "SELECT name FROM m.drug");
        assertRefused(source, "reader", "SELECT id FROM m.interaction");
        assertRefused(source, "writer", "DELETE FROM m.interaction");
        assertEquals("500", source.as("reader").value("SELECT count(code) FROM m.drug"));
    }

    @Test
    void namesWhatTheDataSetHasAndTheDatabaseHasNot() {
        var wrong = assertThrows(Fault.SchemaMismatch.class, () -> prepare(source, new DataSet("master", "clinic-1", List.of(
                new Table("m.none", List.of("id"), List.of("id"), Optional.empty()),
                new Table("m.drug", List.of("id", "hue"), List.of("id"), Optional.empty())))));
        assertTrue(wrong.getMessage().contains("table m.none, column m.drug.hue"), wrong.getMessage());
    }

    private static void assertRefused(TestingDatabase database, String user, String sql) {
        var refused = assertThrows(Fault.AccessRefused.class, () -> database.as(user).execute(sql), sql);
        assertTrue(refused.getMessage().contains("permission denied"), refused.getMessage());
    }
}
