package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * By what one sees, without reading a table, whether anybody wrote to it: its files, which TRUNCATE and a rewrite replace, the
 * numbers of its columns and the labels of enums, by which values change without a write, and the rows that the server counts as written. The server counts with a delay of some seconds: a write just before may be seen
 * by the next sync only. In a crash it forgets, which Lockstep's own record betrays, and then nothing is known.
 *
 * @param counted rows that the server counts as inserted into that record
 */
public record WriteFingerprint(String files, long writes, long counted) {
    /** Whether nobody wrote since. */
    public boolean isStill(WriteFingerprint recorded) {
        return files.equals(recorded.files) && writes == recorded.writes && counted >= recorded.counted;
    }

    /** How the tables are now, by name; without a table when the server does not count. */
    public static Map<String, WriteFingerprint> read(Connection connection, Collection<String> tables) throws SQLException {
        var marks = new HashMap<String, WriteFingerprint>();
        counts(connection, tables).forEach((table, counts) -> marks.put(table, counts.mark));
        return marks;
    }

    /** Rows of each table written by the transaction at hand, by whatever statement or trigger; without a table when the server does not count. */
    public static Map<String, Long> written(Connection connection, Collection<String> tables) throws SQLException {
        var written = new HashMap<String, Long>();
        counts(connection, tables).forEach((table, counts) -> written.put(table, counts.ofTransaction));
        return written;
    }

    /** The tables as they were left by the sync in force. */
    public static Map<String, WriteFingerprint> recorded(Connection connection, String dataSet) throws SQLException {
        var marks = new HashMap<String, WriteFingerprint>();
        try (var query = connection.prepareStatement("SELECT table_name, files, writes, counted FROM lockstep.applied_table WHERE data_set = ?")) {
            query.setString(1, dataSet);
            try (var row = query.executeQuery()) {
                while (row.next()) marks.put(row.getString(1), new WriteFingerprint(row.getString(2), row.getLong(3), row.getLong(4)));
            }
        }
        return marks;
    }

    /**
     * Records how the transaction at hand leaves the tables: as they were, and what the transaction wrote. What others wrote meanwhile is not
     * counted in, so that the next sync sees it.
     *
     * @param before each table as it was when this sync was decided
     */
    public static void record(Connection connection, String dataSet, Map<String, WriteFingerprint> before) throws SQLException {
        Sql.execute(connection, "DELETE FROM lockstep.applied_table WHERE data_set = " + Sql.literal(dataSet));
        var now = counts(connection, before.keySet());
        try (var insert = connection.prepareStatement("INSERT INTO lockstep.applied_table (data_set, table_name, files, writes, counted) VALUES (?, ?, ?, ?, ?)")) {
            int inserted = 0;
            for (var entry : now.entrySet()) {
                WriteFingerprint was = before.get(entry.getKey());
                insert.setString(1, dataSet);
                insert.setString(2, entry.getKey());
                insert.setString(3, was.files);
                insert.setLong(4, was.writes + entry.getValue().ofTransaction);
                // the rows that record it count as well
                insert.setLong(5, entry.getValue().mark.counted + ++inserted);
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    /** So that the next sync finds the writes of this transaction counted. Before version 15 it may not, and then reads the table. */
    public static void countSoon(Connection connection) throws SQLException {
        if (connection.getMetaData().getDatabaseMajorVersion() >= 15) Sql.execute(connection, "SELECT pg_stat_force_next_flush()");
    }

    private record Counts(WriteFingerprint mark, long ofTransaction) {}

    private static Map<String, Counts> counts(Connection connection, Collection<String> tables) throws SQLException {
        var counts = new LinkedHashMap<String, Counts>();
        if (tables.isEmpty()) return counts;
        try (var query = Schema.query(connection, "mark", tables); var row = query.executeQuery()) {
            while (row.next())
                if (row.getBoolean(6)) counts.put(row.getString(1), new Counts(new WriteFingerprint(row.getString(2), row.getLong(3), row.getLong(5)), row.getLong(4)));
        }
        return counts;
    }
}
