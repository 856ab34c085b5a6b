package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.SyncPaths;
import org.junit.jupiter.api.Test;

/** Tests that a new snapshot is later than the newest manifest's, and that a damaged pointer to the newest manifest stops nothing. */
class SnapshotOrderTest {
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final TestingServer.TestingDatabase source = TestingProduct.source();
    private final TestingServer.TestingDatabase target = TestingProduct.database();

    @Test
    void aClockThatWasAheadHoldsNothingUp() {
        source.execute(
                "CREATE OR REPLACE FUNCTION pg_catalog.transaction_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT "
                        + "pg_catalog.statement_timestamp() + interval '1 year' $$");
        var ahead = sync.dump(source, "one").snapshotTime();
        sync.restore(target, "one");
        source.execute(
                "CREATE OR REPLACE FUNCTION pg_catalog.transaction_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT "
                        + "pg_catalog.statement_timestamp() $$",
                "UPDATE m.drug SET price = 7");
        assertEquals(ahead.plusNanos(1000), sync.dump(source, "two").snapshotTime());
        sync.restore(target, "two");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }

    @Test
    void aNoteThatCanNotBeMadeOutIsWrittenAnew() {
        sync.run(source, target, "one");
        sync.store.put(SyncPaths.latest("master"), "{\"sync".getBytes(StandardCharsets.UTF_8));
        source.execute("UPDATE m.drug SET price = 7");
        sync.run(source, target, "two");
        assertEquals("two", Latest.read(sync.store, "master").orElseThrow().syncId());
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));
    }
}
