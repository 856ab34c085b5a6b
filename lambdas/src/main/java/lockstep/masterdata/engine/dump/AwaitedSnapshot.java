package lockstep.masterdata.engine.dump;

import java.time.Instant;
import java.util.Optional;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.poll.Poll;

/** Waits for the snapshot that {@link SnapshotHolder} writes. */
public final class AwaitedSnapshot {
    private AwaitedSnapshot() {}

    /**
     * @throws Fault.SnapshotGone    when the holder gave up, with its reason
     * @throws Fault.SnapshotPending when it wrote nothing before the deadline
     */
    public static Snapshot await(PartStore store, SyncPaths paths, Instant deadline) {
        try {
            return Poll.until(deadline, () -> {
                var released = Json.read(store, paths.released(), Released.class);
                if (released.isPresent()) throw new Fault.SnapshotGone("there is no snapshot: " + released.get().reason(), null);
                return Json.read(store, paths.snapshot(), Snapshot.class);
            }, Optional::isPresent, snapshot -> {}).orElseThrow(() -> new Fault.SnapshotPending("no snapshot was taken yet"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Fault.SnapshotGone("interrupted while waiting for the snapshot", e);
        }
    }
}
