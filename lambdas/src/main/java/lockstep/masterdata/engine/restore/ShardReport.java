package lockstep.masterdata.engine.restore;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.RowDigest;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.postgres.ContentReader;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.SourceFingerprints;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.postgres.WriteFingerprint;

/**
 * The actual content of a shard's database, and the sync that it records as in force.
 *
 * @param history the syncs that were in force, newest first; only in a {@link #progress} report
 */
public record ShardReport(Optional<Applied> applied, List<TableContent> tables, List<Staged> staging,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Applied> history) {
    public ShardReport {
        // functions of earlier releases do not send it
        history = history == null ? List.of() : List.copyOf(history);
    }

    /**
     * @param kept rows that were deleted at the source and stay while others refer to them; not included in {@code rows}
     * @param read whether the rows were read. Otherwise they are those of the manifest in force, because nobody has written to the table
     *             since it was applied
     */
    public record TableContent(String name, long rows, RowDigest digest, long kept, Boolean read) {
        public TableContent {
            // functions of earlier releases read every table
            if (read == null) read = true;
        }
    }

    /** Which tables are read. */
    public enum Rows {
        ALL,
        /** Those to which, by the server's counts, somebody has written since the sync in force. Counts can be some seconds late. */
        WRITTEN,
        /** As WRITTEN, but all tables while a session may not have reported what it wrote. */
        DOUBTFUL
    }

    /** What a sync has staged so far. */
    public record Staged(String syncId, int parts, long rows) {}

    /** Reads all tables in one snapshot. */
    public static ShardReport read(Database database, DataSet dataSet) {
        return read(database, dataSet, Rows.ALL);
    }

    /** Reads tables in one snapshot. */
    public static ShardReport read(Database database, DataSet dataSet, Rows rows) {
        return database.run(connection -> {
            Sql.execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            RowSecurity.seeEveryRow(connection, dataSet);
            var reader = new ContentReader(connection, dataSet.name());
            var tables = new ArrayList<TableContent>();
            var applied = Applied.read(connection, dataSet.name());
            var unwritten = applied.isEmpty() ? Map.<String, Content>of() : unwritten(connection, dataSet, applied.get(), rows);
            for (Table table : dataSet.tables()) {
                boolean read = !unwritten.containsKey(table.name());
                Content content = read ? reader.read(table.name(), table.columns(), table.key(), table.where(), "true")
                        : unwritten.get(table.name());
                tables.add(new TableContent(table.name(), content.rows(), content.digest(), reader.kept(table.name()), read));
            }
            return new ShardReport(applied, tables, List.of(), List.of());
        });
    }

    /** Returns the content of the tables that need not be read. */
    private static Map<String, Content> unwritten(Connection connection, DataSet dataSet, Applied applied, Rows rows) throws SQLException {
        var unwritten = new HashMap<String, Content>();
        var inForce = Accepted.find(connection, dataSet.name(), applied.syncId()).map(Accepted::manifest);
        if (rows == Rows.ALL || inForce.isEmpty()) return unwritten;
        if (rows == Rows.DOUBTFUL && !SourceFingerprints.areReported(connection, applied.appliedAt(), Duration.ZERO)) return unwritten;
        var stable = SourceFingerprints.stable(connection, dataSet);
        var recorded = WriteFingerprint.recorded(connection, dataSet.name());
        var now = WriteFingerprint.read(connection, recorded.keySet());
        for (Table table : dataSet.tables()) {
            String name = table.name();
            if (stable.contains(name) && now.containsKey(name) && now.get(name).isStill(recorded.get(name)))
                inForce.get().table(name).filter(t -> isOf(table, t)).ifPresent(t -> unwritten.put(name, t.content()));
        }
        return unwritten;
    }

    private static boolean isOf(Table table, TableManifest manifest) {
        return manifest.columnNames().equals(table.columns()) && manifest.key().equals(table.key())
                && manifest.where().equals(table.where());
    }

    /** Reads only the progress of staging and the history, which is fast, for following a running sync and for rollbacks. */
    public static ShardReport progress(Database database, DataSet dataSet) {
        return database.run(connection -> {
            var staging = new ArrayList<Staged>();
            try (var query = connection
                    .prepareStatement("SELECT sync_id, count(*), sum(rows) FROM lockstep.staged_part WHERE data_set = ? GROUP BY 1")) {
                query.setString(1, dataSet.name());
                try (var row = query.executeQuery()) {
                    while (row.next()) staging.add(new Staged(row.getString(1), row.getInt(2), row.getLong(3)));
                }
            }
            return new ShardReport(Applied.read(connection, dataSet.name()), List.of(), staging,
                    Applied.history(connection, dataSet.name()));
        });
    }
}
