package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.dump.SourceReport;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.ShardReport.Rows;
import lockstep.masterdata.engine.restore.ShardReport.TableContent;
import lockstep.masterdata.engine.restore.ShardReport;
import lockstep.poll.Poll;
import org.junit.jupiter.api.Test;

/** Tests that a report without reading rows says the same as one that reads them, and which of its answers were read. */
class ShardReportTest {
    private static final String ALL = "m.interaction m.drug m.postal";
    private static final String NONE = "";

    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final TestingDatabase source = TestingProduct.source();
    private final TestingDatabase target = TestingProduct.database();

    private static void awaitNoSessions(TestingDatabase database) {
        assertTrue(Poll.within(Duration.ofSeconds(20), () -> database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                + "current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'").equals("0")));
    }

    /** Compares a report with one that has read everything, and returns the tables that were read. */
    private static String read(ShardReport report, ShardReport all) {
        assertEquals(all.tables().stream().map(ShardReportTest::content).toList(),
                report.tables().stream().map(ShardReportTest::content).toList());
        assertTrue(all.tables().stream().allMatch(TableContent::read));
        return report.tables().stream().filter(TableContent::read).map(TableContent::name).collect(Collectors.joining(" "));
    }

    private static String content(TableContent table) {
        return table.name() + " " + table.rows() + " " + table.digest() + " " + table.kept();
    }

    private String readAtTarget(Rows rows) {
        var report = ShardReport.read(target, sync.dataSet, rows);
        return read(report, ShardReport.read(target, sync.dataSet));
    }

    private String readAtSource(DataSet dataSet, String syncId) {
        var report = SourceReport.read(source, dataSet, sync.readManifest(syncId).tables());
        return read(report, ShardReport.read(source, dataSet));
    }

    @Test
    void aTargetReadsWhatSomebodyHasWrittenTo() {
        assertEquals(ALL, readAtTarget(Rows.DOUBTFUL), "no sync is in force");
        sync.run(source, target, "one");
        awaitNoSessions(target);
        assertEquals(NONE, readAtTarget(Rows.DOUBTFUL));
        target.execute("UPDATE m.drug SET price = 99 WHERE id = 7");
        awaitNoSessions(target);
        assertEquals("m.drug", readAtTarget(Rows.DOUBTFUL));
        sync.restore(target, "one", Mode.REPAIR);
        awaitNoSessions(target);
        assertEquals(NONE, readAtTarget(Rows.DOUBTFUL));
        target.execute("TRUNCATE m.postal");
        awaitNoSessions(target);
        assertEquals("m.postal", readAtTarget(Rows.DOUBTFUL));
    }

    /** The watch looks again; who asks for the status may not. */
    @Test
    void aTargetReadsEverythingWhileASessionMayHaveWritten() throws SQLException {
        sync.run(source, target, "one");
        try (Connection writer = target.connect()) {
            Sql.execute(writer, "UPDATE m.postal SET town = 'first' WHERE seq = 1");
            Sql.execute(writer, "UPDATE m.drug SET price = -1");
            assertEquals(ALL, readAtTarget(Rows.DOUBTFUL));
            Sql.execute(writer, "SELECT pg_stat_force_next_flush()");
            assertEquals("m.drug m.postal", readAtTarget(Rows.WRITTEN));
        }
    }

    @Test
    void keptRowsAreCountedWithoutReading() {
        sync.run(source, target, "one");
        target.execute("INSERT INTO m.prescription (drug) VALUES (499)");
        source.execute("DELETE FROM m.interaction WHERE 499 IN (a, b)", "DELETE FROM m.drug WHERE id = 499");
        sync.run(source, target, "two");
        awaitNoSessions(target);
        assertEquals(NONE, readAtTarget(Rows.DOUBTFUL));
        assertEquals(1, ShardReport.read(target, sync.dataSet, Rows.DOUBTFUL).tables().get(1).kept());
    }

    @Test
    void theSourceReadsWhatSomebodyHasWrittenTo() {
        sync.dump(source, "one");
        awaitNoSessions(source);
        assertEquals(NONE, readAtSource(sync.dataSet, "one"));
        source.execute("UPDATE m.drug SET price = 99 WHERE id = 7");
        awaitNoSessions(source);
        assertEquals("m.drug", readAtSource(sync.dataSet, "one"));
        try (Connection other = source.connect()) {
            Sql.execute(other, "SELECT pg_current_xact_id()");
            assertEquals(ALL, readAtSource(sync.dataSet, "one"), "another session may have written");
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** The columns in lockstep.yaml may be newer than the manifest. */
    @Test
    void theSourceReadsWhatTheManifestHasOtherwise() {
        sync.dump(source, "one");
        awaitNoSessions(source);
        var tables = TestingProduct.DATA_SET.tables();
        Table drug = tables.get(1);
        var fewer = new Table(drug.name(), drug.columns().subList(0, 3), drug.key(), drug.where());
        assertEquals("m.drug", readAtSource(new DataSet("master", "clinic-1", List.of(tables.get(0), fewer, tables.get(2))), "one"));
    }
}
