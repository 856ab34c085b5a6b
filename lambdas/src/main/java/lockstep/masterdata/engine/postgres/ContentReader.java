package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;

/**
 * Reads row count and digest of a shard's tables, excluding kept rows: rows that were deleted at the source but are still referenced here.
 */
public final class ContentReader {
    private final Connection connection;
    private final String dataSet;
    private final Map<String, Long> kept = new HashMap<>();

    /** Counts the kept rows once; create a new reader after they have changed. */
    public ContentReader(Connection connection, String dataSet) throws SQLException {
        this.connection = connection;
        this.dataSet = dataSet;
        try (var query = connection.prepareStatement("SELECT table_name, count(*) FROM lockstep.kept_row WHERE data_set = ? GROUP BY 1")) {
            query.setString(1, dataSet);
            try (var row = query.executeQuery()) {
                while (row.next()) kept.put(row.getString(1), row.getLong(2));
            }
        }
    }

    /** Returns how many rows of the table are kept only because other rows refer to them. */
    public long kept(String table) {
        return kept.getOrDefault(table, 0L);
    }

    public Content read(TableManifest table) throws SQLException {
        return read(table, "true");
    }

    /** @param restriction a condition on the table as {@code t}; only matching rows are read */
    public Content read(TableManifest table, String restriction) throws SQLException {
        return read(table.name(), table.columnNames(), table.key(), table.where(), restriction);
    }

    public Content read(String table, List<String> columns, List<String> key, Optional<String> where, String restriction)
            throws SQLException {
        String condition = "(" + where.orElse("true") + ") AND (" + restriction + ")";
        if (kept(table) > 0) {
            Key keyHere = Schema.table(connection, table).knownKey(key);
            condition = Sql.named("not_kept", Map.of("condition", condition, "data_set", Sql.literal(dataSet),
                    "table_name", Sql.literal(table), "kept_key", keyHere.equalsText(keyHere.of("t"), "k.key")));
        }
        return TableReader.content(connection, table, columns, condition);
    }
}
