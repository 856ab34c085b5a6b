package lockstep.masterdata.engine.dump;

import java.time.Duration;
import java.time.Instant;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;

/** Waits for the snapshot that {@link SnapshotHolder} writes. */
public final class AwaitedSnapshot {
    private static final Duration POLL = Duration.ofMillis(100);

    private AwaitedSnapshot() {}

    /** @throws Fault.SnapshotGone when the holder gave up, with its reason, or wrote nothing before the deadline */
    public static Snapshot await(PartStore store, SyncPaths paths, Instant deadline) {
        while (true) {
            var released = Json.read(store, paths.released(), Released.class);
            if (released.isPresent()) throw new Fault.SnapshotGone("there is no snapshot: " + released.get().reason(), null);
            var snapshot = Json.read(store, paths.snapshot(), Snapshot.class);
            if (snapshot.isPresent()) return snapshot.get();
            if (Instant.now().isAfter(deadline)) throw new Fault.SnapshotGone("no snapshot was taken in time", null);
            try {
                Thread.sleep(POLL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Fault.SnapshotGone("interrupted while waiting for the snapshot", e);
            }
        }
    }
}
