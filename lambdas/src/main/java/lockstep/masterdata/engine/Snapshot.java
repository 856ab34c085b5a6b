package lockstep.masterdata.engine;

import java.time.Instant;
import java.util.List;

/** The exported snapshot of a dump and the columns of each table in it. */
public record Snapshot(String id, Instant time, List<TableColumns> tables, int batches) {
    /** The allowed columns of a table with the types they have at the source, in the data set's order. */
    public record TableColumns(String name, List<Column> columns) {}
}
