package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;

/**
 * By what one sees, without reading a table, whether anybody wrote to it: its files, which TRUNCATE and a rewrite replace, the
 * numbers of its columns and the labels of enums, by which values change without a write, and the rows that the server counts as written. The server counts with a delay of some seconds: a write just before may be seen
 * by the next sync only. In a crash it forgets, which Lockstep's own record betrays, and then nothing is known.
 *
 * @param counted rows that the server counts as inserted into that record
 */
record Mark(String files, long writes, long counted) {
    /** Whether nobody wrote since. */
    boolean isStill(Mark recorded) {
        return files.equals(recorded.files) && writes == recorded.writes && counted >= recorded.counted;
    }

    /** How it is now; nothing when the server does not count. */
    static Optional<Mark> read(Connection connection, String table) throws SQLException {
        return counts(connection, table).map(Counts::mark);
    }

    /** As the transaction at hand leaves it: this, and what the transaction wrote. What others wrote since this is not counted in. */
    static Optional<Mark> left(Connection connection, String table, Optional<Mark> before) throws SQLException {
        var counts = counts(connection, table);
        // the row that records it counts as well
        return before.flatMap(b -> counts.map(c -> new Mark(b.files, b.writes + c.ofTransaction, c.mark.counted + 1)));
    }

    /** Rows written by the transaction at hand, by whatever statement or trigger. Nothing when the server does not count. */
    static Optional<Long> written(Connection connection, String table) throws SQLException {
        return counts(connection, table).map(Counts::ofTransaction);
    }

    /** As it was left by the sync in force. */
    static Optional<Mark> recorded(Connection connection, String dataSet, String table) throws SQLException {
        try (var query = connection.prepareStatement("SELECT files, writes, counted FROM lockstep.applied_table WHERE data_set = ? AND table_name = ?")) {
            query.setString(1, dataSet);
            query.setString(2, table);
            try (var row = query.executeQuery()) {
                return row.next() ? Optional.of(new Mark(row.getString(1), row.getLong(2), row.getLong(3))) : Optional.empty();
            }
        }
    }

    void record(Connection connection, String dataSet, String table) throws SQLException {
        try (var insert = connection.prepareStatement("INSERT INTO lockstep.applied_table (data_set, table_name, files, writes, counted) VALUES (?, ?, ?, ?, ?)")) {
            insert.setString(1, dataSet);
            insert.setString(2, table);
            insert.setString(3, files);
            insert.setLong(4, writes);
            insert.setLong(5, counted);
            insert.executeUpdate();
        }
    }

    /** So that the next sync finds the writes of this transaction counted. Before version 15 it may not, and then reads the table. */
    static void countSoon(Connection connection) throws SQLException {
        if (connection.getMetaData().getDatabaseMajorVersion() >= 15) Sql.execute(connection, "SELECT pg_stat_force_next_flush()");
    }

    private record Counts(Mark mark, long ofTransaction) {}

    private static Optional<Counts> counts(Connection connection, String table) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(Sql.named("mark", Map.of("table", Sql.literal(Sql.table(table)))))) {
            if (!row.next() || row.getString(1) == null || !row.getBoolean(5)) return Optional.empty();
            return Optional.of(new Counts(new Mark(row.getString(1), row.getLong(2), row.getLong(4)), row.getLong(3)));
        }
    }
}
