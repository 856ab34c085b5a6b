package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.stream.IntStream;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.restore.Applied;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.ShardReport;
import org.junit.jupiter.api.Test;

/** Tests that each target records which syncs were in force. */
class AppliedHistoryTest {
    private final TestingServer.TestingDatabase source = TestingProduct.source();
    private final TestingServer.TestingDatabase target = TestingProduct.database();
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);

    AppliedHistoryTest() {
        prepare();
    }

    private void prepare() {
        new DatabaseRoles(target).prepare(new Login("h", 1, target.name(), "reader", "secret"),
                new Login("h", 1, target.name(), "writer", "secret"), List.of(TestingProduct.DATA_SET));
    }

    /** Runs a sync with the logins, which have only their grants. */
    private void run(String syncId) {
        source.execute("UPDATE m.drug SET price = coalesce(price, 0) + 1 WHERE id = 3");
        sync.run(source, target.as("writer"), syncId);
    }

    private List<String> history() {
        return ShardReport.progress(target.as("reader"), sync.dataSet).history().stream()
                .map(a -> a.syncId() + (a.rollback() ? " rollback" : "")).toList();
    }

    @Test
    void whatFailedWasNeverInForce() {
        run("a");
        target.execute("CREATE FUNCTION m.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'frozen'; END$$",
                "CREATE TRIGGER frozen BEFORE UPDATE ON m.drug FOR EACH ROW EXECUTE FUNCTION m.refuse()");
        assertThrows(Fault.MergeConflict.class, () -> run("b"));
        target.execute("DROP FUNCTION m.refuse CASCADE");
        run("c");
        assertEquals(List.of("c", "a"), history());
    }

    @Test
    void aRollbackIsRememberedAndARepairAddsNothing() {
        run("a");
        run("b");
        sync.restore(target.as("writer"), "a", Mode.ROLLBACK);
        sync.restore(target.as("writer"), "a", Mode.REPAIR);
        assertEquals(List.of("a rollback", "b", "a"), history());
        var report = ShardReport.progress(target.as("reader"), sync.dataSet);
        assertEquals(report.applied().orElseThrow().syncId(), report.history().getFirst().syncId());
    }

    @Test
    void aReportOfTheTablesCarriesNoHistory() {
        run("a");
        var report = ShardReport.read(target.as("reader"), sync.dataSet);
        assertEquals(List.of(), report.history());
        assertEquals(report, Json.MAPPER.readValue(Json.MAPPER.writeValueAsString(report), ShardReport.class));
    }

    @Test
    void aDatabaseThatAnEarlierVersionPreparedIsSyncedAndBeginsWithWhatIsInForce() {
        run("a");
        target.execute("DROP TABLE lockstep.applied_history");
        run("b");
        assertEquals(List.of(), history());
        prepare();
        assertEquals(List.of("b"), history());
        run("c");
        prepare();
        assertEquals(List.of("c", "b"), history());
    }

    @Test
    void theOldestEntriesOfTheDataSetAreDeleted() {
        run("a");
        String entries = String.join(", ",
                IntStream.range(0, Applied.HISTORY).mapToObj(i -> "('master', 's" + i + "', now(), '1', false, now())").toList());
        target.execute(
                "INSERT INTO lockstep.applied_history (data_set, sync_id, snapshot_time, release, rollback, applied_at) VALUES ('other', "
                        + "'theirs', now(), '1', false, now()), "
                        + entries);
        run("b");
        assertEquals(Applied.HISTORY, history().size());
        assertEquals("b", history().getFirst());
        assertEquals("s1", history().getLast());
        assertEquals("1", target.value("SELECT count(*) FROM lockstep.applied_history WHERE data_set = 'other'"));
    }
}
