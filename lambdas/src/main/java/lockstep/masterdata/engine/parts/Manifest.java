package lockstep.masterdata.engine.parts;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.copy.Column;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.RowDigest;
import lockstep.masterdata.schema.SchemaDescription;

/**
 * The description of a sync: the columns, row count, digest and parts of every table in one snapshot of the source. Manifests are small
 * and kept, so that a target can be restored to any manifest whose parts are still in the store.
 *
 * @param format       {@link #FORMAT}
 * @param snapshotTime by the source database's clock; it orders the manifests of a source
 * @param release      the product's release at the source
 * @param schema       the source's description of the tables; empty in a manifest of an earlier version
 */
public record Manifest(int format, String dataSet, String syncId, String source, Instant snapshotTime, String release,
        List<TableManifest> tables, Optional<SchemaDescription> schema) {
    public static final int FORMAT = 2;

    public Manifest {
        tables = List.copyOf(tables);
        if (schema == null) schema = Optional.empty();
    }

    public Manifest(int format, String dataSet, String syncId, String source, Instant snapshotTime, String release,
            List<TableManifest> tables) {
        this(format, dataSet, syncId, source, snapshotTime, release, tables, Optional.empty());
    }

    /**
     * A table in the snapshot. Its digest is the sum of its parts' digests.
     *
     * @param parts  the parts in key order; they cover all keys without a gap
     * @param deltas the changes of ranges since the previous manifest; a range has none if it is unchanged or its delta would not be
     *         smaller
     * @param fingerprint shows the next dump whether the table was written to since; empty if that can't be known
     */
    public record TableManifest(String name, List<Column> columns, List<String> key, Optional<String> where, long rows,
            RowDigest digest, List<Part> parts, List<Delta> deltas, Optional<SourceFingerprint> fingerprint) {
        public TableManifest {
            // manifests of earlier versions have none
            if (fingerprint == null) fingerprint = Optional.empty();
            columns = List.copyOf(columns);
            key = List.copyOf(key);
            parts = List.copyOf(parts);
            deltas = List.copyOf(deltas);
        }

        public TableManifest(String name, List<Column> columns, List<String> key, Optional<String> where, long rows, RowDigest digest,
                List<Part> parts, List<Delta> deltas) {
            this(name, columns, key, where, rows, digest, parts, deltas, Optional.empty());
        }

        public List<String> columnNames() {
            return columns.stream().map(Column::name).toList();
        }

        /** Reports whether rows of both can be compared, because columns, key and filter are the same. */
        public boolean sameShape(TableManifest other) {
            return columns.equals(other.columns) && key.equals(other.key) && where.equals(other.where);
        }

        /** Returns the number of bytes of the rows as COPY text. */
        public long textBytes() {
            return parts.stream().mapToLong(Part::textBytes).sum();
        }

        public Content content() {
            return new Content(rows, digest);
        }
    }

    /** Returns each table's filter. Rows outside it belong to a shard. */
    public Map<String, Optional<String>> filters() {
        return tables.stream().collect(Collectors.toMap(TableManifest::name, TableManifest::where));
    }

    public Optional<TableManifest> table(String name) {
        return tables.stream().filter(t -> t.name().equals(name)).findFirst();
    }
}
