package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.landscape.Keep;
import lockstep.landscape.Table;
import lockstep.landscape.Triggers;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.Preflight;
import lockstep.masterdata.engine.restore.Publisher;
import lockstep.masterdata.engine.restore.Stager;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the product's triggers during a sync, for each policy of the data set. */
class TriggersTest {
    private final TestingDatabase source = TestingServer.database();
    private final TestingDatabase target = TestingServer.database();
    private final TestingSync sync = new TestingSync(dataSet(Triggers.RUN));

    private static DataSet dataSet(Triggers triggers) {
        return new DataSet("master", "source", List.of(new Table("m.drug", List.of("id", "code", "price"), List.of("id"), Optional.empty()),
                new Table("m.place", List.of("id", "name"), List.of("id"), Optional.empty())), Keep.DEFAULT, triggers);
    }

    @BeforeEach
    void schemas() {
        for (var database : List.of(source, target))
            database.execute("CREATE SCHEMA m", Sql.named("state"),
                    "CREATE TABLE m.drug (id int PRIMARY KEY, code text UNIQUE NOT NULL, price int)",
                    "CREATE TABLE m.place (id int PRIMARY KEY, name text) PARTITION BY RANGE (id)",
                    "CREATE TABLE m.place_low PARTITION OF m.place FOR VALUES FROM (0) TO (50)",
                    "CREATE TABLE m.place_rest PARTITION OF m.place DEFAULT", "CREATE TABLE m.seen (what text)",
                    "CREATE TABLE m.visit (drug int REFERENCES m.drug)");
        source.execute("INSERT INTO m.drug SELECT i, 'D' || i, i FROM generate_series(1, 100) i",
                "INSERT INTO m.place SELECT i, 'p' || i FROM generate_series(1, 100) i");
        target.execute(
                "CREATE FUNCTION m.saw() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO m.seen VALUES (TG_OP); RETURN NULL; END'",
                "GRANT INSERT ON m.seen TO PUBLIC",
                "CREATE FUNCTION m.raise_price() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.price := NEW.price + 1; RETURN NEW; END'");
    }

    private void prepare(Triggers triggers) {
        new DatabaseRoles(target).prepare(new Login("h", 1, target.name(), "reader", "secret"),
                new Login("h", 1, target.name(), "writer", "secret"), List.of(dataSet(triggers)));
    }

    private List<Publisher.TableResult> restore(String syncId, Triggers triggers) {
        var writer = target.as("writer");
        var plan = new Preflight(writer).prepare(sync.readManifest(syncId), Mode.SYNC, triggers);
        for (var batch : plan.batches()) new Stager(writer, 2).stage("master", syncId, batch, keys -> sync.store);
        return TestingSync.publisher(writer).publish("master", syncId);
    }

    private String seen() {
        return target.value(
                "SELECT coalesce(string_agg(what || ' ' || n, ', ' ORDER BY what), '') FROM (SELECT what, count(*) AS n FROM m.seen GROUP "
                        + "BY 1) s");
    }

    private void assertSame() {
        for (String table : List.of("m.drug", "m.place"))
            assertEquals(source.value("SELECT string_agg(t::text, ' ' ORDER BY id) FROM " + table + " t"),
                    target.value("SELECT string_agg(t::text, ' ' ORDER BY id) FROM " + table + " t"));
    }

    @Test
    void theyRun() {
        target.execute("CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON m.drug FOR EACH ROW EXECUTE FUNCTION m.saw()",
                "CREATE CONSTRAINT TRIGGER later AFTER INSERT ON m.place_rest DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "
                        + "m.saw()");
        prepare(Triggers.RUN);
        sync.dump(source, "one");
        restore("one", Triggers.RUN);
        assertEquals("INSERT 151", seen());
        source.execute("UPDATE m.drug SET price = 0 WHERE id < 4", "DELETE FROM m.drug WHERE id = 9");
        sync.dump(source, "two");
        restore("two", Triggers.RUN);
        assertEquals("DELETE 1, INSERT 151, UPDATE 3", seen());
        assertSame();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void oneThatChangesRowsIsNamedWithThePolicyToChoose(boolean known) {
        prepare(Triggers.RUN);
        if (known) {
            sync.run(source, target.as("writer"), "zero");
            source.execute("UPDATE m.drug SET price = 1000 WHERE id = 7");
        }
        target.execute("CREATE TRIGGER dearer BEFORE INSERT OR UPDATE ON m.drug FOR EACH ROW EXECUTE FUNCTION m.raise_price()");
        String before = target.value("SELECT string_agg(t::text, ' ' ORDER BY id) FROM m.drug t");
        sync.dump(source, "one");
        var wrong = assertThrows(Fault.VerificationFailed.class, () -> sync.restore(target.as("writer"), "one"));
        assertTrue(wrong.getMessage().contains("dearer of m.drug") && wrong.getMessage().contains("triggers: disable"), wrong.getMessage());
        assertEquals(before, target.value("SELECT string_agg(t::text, ' ' ORDER BY id) FROM m.drug t"));
        prepare(Triggers.DISABLE);
        source.execute("UPDATE m.drug SET price = price + 5 WHERE id < 9");
        sync.dump(source, "two");
        restore("two", Triggers.DISABLE);
        assertSame();
    }

    @Test
    void oneThatRefusesIsHeard() {
        target.execute("CREATE FUNCTION m.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''prices are frozen''; END'",
                "CREATE TRIGGER frozen BEFORE UPDATE ON m.drug FOR EACH ROW EXECUTE FUNCTION m.no()");
        prepare(Triggers.RUN);
        sync.run(source, target.as("writer"), "one");
        source.execute("UPDATE m.drug SET price = 0 WHERE id = 3");
        sync.dump(source, "two");
        var refused = assertThrows(Fault.MergeConflict.class, () -> sync.restore(target.as("writer"), "two"));
        assertTrue(refused.getMessage().contains("prices are frozen") && refused.getMessage().contains("m.no()"), refused.getMessage());
    }

    @Test
    void aTargetThatHasAnyIsRefused() {
        prepare(Triggers.REFUSE);
        sync.dump(source, "one");
        target.execute("CREATE TRIGGER audit AFTER INSERT ON m.drug FOR EACH ROW EXECUTE FUNCTION m.saw()",
                "CREATE TRIGGER low AFTER DELETE ON m.place_low FOR EACH ROW EXECUTE FUNCTION m.saw()");
        var refused = assertThrows(Fault.SchemaMismatch.class, () -> restore("one", Triggers.REFUSE));
        assertTrue(refused.getMessage().contains("audit of m.drug") && refused.getMessage().contains("low of m.place")
                && refused.getMessage().contains("triggers: refuse"), refused.getMessage());
        assertEquals("0", target.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'"));
        target.execute("ALTER TABLE m.drug DISABLE TRIGGER audit", "DROP TRIGGER low ON m.place_low");
        restore("one", Triggers.REFUSE);
        assertSame();
    }

    @Test
    void theyDoNotRunAndAreAsTheyWere() {
        target.execute("CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON m.drug FOR EACH ROW EXECUTE FUNCTION m.saw()",
                "CREATE TRIGGER \"Always\" BEFORE UPDATE ON m.drug FOR EACH STATEMENT EXECUTE FUNCTION m.saw()",
                "ALTER TABLE m.drug ENABLE ALWAYS TRIGGER \"Always\"",
                "CREATE TRIGGER replica AFTER UPDATE ON m.drug FOR EACH ROW EXECUTE FUNCTION m.saw()",
                "ALTER TABLE m.drug ENABLE REPLICA TRIGGER replica",
                "CREATE TRIGGER off AFTER UPDATE ON m.drug FOR EACH ROW EXECUTE FUNCTION m.saw()", "ALTER TABLE m.drug DISABLE TRIGGER off",
                "CREATE TRIGGER whole AFTER INSERT OR UPDATE ON m.place FOR EACH ROW EXECUTE FUNCTION m.saw()",
                "ALTER TABLE m.place_low DISABLE TRIGGER whole",
                "CREATE CONSTRAINT TRIGGER later AFTER INSERT ON m.place_rest DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "
                        + "m.saw()");
        prepare(Triggers.DISABLE);
        String states = "SELECT string_agg(t.oid || ' ' || tgname || ' ' || tgenabled::text, ', ' ORDER BY t.oid) FROM pg_trigger t WHERE "
                + "NOT tgisinternal";
        String before = target.value(states);
        sync.dump(source, "one");
        restore("one", Triggers.DISABLE); // into empty tables
        assertEquals(before, target.value(states));
        // exchanges unique values that may not be NULL, which would be refused if a trigger fired
        source.execute("UPDATE m.drug SET code = 'x' WHERE id = 1", "UPDATE m.drug SET code = 'D1' WHERE id = 2",
                "UPDATE m.drug SET code = 'D2', price = 0 WHERE id = 1", "DELETE FROM m.place WHERE id IN (3, 80)",
                "INSERT INTO m.place VALUES (200, 'new')");
        sync.dump(source, "two");
        restore("two", Triggers.DISABLE);
        assertEquals(before, target.value(states));
        assertEquals("", seen());
        assertEquals("0", target.value("SELECT count(*) FROM lockstep.laid_aside"));
        assertSame();
        target.execute("UPDATE m.drug SET price = 1 WHERE id = 1");
        assertEquals("UPDATE 2", seen());
    }

    @Test
    void readersDoNotWaitAndWhoWritesIsWaitedFor() throws SQLException {
        target.execute("CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON m.drug FOR EACH ROW EXECUTE FUNCTION m.saw()");
        prepare(Triggers.DISABLE);
        sync.dump(source, "one");
        restore("one", Triggers.DISABLE);
        source.execute("UPDATE m.drug SET price = -1 WHERE id = 5");
        sync.dump(source, "two");
        try (Connection visitor = target.connect()) {
            visitor.setAutoCommit(false);
            Sql.execute(visitor, "SELECT FROM m.drug");
            Sql.execute(visitor, "INSERT INTO m.visit VALUES (6)");
            restore("two", Triggers.DISABLE);
            source.execute("UPDATE m.drug SET price = -2 WHERE id = 5");
            sync.dump(source, "three");
            Sql.execute(visitor, "UPDATE m.drug SET price = price WHERE id = 50");
            assertThrows(Fault.Busy.class, () -> restore("three", Triggers.DISABLE));
        }
        restore("three", Triggers.DISABLE);
        assertSame();
        assertEquals("0", target.value("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O'"));
    }

    @Test
    void onlyWhatPrepareDatabaseAllowed() {
        target.execute("CREATE TRIGGER audit AFTER INSERT ON m.drug FOR EACH ROW EXECUTE FUNCTION m.saw()");
        prepare(Triggers.RUN);
        sync.dump(source, "one");
        var refused = assertThrows(Fault.AccessRefused.class, () -> restore("one", Triggers.DISABLE));
        assertTrue(refused.getMessage().contains("not prepared for triggers: disable of data set master")
                && refused.getMessage().contains("prepare-database"), refused.getMessage());
        assertEquals("0", target.value("SELECT count(*) FROM m.drug"));
    }
}
