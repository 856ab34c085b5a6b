package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Detects writes to a table without reading it. It combines the table's files, which TRUNCATE and rewrites replace; its column numbers and
 * the labels of enums, which change values without a write; and the server's count of written rows. The server updates its counts with a
 * delay of some seconds, so a very recent write may be detected only by the next sync. A crash resets the counts; {@code counted} reveals
 * that, and the table is then treated as changed.
 *
 * @param files   the files, column numbers and enum labels
 * @param writes  rows that the server counts as written
 * @param counted rows that the server counts as inserted into Lockstep's own table of fingerprints
 */
public record WriteFingerprint(String files, long writes, long counted) {
    /** Reports whether nobody has written to the table since the recorded fingerprint. */
    public boolean isStill(WriteFingerprint recorded) {
        return files.equals(recorded.files) && writes == recorded.writes && counted >= recorded.counted;
    }

    /** Returns the current fingerprints by table. A table for which the server does not count writes is missing. */
    public static Map<String, WriteFingerprint> read(Connection connection, Collection<String> tables) throws SQLException {
        var fingerprints = new HashMap<String, WriteFingerprint>();
        counts(connection, tables).forEach((table, counts) -> fingerprints.put(table, counts.fingerprint));
        return fingerprints;
    }

    /**
     * Returns how many rows of each table this transaction has written, including by triggers. A table for which the server does not count
     * is missing.
     */
    public static Map<String, Long> written(Connection connection, Collection<String> tables) throws SQLException {
        var written = new HashMap<String, Long>();
        counts(connection, tables).forEach((table, counts) -> written.put(table, counts.ofTransaction));
        return written;
    }

    /** Returns the fingerprints recorded by the sync in force. */
    public static Map<String, WriteFingerprint> recorded(Connection connection, String dataSet) throws SQLException {
        var fingerprints = new HashMap<String, WriteFingerprint>();
        try (var query = connection
                .prepareStatement("SELECT table_name, files, writes, counted FROM lockstep.applied_table WHERE data_set = ?")) {
            query.setString(1, dataSet);
            try (var row = query.executeQuery()) {
                while (row.next())
                    fingerprints.put(row.getString(1), new WriteFingerprint(row.getString(2), row.getLong(3), row.getLong(4)));
            }
        }
        return fingerprints;
    }

    /**
     * Records the fingerprints after this transaction: those from before, plus this transaction's own writes. Concurrent writes of others
     * are excluded, so that the next sync detects them.
     *
     * @param before the fingerprint of each table when Preflight planned this sync
     */
    public static void record(Connection connection, String dataSet, Map<String, WriteFingerprint> before) throws SQLException {
        Sql.execute(connection, "DELETE FROM lockstep.applied_table WHERE data_set = " + Sql.literal(dataSet));
        var now = counts(connection, before.keySet());
        try (var insert = connection.prepareStatement(
                "INSERT INTO lockstep.applied_table (data_set, table_name, files, writes, counted) VALUES (?, ?, ?, ?, ?)")) {
            int inserted = 0;
            for (var entry : now.entrySet()) {
                WriteFingerprint was = before.get(entry.getKey());
                insert.setString(1, dataSet);
                insert.setString(2, entry.getKey());
                insert.setString(3, was.files);
                insert.setLong(4, was.writes + entry.getValue().ofTransaction);
                // the server counts these inserts, too
                insert.setLong(5, entry.getValue().fingerprint.counted + ++inserted);
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    /**
     * Makes the server publish this transaction's counts at once, for the next sync. Before version 15 they may be late; the next sync then
     * reads the table.
     */
    public static void countSoon(Connection connection) throws SQLException {
        if (connection.getMetaData().getDatabaseMajorVersion() >= 15) Sql.execute(connection, "SELECT pg_stat_force_next_flush()");
    }

    private record Counts(WriteFingerprint fingerprint, long ofTransaction) {}

    private static Map<String, Counts> counts(Connection connection, Collection<String> tables) throws SQLException {
        var counts = new LinkedHashMap<String, Counts>();
        if (tables.isEmpty()) return counts;
        try (var query = Schema.query(connection, "mark", tables); var row = query.executeQuery()) {
            while (row.next())
                if (row.getBoolean(6)) counts.put(row.getString(1),
                        new Counts(new WriteFingerprint(row.getString(2), row.getLong(3), row.getLong(5)), row.getLong(4)));
        }
        return counts;
    }
}
