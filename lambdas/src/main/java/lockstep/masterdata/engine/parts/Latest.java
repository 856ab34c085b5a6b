package lockstep.masterdata.engine.parts;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.masterdata.engine.Fault;

/**
 * A pointer to the newest manifest of a data set. It is only a hint: the manifest is read and checked like any other.
 *
 * @param since   when the manifest was sealed; the time of its snapshot if an earlier version did not record it
 * @param earlier up to {@link #REMEMBERED} manifests before it, newest first
 */
public record Latest(String syncId, Instant snapshotTime, Instant since, List<Earlier> earlier) {
    static final int REMEMBERED = 100;

    public Latest {
        if (since == null) since = snapshotTime;
        earlier = earlier == null ? List.of() : List.copyOf(earlier);
    }

    /** An earlier manifest, with the time when it was sealed. */
    public record Earlier(Instant snapshotTime, Instant since) {}

    /** Returns empty if the pointer is invalid, so that it does not prevent the dump that would replace it. */
    public static Optional<Latest> read(PartStore store, String dataSet) {
        try {
            return Json.read(store, SyncPaths.latest(dataSet), Latest.class);
        } catch (Fault.InvalidRequest e) {
            return Optional.empty();
        }
    }

    /** Records that this manifest was sealed, unless a newer one is recorded, because dumps may end in another order than they began. */
    public static void note(PartStore store, Manifest manifest, Instant now) {
        var known = read(store, manifest.dataSet());
        if (known.filter(l -> l.snapshotTime().isAfter(manifest.snapshotTime()) || l.syncId().equals(manifest.syncId())).isPresent())
            return;
        Json.write(store, SyncPaths.latest(manifest.dataSet()), new Latest(manifest.syncId(), manifest.snapshotTime(), now,
                known.stream().flatMap(Latest::all).limit(REMEMBERED).toList()));
    }

    /**
     * Returns the time since which there has been a manifest newer than a snapshot, or empty when there is none. Manifests that are no
     * longer remembered are ignored.
     *
     * @param sealedAfter only manifests that were sealed later are considered
     */
    public Optional<Instant> newerSince(Instant snapshot, Instant sealedAfter) {
        return all().filter(e -> e.snapshotTime().isAfter(snapshot) && e.since().isAfter(sealedAfter)).map(Earlier::since)
                .min(Comparator.naturalOrder());
    }

    private Stream<Earlier> all() {
        return Stream.concat(Stream.of(new Earlier(snapshotTime, since)), earlier.stream());
    }
}
