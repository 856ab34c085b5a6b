package lockstep.masterdata.engine.dump;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Column;
import lockstep.masterdata.engine.dump.Dumped.RangeParts;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.KeyRange;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Faults;
import lockstep.masterdata.engine.postgres.Key;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.Schema.TableInfo;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.postgres.Streams;
import lockstep.masterdata.engine.postgres.TableReader;

/**
 * Reads the ranges of a batch in the held snapshot and writes them as parts. Rows are streamed; each stream keeps one compressed
 * part in memory.
 */
public final class Dumper {
    private final Database source;
    private final PartStore store;
    private final int streams;
    private final long partBytes;

    /**
     * @param streams   number of connections that read in parallel
     * @param partBytes target size of a part's COPY text; a larger range is cut into several parts
     */
    public Dumper(Database source, PartStore store, int streams, long partBytes) {
        this.source = source;
        this.store = store;
        this.streams = streams;
        this.partBytes = partBytes;
    }

    /** Dumps the batch and records what it wrote. Repeating it writes the same parts under the same names. */
    public Dumped dump(DataSet dataSet, SyncPaths paths, Batch batch) {
        Snapshot snapshot = Json.read(store, paths.snapshot(), Snapshot.class)
                .orElseThrow(() -> new Fault.SnapshotGone("sync " + paths.syncId() + " has no snapshot", null));
        // no table needs to be read, and there is still one batch
        if (batch.ranges().isEmpty()) return write(paths, new Dumped(batch.index(), List.of()));
        var names = batch.ranges().stream().map(KeyRange::table).distinct().toList();
        record Catalogue(Map<String, TableInfo> tables, Set<String> secured) {}
        var catalogue = source.run(connection -> new Catalogue(Schema.tables(connection, names), RowSecurity.active(connection, names)));
        var ranges = Streams.forEach(streams, batch.ranges(), source, connection -> join(connection, snapshot),
                (connection, range) -> {
                    Table table = table(dataSet, range);
                    return parts(dataSet.name(), connection, table, catalogue.tables().get(table.name()).knownKey(table.key()),
                            catalogue.secured().contains(table.name()), columns(snapshot, range), range);
                });
        return write(paths, new Dumped(batch.index(), ranges));
    }

    private Dumped write(SyncPaths paths, Dumped dumped) {
        Json.write(store, paths.dumped(dumped.batch()), dumped);
        return dumped;
    }

    private static Table table(DataSet dataSet, KeyRange range) {
        return dataSet.tables().stream().filter(t -> t.name().equals(range.table())).findFirst()
                .orElseThrow(() -> new Fault.InvalidRequest("table " + range.table() + " is not in data set '" + dataSet.name() + "'"));
    }

    private static List<Column> columns(Snapshot snapshot, KeyRange range) {
        return snapshot.tables().stream().filter(t -> t.name().equals(range.table())).findFirst().orElseThrow().columns();
    }

    private static void join(Connection connection, Snapshot snapshot) throws SQLException {
        Sql.execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        try {
            Sql.execute(connection, "SET TRANSACTION SNAPSHOT " + Sql.literal(snapshot.id()));
        } catch (SQLException e) {
            Fault fault = Faults.of(e, "source");
            throw fault instanceof Fault.Transient ? fault
                    : new Fault.SnapshotGone("the snapshot is no longer held: " + e.getMessage(), e);
        }
    }

    private RangeParts parts(String dataSet, Connection connection, Table table, Key key, boolean secured, List<Column> columns,
            KeyRange range)
            throws SQLException {
        var names = columns.stream().map(Column::name).toList();
        int[] positions = table.key().stream().mapToInt(names::indexOf).toArray();
        // with row_security off, PostgreSQL refuses to read a table whose policies could hide rows
        if (secured) RowSecurity.seeEveryRow(connection, List.of(table.name()));
        try (var writer = new PartWriter(store, SyncPaths.parts(dataSet), positions, range, partBytes)) {
            TableReader.stream(connection, "SELECT " + Sql.columns("t.", names) + " FROM " + Sql.table(table.name()) + " t WHERE ("
                    + table.where().orElse("true") + ") AND " + key.within("t", range.from(), range.until())
                    + " ORDER BY " + key.order("t"), writer::line);
            // COPY's lock is held until the transaction ends, so this result also holds for the time of the COPY
            refuseRewritten(connection, table);
            if (secured) {
                RowSecurity.seeEveryRow(connection, List.of(table.name()));
                Sql.execute(connection, "SET row_security = off");
            }
            return writer.finish();
        }
    }

    private static void refuseRewritten(Connection connection, Table table) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(Sql.named("rewritten", Map.of("table", Sql.literal(Sql.table(table.name())))))) {
            row.next();
            if (row.getBoolean(1))
                throw new Fault.SnapshotGone("table " + table.name()
                        + " was truncated or rewritten, or its partitions changed, since the snapshot was taken: "
                        + "its old rows can no longer be read. Start a new sync when the migration or the load at the source is done",
                        null);
        }
    }
}
