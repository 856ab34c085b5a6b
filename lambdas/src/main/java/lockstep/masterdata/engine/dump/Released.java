package lockstep.masterdata.engine.dump;

import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;

/** Tells the holder of the snapshot to let go, and everybody else why it did. */
public record Released(String reason) {
    public void write(PartStore store, SyncPaths paths) {
        Json.write(store, paths.released(), this);
    }
}
