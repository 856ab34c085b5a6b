package lockstep.masterdata.engine.restore;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * The sync in force in a target database.
 *
 * @param rollback whether it deliberately replaced a newer one
 */
public record Applied(String syncId, Instant snapshotTime, String release, Instant appliedAt, boolean rollback) {
    /** How many entries of the history are kept for each data set. */
    public static final int HISTORY = 200;
    private static final String COLUMNS = "sync_id, snapshot_time, release, applied_at, rollback";

    static Optional<Applied> read(Connection connection, String dataSet) throws SQLException {
        return query(connection, "SELECT " + COLUMNS + " FROM lockstep.applied WHERE data_set = ?", dataSet).stream().findFirst();
    }

    /**
     * Returns the syncs that were in force, newest first; the first is in force now. Empty if the database was prepared by a version
     * without history.
     */
    static List<Applied> history(Connection connection, String dataSet) throws SQLException {
        return keepsHistory(connection)
                ? query(connection, "SELECT " + COLUMNS + " FROM lockstep.applied_history WHERE data_set = ? ORDER BY id DESC", dataSet)
                : List.of();
    }

    private static List<Applied> query(Connection connection, String sql, String dataSet) throws SQLException {
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, dataSet);
            var found = new ArrayList<Applied>();
            try (var row = query.executeQuery()) {
                while (row.next())
                    found.add(new Applied(row.getString(1), instant(row.getObject(2, OffsetDateTime.class)), row.getString(3),
                            instant(row.getObject(4, OffsetDateTime.class)), row.getBoolean(5)));
            }
            return found;
        }
    }

    /** Reports whether the history's table exists. It is missing between an upgrade and the next prepare-database. */
    private static boolean keepsHistory(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT pg_catalog.to_regclass('lockstep.applied_history') IS NOT NULL")) {
            row.next();
            return row.getBoolean(1);
        }
    }

    static void write(Connection connection, Manifest manifest, boolean rollback) throws SQLException {
        try (var statement = connection.prepareStatement(Sql.named("applied"))) {
            statement.setString(1, manifest.dataSet());
            statement.setString(2, manifest.syncId());
            statement.setObject(3, manifest.snapshotTime().atOffset(ZoneOffset.UTC));
            statement.setString(4, manifest.release());
            statement.setBoolean(5, rollback);
            statement.executeUpdate();
        }
        if (keepsHistory(connection)) addToHistory(connection, manifest.dataSet());
    }

    private static void addToHistory(Connection connection, String dataSet) throws SQLException {
        try (var insert = connection.prepareStatement(Sql.named("applied_history"))) {
            insert.setString(1, dataSet);
            insert.executeUpdate();
        }
        try (var delete = connection.prepareStatement(
                "DELETE FROM lockstep.applied_history WHERE data_set = ? AND id <= (SELECT id FROM lockstep.applied_history WHERE "
                        + "data_set = ? ORDER BY id DESC OFFSET ? LIMIT 1)")) {
            delete.setString(1, dataSet);
            delete.setString(2, dataSet);
            delete.setInt(3, HISTORY);
            delete.executeUpdate();
        }
    }

    /** @throws Fault.OutOfOrder when the sync in force is newer than the manifest; a rollback must skip this check */
    static void checkOrder(Optional<Applied> applied, Manifest manifest) {
        applied.filter(a -> a.snapshotTime().isAfter(manifest.snapshotTime())).ifPresent(a -> {
            throw new Fault.OutOfOrder(
                    "the snapshot of sync " + manifest.syncId() + " (" + manifest.snapshotTime() + ") is older than that of sync "
                            + a.syncId() + " (" + a.snapshotTime() + "), which is in force; nothing was changed");
        });
    }

    private static Instant instant(OffsetDateTime time) {
        return time.toInstant();
    }
}
