package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.ZoneOffset;

/** The manifest as Preflight accepted it, kept in the target: the later steps read it there and need not trust anybody again. */
final class Accepted {
    private Accepted() {}

    static void write(Connection connection, Manifest manifest) throws SQLException {
        try (var insert = connection.prepareStatement("INSERT INTO lockstep.sync (data_set, sync_id, snapshot_time, manifest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
            insert.setString(1, manifest.dataSet());
            insert.setString(2, manifest.syncId());
            insert.setObject(3, manifest.snapshotTime().atOffset(ZoneOffset.UTC));
            insert.setString(4, Json.MAPPER.writeValueAsString(manifest));
            insert.executeUpdate();
        }
    }

    static Manifest read(Connection connection, String dataSet, String syncId) throws SQLException {
        try (var query = connection.prepareStatement("SELECT manifest FROM lockstep.sync WHERE data_set = ? AND sync_id = ?")) {
            query.setString(1, dataSet);
            query.setString(2, syncId);
            try (var row = query.executeQuery()) {
                if (!row.next()) throw new Fault.InvalidRequest("sync " + syncId + " of data set '" + dataSet + "' has not passed preflight here");
                return Json.MAPPER.readValue(row.getString(1), Manifest.class);
            }
        }
    }
}
