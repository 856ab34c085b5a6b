package lockstep.masterdata.engine.review;

import java.time.Instant;
import java.util.Optional;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;

/**
 * A sync that waits for a person's approval, as recorded in the store.
 *
 * @param token the task token for answering the state machine
 */
public record Held(String token, Instant since, Assessment assessment) {
    public static Optional<Held> read(PartStore store, SyncPaths paths) {
        return Json.read(store, paths.held(), Held.class);
    }

    public void write(PartStore store, SyncPaths paths) {
        Json.write(store, paths.held(), this);
    }
}
