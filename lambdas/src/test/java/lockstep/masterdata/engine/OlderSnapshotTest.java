package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.sql.Connection;
import java.sql.SQLException;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.postgres.Sql;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests what a transaction sees that began before a sync and reads a table only after it. This is why tables are not replaced as a whole.
 */
class OlderSnapshotTest {
    private final TestingDatabase source = TestingProduct.source();
    private final TestingDatabase target = TestingProduct.database();
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);

    private String seenBy(Runnable refresh) throws SQLException {
        sync.run(source, target, "old");
        try (Connection reader = target.connect()) {
            reader.setAutoCommit(false);
            reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            Sql.execute(reader, "SELECT FROM m.postal");
            refresh.run();
            try (var statement = reader.createStatement();
                    var row = statement.executeQuery("SELECT count(*) || ' ' || count(*) FILTER (WHERE name = 'changed') FROM m.drug")) {
                row.next();
                return row.getString(1);
            }
        }
    }

    @Test
    void aMergeShowsTheOldRows() throws SQLException {
        assertEquals("500 0", seenBy(() -> {
            source.execute("UPDATE m.drug SET name = 'changed'");
            sync.run(source, target, "new");
        }));
    }

    /** This is PostgreSQL's behaviour. If it changes, decision 25 can be reconsidered. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "CREATE TABLE m.next (LIKE m.drug INCLUDING ALL); INSERT INTO m.next OVERRIDING SYSTEM VALUE SELECT * FROM m.drug; UPDATE "
                    + "m.next SET name = 'changed'; ALTER TABLE m.drug RENAME TO gone; ALTER TABLE m.next RENAME TO drug",
            "CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM m.drug; TRUNCATE m.drug CASCADE; INSERT INTO m.drug OVERRIDING "
                    + "SYSTEM VALUE SELECT * FROM kept"})
    void aSwapOrTruncateShowsAnEmptyTable(String refresh) throws SQLException {
        assertEquals("0 0", seenBy(() -> target.execute("BEGIN; " + refresh + "; COMMIT")));
        assertEquals("500", target.value("SELECT count(*) FROM m.drug"));
    }
}
