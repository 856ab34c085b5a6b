package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.dump.AwaitedSnapshot;
import lockstep.masterdata.engine.dump.Batch;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.postgres.Sql;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests a source that is reloaded or migrated between snapshot and dump. PostgreSQL then shows the snapshot an empty table, or other
 * partitions, without an error.
 */
class RewrittenSourceTest {
    /** Dumps, and executes these statements between the snapshot and the first worker. */
    private static void dump(TestingSync sync, TestingDatabase source, String meanwhile) {
        sync.dump(source, "zero"); // so that the next dump is planned from this manifest, and no table is locked before the workers read it
        source.execute("SELECT pg_stat_reset()"); // so that every table is read
        var paths = new SyncPaths("master", "one");
        var holder = CompletableFuture.supplyAsync(() -> sync.hold(source, "one"), task -> Thread.ofPlatform().start(task));
        try {
            AwaitedSnapshot.await(sync.store, paths, Instant.now().plusSeconds(30));
            source.execute(meanwhile);
            for (Batch batch : sync.batches("one")) sync.dumper(source).dump(sync.dataSet, paths, batch);
            sync.seal("one");
        } finally {
            new Released("done").write(sync.store, paths);
            holder.join();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "TRUNCATE m.postal",
            "CREATE TEMPORARY TABLE again AS TABLE m.postal; TRUNCATE m.postal; INSERT INTO m.postal SELECT * FROM pg_temp.again",
            "ALTER TABLE m.postal ALTER town TYPE text USING town || ''",
            "ALTER TABLE m.postal RENAME TO old; CREATE TABLE m.postal (LIKE m.old INCLUDING ALL); INSERT INTO m.postal SELECT * FROM "
                    + "m.old"})
    void isRefused(String meanwhile) {
        var source = TestingProduct.source();
        var refused = assertThrows(Fault.SnapshotGone.class, () -> dump(new TestingSync(TestingProduct.DATA_SET), source, meanwhile));
        assertTrue(refused.getMessage().contains("table m.postal was truncated or rewritten"), refused.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TRUNCATE p.many_2", "ALTER TABLE p.many DETACH PARTITION p.many_1",
            "ALTER TABLE p.many ATTACH PARTITION p.more FOR VALUES FROM (20) TO (30)", "DROP TABLE p.many_2"})
    void isRefusedForPartitions(String meanwhile) {
        assertThrows(Fault.SnapshotGone.class, () -> dump(new TestingSync(partitioned()), partitionedSource(), meanwhile));
    }

    @ParameterizedTest
    @ValueSource(strings = {"DELETE FROM m.postal", "UPDATE m.postal SET town = 'x'", "ALTER TABLE m.postal ADD more text DEFAULT 'x'",
            "VACUUM m.postal", "SELECT 1"})
    void ordinaryWritesAreNotAndTheSnapshotIsWhatIsDumped(String meanwhile) {
        var source = TestingProduct.source();
        String before = TestingProduct.contents(source);
        var sync = new TestingSync(TestingProduct.DATA_SET);
        dump(sync, source, meanwhile);
        var target = TestingProduct.database();
        sync.restore(target, "one");
        assertEquals(before, TestingProduct.contents(target));
    }

    @Test
    void partitionsThatStayAreDumped() {
        var sync = new TestingSync(partitioned());
        dump(sync, partitionedSource(), "UPDATE p.many SET note = 'x'");
        assertEquals(20, sync.readManifest("one").tables().getFirst().rows());
    }

    private static DataSet partitioned() {
        return new DataSet("master", "clinic-1", List.of(new Table("p.many", List.of("id", "note"), List.of("id"), Optional.empty())));
    }

    private static TestingDatabase partitionedSource() {
        var source = TestingServer.database();
        source.execute("CREATE SCHEMA p", "CREATE TABLE p.many (id int PRIMARY KEY, note text) PARTITION BY RANGE (id)",
                "CREATE TABLE p.many_1 PARTITION OF p.many FOR VALUES FROM (0) TO (10)",
                "CREATE TABLE p.many_2 PARTITION OF p.many FOR VALUES FROM (10) TO (20)",
                "CREATE TABLE p.more (id int PRIMARY KEY, note text)", "INSERT INTO p.many SELECT i, 'n' FROM generate_series(0, 19) i",
                "INSERT INTO p.more VALUES (25, 'n')", Sql.named("state"));
        return source;
    }
}
