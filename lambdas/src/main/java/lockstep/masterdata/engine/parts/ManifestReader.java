package lockstep.masterdata.engine.parts;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import tools.jackson.core.JacksonException;

/**
 * Reads a manifest as a receiver: verifies the signature of the source's key, and accepts only what the receiver's own data
 * set allows.
 */
public final class ManifestReader {
    private static final int MAX_BYTES = 64 << 20;

    /** Verifies that the signing key has signed these bytes. */
    public interface Verifier {
        boolean verify(byte[] bytes, byte[] signature);
    }

    private final PartStore store;
    private final Verifier verifier;

    public ManifestReader(PartStore store, Verifier verifier) {
        this.store = store;
        this.verifier = verifier;
    }

    /** @throws Fault.ManifestRefused with all reasons */
    public Manifest read(String key, DataSet allowed, String syncId) {
        if (!key.equals(SyncPaths.manifest(allowed.name(), syncId)))
            throw new Fault.ManifestRefused(
                    "'" + key + "' is not the manifest of sync " + syncId + " of data set '" + allowed.name() + "'");
        return checked(key, allowed, syncId);
    }

    /** As {@link #read}, but for a forecast: also accepts manifests that are not admitted. */
    public Manifest readForForecast(String key, DataSet allowed, String syncId) {
        return key.equals(SyncPaths.rehearsal(allowed.name(), syncId)) ? checked(key, allowed, syncId) : read(key, allowed, syncId);
    }

    private Manifest checked(String key, DataSet allowed, String syncId) {
        byte[] bytes = bytes(key);
        if (!verifier.verify(bytes, bytes(SyncPaths.signature(key))))
            throw new Fault.ManifestRefused("manifest '" + key + "' was not signed by the source: it was altered or forged");
        Manifest manifest;
        try {
            manifest = Json.MAPPER.readValue(bytes, Manifest.class);
        } catch (JacksonException e) {
            throw new Fault.ManifestRefused("manifest '" + key + "' can't be read: " + e.getOriginalMessage());
        }
        var problems = problems(manifest, allowed, syncId);
        if (!problems.isEmpty())
            throw new Fault.ManifestRefused("manifest '" + key + "' is not allowed here: " + String.join("; ", problems)
                    + ". Source and target must be deployed from the same lockstep.yaml");
        return manifest;
    }

    private static List<String> problems(Manifest manifest, DataSet allowed, String syncId) {
        var problems = new ArrayList<String>();
        if (manifest.format() != Manifest.FORMAT)
            problems.add("its format is " + manifest.format() + ", but this receiver reads " + Manifest.FORMAT);
        if (!manifest.dataSet().equals(allowed.name())) problems.add("it is of data set '" + manifest.dataSet() + "'");
        if (!manifest.syncId().equals(syncId)) problems.add("it is of sync '" + manifest.syncId() + "'");
        if (!manifest.source().equals(allowed.source())) problems.add("it comes from shard '" + manifest.source() + "'");
        var known = allowed.tables().stream().collect(Collectors.toMap(Table::name, t -> t));
        for (TableManifest table : manifest.tables()) {
            Table allowedTable = known.remove(table.name());
            if (allowedTable == null) problems.add("table " + table.name() + " is not allowed, or comes twice");
            else problems.addAll(problems(table, allowedTable, SyncPaths.parts(allowed.name())));
        }
        known.keySet().stream().sorted().forEach(name -> problems.add("table " + name + " is missing"));
        return problems;
    }

    private static List<String> problems(TableManifest table, Table allowed, String parts) {
        var problems = new ArrayList<String>();
        for (String column : table.columnNames())
            if (!allowed.columns().contains(column)) problems.add("column " + table.name() + "." + column + " is not allowed");
        for (String column : allowed.columns())
            if (!table.columnNames().contains(column)) problems.add("column " + table.name() + "." + column + " is missing");
        if (table.columnNames().stream().distinct().count() != table.columns().size()) problems.add(table.name() + " holds a column twice");
        if (!table.key().equals(allowed.key()))
            problems.add("the key of " + table.name() + " is " + table.key() + ", not " + allowed.key());
        if (!table.where().equals(allowed.where())) problems.add("the row filter of " + table.name() + " differs");
        Content sum = Part.contentOf(table.parts());
        if (!sum.equals(table.content())) problems.add("the parts of " + table.name() + " do not add up to its rows and digest");
        if (!covers(table.parts())) problems.add("the parts of " + table.name() + " leave a gap");
        for (Delta delta : table.deltas())
            if (!delta.addsUp()) problems.add("the delta of " + table.name() + " from " + delta.from() + " does not add up");
        if (Stream.concat(table.parts().stream().map(Part::object), table.deltas().stream().map(Delta::object)).anyMatch(
                o -> !o.startsWith(parts) && !Packed.isInline(o)))
            problems.add("a part of " + table.name() + " is outside " + parts);
        return problems;
    }

    private static boolean covers(List<Part> parts) {
        return !parts.isEmpty() && parts.getFirst().from().isEmpty() && parts.getLast().until().isEmpty()
                && IntStream.range(1, parts.size())
                        .allMatch(i -> !parts.get(i).from().isEmpty() && parts.get(i).from().equals(parts.get(i - 1).until()));
    }

    private byte[] bytes(String key) {
        Optional<InputStream> object = store.open(key);
        if (object.isEmpty()) throw new Fault.ManifestRefused("'" + key + "' does not exist");
        try (InputStream in = object.get()) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) throw new Fault.ManifestRefused("'" + key + "' is larger than " + MAX_BYTES + " bytes");
            return bytes;
        } catch (IOException e) {
            throw new Fault.StoreUnavailable("'" + key + "' can't be read: " + e.getMessage(), e);
        }
    }
}
