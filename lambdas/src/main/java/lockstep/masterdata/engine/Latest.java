package lockstep.masterdata.engine;

import java.time.Instant;
import java.util.Optional;

/** Which manifest of a data set is the newest. A hint: what it names is read and judged as any other manifest. */
public record Latest(String syncId, Instant snapshotTime) {
    public static Optional<Latest> read(PartStore store, String dataSet) {
        return Json.read(store, SyncPaths.latest(dataSet), Latest.class);
    }

    /** Does nothing when a newer one is known: dumps may end in another order than they began. */
    void write(PartStore store, String dataSet) {
        if (read(store, dataSet).filter(l -> l.snapshotTime().isAfter(snapshotTime)).isEmpty()) Json.write(store, SyncPaths.latest(dataSet), this);
    }
}
