package lockstep.masterdata.engine;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a sync carries: for every table its columns, row count, digest and parts, at one snapshot of the source. It is small
 * and kept, so that a target can be brought to any manifest whose parts still lie in the store.
 *
 * @param format       1
 * @param snapshotTime by the source database's clock; manifests of one source are ordered by it
 * @param release      of the product, at the source
 */
public record Manifest(int format, String dataSet, String syncId, String source, Instant snapshotTime, String release,
        List<TableManifest> tables) {
    public Manifest {
        tables = List.copyOf(tables);
    }

    /** One table at the snapshot; its digest is the sum of its parts' digests. */
    public record TableManifest(String name, List<Column> columns, List<String> key, Optional<String> where, long rows,
            RowDigest digest, List<Part> parts) {
        public TableManifest {
            columns = List.copyOf(columns);
            key = List.copyOf(key);
            parts = List.copyOf(parts);
        }

        public List<String> columnNames() {
            return columns.stream().map(Column::name).toList();
        }

        public Content content() {
            return new Content(rows, digest);
        }
    }

    /** A part together with the table that it belongs to. */
    public record Placed(TableManifest table, Part part) {}

    /** All parts of all tables, in the order in which batches count them. */
    public List<Placed> placedParts() {
        return tables.stream().flatMap(t -> t.parts().stream().map(p -> new Placed(t, p))).toList();
    }
}
