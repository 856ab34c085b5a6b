package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.ZoneOffset;
import java.util.List;
import lockstep.masterdata.engine.Manifest.Placed;
import lockstep.masterdata.engine.Manifest.TableManifest;

/**
 * A manifest as Preflight accepted it, kept in the target: the later steps read it there and need not trust anybody again.
 *
 * @param differing names of the tables that did not hold what the manifest says; the others are only verified
 */
record Accepted(Manifest manifest, List<String> differing) {
    Accepted {
        differing = List.copyOf(differing);
    }

    /** The tables to be merged. */
    List<TableManifest> tables() {
        return manifest.tables().stream().filter(t -> differing.contains(t.name())).toList();
    }

    /** The parts to be staged, in the order in which batches count them. */
    List<Placed> parts() {
        return tables().stream().flatMap(t -> t.parts().stream().map(p -> new Placed(t, p))).toList();
    }

    /** Keeps it, unless the sync was accepted before: what was decided then stays. */
    Accepted write(Connection connection) throws SQLException {
        try (var insert = connection.prepareStatement("INSERT INTO lockstep.sync (data_set, sync_id, snapshot_time, manifest, staging, differing) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
            insert.setString(1, manifest.dataSet());
            insert.setString(2, manifest.syncId());
            insert.setObject(3, manifest.snapshotTime().atOffset(ZoneOffset.UTC));
            insert.setString(4, Json.MAPPER.writeValueAsString(manifest));
            insert.setString(5, Staging.suffix(manifest.dataSet(), manifest.syncId()));
            insert.setArray(6, connection.createArrayOf("text", differing.toArray()));
            insert.executeUpdate();
        }
        return read(connection, manifest.dataSet(), manifest.syncId());
    }

    static Accepted read(Connection connection, String dataSet, String syncId) throws SQLException {
        try (var query = connection.prepareStatement("SELECT manifest, differing FROM lockstep.sync WHERE data_set = ? AND sync_id = ?")) {
            query.setString(1, dataSet);
            query.setString(2, syncId);
            try (var row = query.executeQuery()) {
                if (!row.next()) throw new Fault.InvalidRequest("sync " + syncId + " of data set '" + dataSet + "' has not passed preflight here");
                return new Accepted(Json.MAPPER.readValue(row.getString(1), Manifest.class), Schema.strings(row.getArray(2)));
            }
        }
    }
}
