package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.masterdata.engine.Manifest.TableManifest;

/** Reads what a shard's table really holds, without the rows that are only kept. */
final class ContentReader {
    private ContentReader() {}

    static Content read(Connection connection, String dataSet, TableManifest table) throws SQLException {
        return read(connection, dataSet, table, "true");
    }

    /** @param restriction over the table as {@code t}: only these rows */
    static Content read(Connection connection, String dataSet, TableManifest table, String restriction) throws SQLException {
        return read(connection, dataSet, table.name(), table.columns(), table.key(), table.where(), restriction);
    }

    static Content read(Connection connection, String dataSet, String table, List<Column> columns, List<String> key, Optional<String> where, String restriction) throws SQLException {
        String condition = "(" + where.orElse("true") + ") AND (" + restriction + ")";
        if (kept(connection, dataSet, table) > 0)
            condition = Sql.named("not_kept", Map.of("condition", condition, "data_set", Sql.literal(dataSet),
                    "table_name", Sql.literal(table), "kept_key", Bounds.equal("t.", key, "k.key", columns)));
        return TableReader.content(connection, table, columns.stream().map(Column::name).toList(), condition);
    }

    /** Rows that stay only because others refer to them. */
    static long kept(Connection connection, String dataSet, String table) throws SQLException {
        try (var query = connection.prepareStatement("SELECT count(*) FROM lockstep.kept_row WHERE data_set = ? AND table_name = ?")) {
            query.setString(1, dataSet);
            query.setString(2, table);
            try (var row = query.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }
}
