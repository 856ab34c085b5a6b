package lockstep.masterdata.engine.dump;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.dump.Dumped.RangeParts;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.review.Admission;

/** Builds the manifest from the workers' results and signs it. It fails unless every planned range was dumped. */
public final class Sealer {
    /** Signs bytes. */
    public interface Signer {
        byte[] sign(byte[] bytes);
    }

    private final PartStore store;
    private final Signer signer;

    public Sealer(PartStore store, Signer signer) {
        this.store = store;
        this.signer = signer;
    }

    /**
     * Writes the manifest to a place that only forecasts read. Until it is admitted ({@link Admission}), it is not the newest and later
     * dumps ignore it.
     */
    public Manifest seal(DataSet dataSet, SyncPaths paths, String release) {
        String key = SyncPaths.rehearsal(paths.dataSet(), paths.syncId());
        Snapshot snapshot = required(paths.snapshot(), Snapshot.class);
        Batch[] planned = required(paths.batches(), Batch[].class);
        if (planned.length != snapshot.batches())
            throw new Fault.BatchFailed("the plan has " + planned.length + " batches, but its snapshot has " + snapshot.batches());
        var dumped = new ArrayList<RangeParts>();
        for (Batch batch : planned) {
            Dumped done = required(paths.dumped(batch.index()), Dumped.class);
            if (!done.ranges().stream().map(RangeParts::range).toList().equals(batch.ranges()))
                throw new Fault.BatchFailed("batch " + batch.index() + " was not dumped as planned");
            dumped.addAll(done.ranges());
        }
        Json.read(store, paths.unread(), Dumped.class).ifPresent(unread -> dumped.addAll(unread.ranges()));
        var tables = dataSet.tables().stream().map(t -> table(t, snapshot, dumped)).toList();
        var manifest = new Manifest(Manifest.FORMAT, dataSet.name(), paths.syncId(), dataSet.source(), snapshot.time(), release, tables,
                snapshot.schema());
        byte[] bytes = Json.MAPPER.writeValueAsBytes(manifest);
        store.put(SyncPaths.signature(key), signer.sign(bytes));
        store.put(key, bytes);
        return manifest;
    }

    private static TableManifest table(Table table, Snapshot snapshot, List<RangeParts> dumped) {
        var ranges = dumped.stream().filter(d -> d.range().table().equals(table.name())).toList();
        List<String> reached = List.of();
        for (int i = 0; i < ranges.size(); i++) {
            RangeParts range = ranges.get(i);
            if (!range.range().from().equals(reached) || i > 0 && reached.isEmpty()) throw gap(table, reached);
            checkCovered(table, range);
            reached = range.range().until();
        }
        if (ranges.isEmpty() || !reached.isEmpty()) throw gap(table, reached);
        var found = snapshot.tables().stream().filter(t -> t.name().equals(table.name())).findFirst().orElseThrow();
        var parts = ranges.stream().flatMap(r -> r.parts().stream()).toList();
        Content content = Part.contentOf(parts);
        return new TableManifest(table.name(), found.columns(), table.key(), table.where(), content.rows(), content.digest(), parts,
                ranges.stream().flatMap(r -> r.delta().stream()).toList(), found.fingerprint());
    }

    private static void checkCovered(Table table, RangeParts range) {
        var parts = range.parts();
        boolean whole = !parts.isEmpty() && parts.getFirst().from().equals(range.range().from())
                && parts.getLast().until().equals(range.range().until())
                && IntStream.range(1, parts.size()).allMatch(i -> parts.get(i).from().equals(parts.get(i - 1).until()));
        if (!whole) throw gap(table, range.range().from());
    }

    private static Fault gap(Table table, List<String> at) {
        return new Fault.BatchFailed("the parts of " + table.name() + " leave a gap at key " + at);
    }

    private <T> T required(String key, Class<T> type) {
        Optional<T> value = Json.read(store, key, type);
        return value.orElseThrow(() -> new Fault.BatchFailed("'" + key + "' was not written: the dump is not complete"));
    }
}
