package lockstep.masterdata.engine.dump;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.copy.Column;
import lockstep.masterdata.engine.parts.SourceFingerprint;
import lockstep.masterdata.schema.SchemaDescription;

/**
 * The exported snapshot of a dump, with the columns of each table.
 *
 * @param schema the source's description of the tables, with which targets compare theirs
 */
public record Snapshot(String id, Instant time, List<TableColumns> tables, int batches, Optional<SchemaDescription> schema) {
    /**
     * The allowed columns of a table with their types at the source, in the data set's order.
     *
     * @param fingerprint the table's fingerprint in the snapshot
     */
    public record TableColumns(String name, List<Column> columns, Optional<SourceFingerprint> fingerprint) {}
}
