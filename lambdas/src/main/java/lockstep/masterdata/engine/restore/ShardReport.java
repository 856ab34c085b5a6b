package lockstep.masterdata.engine.restore;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.RowDigest;
import lockstep.masterdata.engine.postgres.ContentReader;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * The actual content of a shard's database, read from its tables, and the sync that it records as in force.
 *
 * @param history the syncs that were in force, newest first; only in a {@link #progress} report
 */
public record ShardReport(Optional<Applied> applied, List<TableContent> tables, List<Staged> staging,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Applied> history) {
    public ShardReport {
        // functions of earlier releases do not send it
        history = history == null ? List.of() : List.copyOf(history);
    }

    /** @param kept rows that were deleted at the source and stay while others refer to them; not included in {@code rows} */
    public record TableContent(String name, long rows, RowDigest digest, long kept) {}

    /** What a sync has staged so far. */
    public record Staged(String syncId, int parts, long rows) {}

    /** Reads all tables in one snapshot. */
    public static ShardReport read(Database database, DataSet dataSet) {
        return database.run(connection -> {
            Sql.execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            RowSecurity.seeEveryRow(connection, dataSet);
            var reader = new ContentReader(connection, dataSet.name());
            var tables = new ArrayList<TableContent>();
            for (Table table : dataSet.tables()) {
                Content content = reader.read(table.name(), table.columns(), table.key(), table.where(), "true");
                tables.add(new TableContent(table.name(), content.rows(), content.digest(), reader.kept(table.name())));
            }
            return new ShardReport(Applied.read(connection, dataSet.name()), tables, List.of(), List.of());
        });
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
