package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;

/**
 * The sync in force in a target database.
 *
 * @param rollback it was brought back on purpose, in place of a newer one
 */
public record Applied(String syncId, Instant snapshotTime, String release, Instant appliedAt, boolean rollback) {
    static Optional<Applied> read(Connection connection, String dataSet) throws SQLException {
        try (var query = connection.prepareStatement("SELECT sync_id, snapshot_time, release, applied_at, rollback FROM lockstep.applied WHERE data_set = ?")) {
            query.setString(1, dataSet);
            try (var row = query.executeQuery()) {
                return row.next() ? Optional.of(new Applied(row.getString(1), instant(row.getObject(2, OffsetDateTime.class)),
                        row.getString(3), instant(row.getObject(4, OffsetDateTime.class)), row.getBoolean(5))) : Optional.empty();
            }
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
    }

    /** @throws Fault.OutOfOrder when what is in force is newer than the manifest; ask for that only when no rollback is meant */
    static void checkOrder(Optional<Applied> applied, Manifest manifest) {
        applied.filter(a -> a.snapshotTime().isAfter(manifest.snapshotTime())).ifPresent(a -> {
            throw new Fault.OutOfOrder("the snapshot of sync " + manifest.syncId() + " is of " + manifest.snapshotTime() + ", older than that of sync "
                    + a.syncId() + " of " + a.snapshotTime() + ", which is in force; nothing was changed");
        });
    }

    private static Instant instant(OffsetDateTime time) {
        return time.toInstant();
    }
}
