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
 * Decides which manifests are kept and which parts nobody needs any more. A manifest is kept while it is among the newest, or
 * young enough; a part or delta while a manifest that is kept names it, or for a time of grace: a dump that is under way has put
 * parts that no manifest names yet, and a restore may be on its way from or to a manifest that was dropped a moment ago.
 *
 * @param newest at least so many manifests are kept; 1 or more, as the newest is what the next dump compares with
 * @param age    younger ones are kept beyond that number, by the time of their snapshot
 * @param grace  longer than any dump or restore takes
 */
public record Retention(int newest, Duration age, Duration grace) {
    public Retention {
        if (newest < 1) throw new Fault.InvalidRequest("at least the newest manifest is kept, not " + newest);
        if (grace.compareTo(Duration.ofHours(3)) < 0) throw new Fault.InvalidRequest("a dump or restore may take longer than " + grace + ": PT3H is the least");
    }

    /** Lists and deletes what lies in a store. */
    public interface Shelf {
        /** One version of an object; {@code version} is the store's own word for it. */
        record Lying(String key, String version, Instant since) {}

        /** The versions that are current, below a prefix. */
        List<Lying> list(String prefix);

        /** Deletes this version alone: one that was put meanwhile under the same key stays. */
        void delete(Lying object);
    }

    /** The sync ids of manifests that were dropped, and how many parts and deltas were deleted. */
    public record Collected(List<String> dropped, int parts) {}

    /**
     * Drops manifests that are not kept, and deletes what no manifest needs. A dropped one can't be restored any more, but what it
     * names stays for the time of grace. A manifest that can't be read stops all: what it needs is not known.
     *
     * @param store of this data set alone
     * @throws Fault.ManifestRefused naming the manifest that can't be read
     */
    public Collected collect(PartStore store, Shelf shelf, String dataSet, Instant now) {
        // first, so that a manifest sealed while this runs finds its parts named or young
        var parts = shelf.list("parts/");
        var latest = Latest.read(store, dataSet).map(l -> SyncPaths.manifest(dataSet, l.syncId()));
        record Known(Shelf.Lying object, Manifest manifest) {}
        var manifests = shelf.list("manifests/" + dataSet + "/").stream().filter(o -> o.key().endsWith(".json") && !o.key().startsWith(dropped(dataSet)) && !o.key().startsWith(SyncPaths.rehearsals(dataSet)))
                .map(o -> new Known(o, read(store, o.key()))).sorted(Comparator.comparing((Known k) -> k.manifest().snapshotTime()).reversed()).toList();
        var needed = new HashSet<String>();
        var droppedNow = new ArrayList<String>();
        for (int i = 0; i < manifests.size(); i++) {
            Shelf.Lying object = manifests.get(i).object();
            Manifest manifest = manifests.get(i).manifest();
            objects(manifest).forEach(needed::add);
            if (i < newest || manifest.snapshotTime().isAfter(now.minus(age)) || latest.filter(object.key()::equals).isPresent()) continue;
            Json.write(store, dropped(dataSet) + manifest.syncId() + ".json", manifest);
            shelf.delete(object);
            shelf.list(SyncPaths.signature(object.key())).forEach(shelf::delete);
            droppedNow.add(manifest.syncId());
        }
        // what was sealed for a forecast is needed as long as one may take
        for (var object : Stream.concat(shelf.list(dropped(dataSet)).stream(), shelf.list(SyncPaths.rehearsals(dataSet)).stream()).toList()) {
            if (!object.since().isAfter(now.minus(grace))) shelf.delete(object);
            else if (object.key().endsWith(".json")) objects(read(store, object.key())).forEach(needed::add);
        }
        var loose = parts.stream().filter(o -> !needed.contains(o.key()) && o.since().isBefore(now.minus(grace))).toList();
        loose.forEach(shelf::delete);
        return new Collected(droppedNow, loose.size());
    }

    /** Below the manifests, but at no manifest's place. */
    private static String dropped(String dataSet) {
        return "manifests/" + dataSet + "/dropped/";
    }

    private static Stream<String> objects(Manifest manifest) {
        return manifest.tables().stream().flatMap(t -> Stream.concat(t.parts().stream().map(Part::object), t.deltas().stream().map(Delta::object)));
    }

    private static Manifest read(PartStore store, String key) {
        try {
            return Json.read(store, key, Manifest.class).orElseThrow(() -> new Fault.ManifestRefused("'" + key + "' was listed and is gone; collecting stops"));
        } catch (Fault.InvalidRequest e) {
            throw new Fault.ManifestRefused("what manifest '" + key + "' needs can't be told; collecting stops, delete it by hand: " + e.getMessage());
        }
    }
}
