package lockstep.masterdata.engine.parts;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.masterdata.engine.Fault;

/**
 * Which manifest of a data set is the newest. A hint: what it names is read and judged as any other manifest.
 *
 * @param since   when it was sealed; an earlier version did not say, and then its snapshot stands for it
 * @param earlier those before it, newest first, but no more than {@link #REMEMBERED}
 */
public record Latest(String syncId, Instant snapshotTime, Instant since, List<Earlier> earlier) {
    static final int REMEMBERED = 100;

    public Latest {
        if (since == null) since = snapshotTime;
        earlier = earlier == null ? List.of() : List.copyOf(earlier);
    }

    /** @param since when it was sealed */
    public record Earlier(Instant snapshotTime, Instant since) {}

    /** Nothing if it can't be made out: being a hint, it must not keep anybody from the dump that writes it anew. */
    public static Optional<Latest> read(PartStore store, String dataSet) {
        try {
            return Json.read(store, SyncPaths.latest(dataSet), Latest.class);
        } catch (Fault.InvalidRequest e) {
            return Optional.empty();
        }
    }

    /** Notes that this manifest was sealed. Does nothing when a newer one is known: dumps may end in another order than they began. */
    public static void note(PartStore store, Manifest manifest, Instant now) {
        var known = read(store, manifest.dataSet());
        if (known.filter(l -> l.snapshotTime().isAfter(manifest.snapshotTime()) || l.syncId().equals(manifest.syncId())).isPresent()) return;
        Json.write(store, SyncPaths.latest(manifest.dataSet()), new Latest(manifest.syncId(), manifest.snapshotTime(), now,
                known.stream().flatMap(Latest::all).limit(REMEMBERED).toList()));
    }

    /**
     * Since when there is a manifest that is newer than a snapshot; nothing when there is none. What is no longer remembered counts as
     * sealed with the last that is.
     *
     * @param sealedAfter only of manifests that were sealed later
     */
    public Optional<Instant> newerSince(Instant snapshot, Instant sealedAfter) {
        return all().filter(e -> e.snapshotTime().isAfter(snapshot) && e.since().isAfter(sealedAfter)).map(Earlier::since).min(Comparator.naturalOrder());
    }

    private Stream<Earlier> all() {
        return Stream.concat(Stream.of(new Earlier(snapshotTime, since)), earlier.stream());
    }
}
