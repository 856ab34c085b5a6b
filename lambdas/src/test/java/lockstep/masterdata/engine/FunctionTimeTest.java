package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.time.Instant;
import lockstep.masterdata.engine.dump.Planner;
import lockstep.masterdata.engine.dump.SnapshotHolder;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.restore.Preflight;
import lockstep.masterdata.engine.restore.Publisher;
import org.junit.jupiter.api.Test;

/** A step that may take longer than a function has changes nothing there, and a task of the same engine does it. */
class FunctionTimeTest {
    private static final FunctionTime NONE = new FunctionTime(Duration.ZERO);

    /** Ten minutes are enough for a first sync of 20 GB, for 100 GB of which 0.5 GB changed, and to dump 90 GB. */
    @Test
    void theTimeIsEstimatedFromTheBytes() {
        var time = new FunctionTime(Duration.ofMinutes(10));
        assertDoesNotThrow(() -> time.toPublish(20_000_000_000L, true, 20_000_000_000L));
        assertDoesNotThrow(() -> time.toPublish(500_000_000L, false, 100_000_000_000L));
        assertDoesNotThrow(() -> time.toDump(90_000_000_000L));
        assertThrows(Fault.TooLong.class, () -> time.toPublish(30_000_000_000L, true, 30_000_000_000L));
        assertThrows(Fault.TooLong.class, () -> time.toPublish(10_000_000_000L, false, 10_000_000_000L));
        assertThrows(Fault.TooLong.class, () -> time.toDump(110_000_000_000L));
        assertEquals("reading 1000.0 GB takes about 83 minutes, and a function may take 10",
                assertThrows(Fault.TooLong.class, () -> time.toRead(1_000_000_000_000L)).getMessage());
    }

    @Test
    void aFunctionWithoutTheTimeChangesNothing() {
        var sync = new TestingSync(TestingProduct.DATA_SET);
        var source = TestingProduct.source();
        var target = TestingProduct.database();
        var holder = new SnapshotHolder(source, sync.store, Planner.DEFAULT, (bytes, signature) -> true, NONE);
        assertThrows(Fault.TooLong.class,
                () -> holder.hold(TestingProduct.DATA_SET, new SyncPaths("master", "one"), Instant.now().plusSeconds(60)));
        // its snapshot is the first of this sync
        var manifest = sync.dump(source, "one");
        assertThrows(Fault.TooLong.class, () -> new Publisher(target, Duration.ofSeconds(1), NONE).publish("master", staged(sync, target)));
        assertEquals("0", target.value("SELECT count(*) FROM m.drug"));
        sync.restore(target, "one");
        assertEquals(TestingProduct.contents(source), TestingProduct.contents(target));

        // nothing has to be read as long as the recorded state can be trusted
        source.execute("UPDATE m.drug SET name = 'new' WHERE id = 4");
        var next = sync.dump(source, "two");
        new Preflight(target, NONE).prepare(next);
        assertThrows(Fault.TooLong.class, () -> new Preflight(target, NONE).prepare(manifest, Preflight.Mode.REPAIR));
    }

    private static String staged(TestingSync sync, Database target) {
        sync.stage(target, "one", Preflight.Mode.SYNC);
        return "one";
    }
}
