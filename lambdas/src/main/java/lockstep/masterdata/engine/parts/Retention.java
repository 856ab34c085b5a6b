package lockstep.masterdata.engine.parts;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;
import lockstep.masterdata.engine.Fault;

/**
 * Deletes manifests and parts that are no longer needed. A manifest is kept while it is one of the newest, or younger than {@code age}. A
 * part or delta is kept while a kept manifest refers to it, and for a grace period, because a running dump has written parts that no
 * manifest refers to yet, and a running restore may use a manifest that was just dropped.
 *
 * @param newest the number of newest manifests to keep; at least 1, because the next dump compares with the newest
 * @param age    manifests with a snapshot younger than this are kept, too
 * @param grace  longer than any dump or restore takes
 */
public record Retention(int newest, Duration age, Duration grace) {
    public Retention {
        if (newest < 1) throw new Fault.InvalidRequest("the number of manifests to keep must be at least 1, not " + newest);
        if (grace.compareTo(Duration.ofHours(3)) < 0)
            throw new Fault.InvalidRequest("a dump or restore may take longer than " + grace + "; the grace period must be at least PT3H");
    }

    /** Lists and deletes objects of a store. */
    public interface VersionedStore {
        /** A version of an object; {@code version} is the store's id for it. */
        record ObjectVersion(String key, String version, Instant since) {}

        /** Lists the current versions of the objects below a prefix. */
        List<ObjectVersion> list(String prefix);

        /** Deletes only this version; a newer one under the same key stays. */
        void delete(ObjectVersion object);
    }

    /** The sync ids of manifests that were dropped, and how many parts and deltas were deleted. */
    public record Collected(List<String> dropped, int parts) {}

    /**
     * Drops old manifests, and deletes parts and deltas that no manifest needs. A dropped manifest can't be restored any more, but its
     * parts stay for the grace period. Nothing is deleted any more once a manifest can't be read, because the parts that it needs are
     * unknown.
     *
     * @throws Fault.ManifestRefused naming the manifest that can't be read
     */
    public Collected collect(PartStore store, VersionedStore versions, String dataSet, Instant now) {
        // Parts are listed first, so that those of a manifest sealed meanwhile are either needed or too young to be deleted.
        var parts = versions.list(SyncPaths.parts(dataSet));
        var latest = Latest.read(store, dataSet).map(l -> SyncPaths.manifest(dataSet, l.syncId()));
        record Known(VersionedStore.ObjectVersion object, Manifest manifest) {}
        var manifests = versions.list("manifests/" + dataSet + "/").stream()
                .filter(o -> o.key().endsWith(".json") && !o.key().startsWith(dropped(dataSet))
                        && !o.key().startsWith(SyncPaths.rehearsals(dataSet)))
                .map(o -> new Known(o, read(store, o.key())))
                .sorted(Comparator.comparing((Known k) -> k.manifest().snapshotTime()).reversed()).toList();
        var needed = new HashSet<String>();
        var droppedNow = new ArrayList<String>();
        for (int i = 0; i < manifests.size(); i++) {
            VersionedStore.ObjectVersion object = manifests.get(i).object();
            Manifest manifest = manifests.get(i).manifest();
            objects(manifest).forEach(needed::add);
            if (i < newest || manifest.snapshotTime().isAfter(now.minus(age)) || latest.filter(object.key()::equals).isPresent()) continue;
            Json.write(store, dropped(dataSet) + manifest.syncId() + ".json", manifest);
            versions.delete(object);
            versions.list(SyncPaths.signature(object.key())).forEach(versions::delete);
            droppedNow.add(manifest.syncId());
        }
        // dropped and not yet admitted manifests are needed for the grace period
        for (var object : Stream.concat(versions.list(dropped(dataSet)).stream(), versions.list(SyncPaths.rehearsals(dataSet)).stream())
                .toList()) {
            if (!object.since().isAfter(now.minus(grace))) versions.delete(object);
            else if (object.key().endsWith(".json")) objects(read(store, object.key())).forEach(needed::add);
        }
        var unused = parts.stream().filter(o -> !needed.contains(o.key()) && o.since().isBefore(now.minus(grace))).toList();
        unused.forEach(versions::delete);
        return new Collected(droppedNow, unused.size());
    }

    /** Returns the prefix of dropped manifests. */
    private static String dropped(String dataSet) {
        return "manifests/" + dataSet + "/dropped/";
    }

    private static Stream<String> objects(Manifest manifest) {
        return manifest.tables().stream()
                .flatMap(t -> Stream.concat(t.parts().stream().map(Part::object), t.deltas().stream().map(Delta::object)));
    }

    private static Manifest read(PartStore store, String key) {
        try {
            return Json.read(store, key, Manifest.class)
                    .orElseThrow(() -> new Fault.ManifestRefused("'" + key + "' was listed but no longer exists; nothing more is deleted"));
        } catch (Fault.InvalidRequest e) {
            throw new Fault.ManifestRefused(
                    "manifest '" + key + "' can't be read, so nothing more is deleted; delete it by hand: " + e.getMessage());
        }
    }
}
