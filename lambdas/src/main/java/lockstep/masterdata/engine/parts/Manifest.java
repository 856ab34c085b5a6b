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
 * What a sync carries: for every table its columns, row count, digest and parts, at one snapshot of the source. It is small
 * and kept, so that a target can be brought to any manifest whose parts still lie in the store.
 *
 * @param format       {@link #FORMAT}
 * @param snapshotTime by the source database's clock; manifests of one source are ordered by it
 * @param release      of the product, at the source
 * @param schema       how the source describes the tables; a manifest of an earlier version has none
 */
public record Manifest(int format, String dataSet, String syncId, String source, Instant snapshotTime, String release,
        List<TableManifest> tables, Optional<SchemaDescription> schema) {
    public static final int FORMAT = 2;

    public Manifest {
        tables = List.copyOf(tables);
        if (schema == null) schema = Optional.empty();
    }

    public Manifest(int format, String dataSet, String syncId, String source, Instant snapshotTime, String release, List<TableManifest> tables) {
        this(format, dataSet, syncId, source, snapshotTime, release, tables, Optional.empty());
    }

    /**
     * One table at the snapshot; its digest is the sum of its parts' digests.
     *
     * @param parts  cover the whole key space in key order, without a gap
     * @param deltas how ranges of it came to be what they are; ranges that did not change, or for which a delta would be no smaller, have none
     */
    public record TableManifest(String name, List<Column> columns, List<String> key, Optional<String> where, long rows,
            RowDigest digest, List<Part> parts, List<Delta> deltas) {
        public TableManifest {
            columns = List.copyOf(columns);
            key = List.copyOf(key);
            parts = List.copyOf(parts);
            deltas = List.copyOf(deltas);
        }

        public List<String> columnNames() {
            return columns.stream().map(Column::name).toList();
        }

        /** Whether the rows of both can be compared: the same columns of the same rows. */
        public boolean sameShape(TableManifest other) {
            return columns.equals(other.columns) && key.equals(other.key) && where.equals(other.where);
        }

        public Content content() {
            return new Content(rows, digest);
        }
    }

    /** Of each table, the condition for its rows; rows outside it belong to a shard. */
    public Map<String, Optional<String>> filters() {
        return tables.stream().collect(Collectors.toMap(TableManifest::name, TableManifest::where));
    }

    public Optional<TableManifest> table(String name) {
        return tables.stream().filter(t -> t.name().equals(name)).findFirst();
    }
}
