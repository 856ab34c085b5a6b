package lockstep.masterdata.engine;

import java.time.Instant;
import java.util.Optional;

/** Which manifest of a data set is the newest. A hint: what it names is read and judged as any other manifest. */
public record Latest(String syncId, Instant snapshotTime) {
    /** Nothing if it can't be made out: being a hint, it must not keep anybody from the dump that writes it anew. */
    public static Optional<Latest> read(PartStore store, String dataSet) {
        try {
            return Json.read(store, SyncPaths.latest(dataSet), Latest.class);
        } catch (Fault.InvalidRequest e) {
            return Optional.empty();
        }
    }

    /** Does nothing when a newer one is known: dumps may end in another order than they began. */
    void write(PartStore store, String dataSet) {
        if (read(store, dataSet).filter(l -> l.snapshotTime().isAfter(snapshotTime)).isEmpty()) Json.write(store, SyncPaths.latest(dataSet), this);
    }
}
