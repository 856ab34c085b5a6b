package lockstep.masterdata.engine.dump;

import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;

/** The request to the holder to release the snapshot, with the reason. */
public record Released(String reason) {
    public void write(PartStore store, SyncPaths paths) {
        Json.write(store, paths.released(), this);
    }
}
