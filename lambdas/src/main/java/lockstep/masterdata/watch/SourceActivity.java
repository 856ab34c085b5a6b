package lockstep.masterdata.watch;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.WriteFingerprint;

/**
 * The state of the source's tables, determined without reading them. It shows whether anyone writes to them.
 *
 * @param marks the fingerprints of all tables; they differ after a write
 * @param since when this state was first seen, by the source database's clock, like the times of snapshots; later snapshots contain all of
 *         it
 */
public record SourceActivity(String marks, Instant since) {
    /** Returns the current state of the tables. */
    public static SourceActivity now(Database source, DataSet dataSet) {
        return source.run(connection -> {
            var marks = new ArrayList<String>();
            var found = WriteFingerprint.read(connection, dataSet.tables().stream().map(Table::name).toList());
            for (Table table : dataSet.tables()) {
                WriteFingerprint mark = found.get(table.name());
                if (mark == null)
                    throw new Fault.InvalidRequest("the source does not count writes to " + table.name()
                            + " (track_counts is off), so it is unknown when it is quiet. Turn it on, or start syncs on a schedule: "
                            + "sync: {at: …} in lockstep.yaml");
                marks.add(table.name() + " " + mark.files() + " " + mark.writes());
            }
            return new SourceActivity(String.join("; ", marks), time(connection));
        });
    }

    private static Instant time(Connection connection) throws SQLException {
        try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT clock_timestamp()")) {
            row.next();
            return row.getObject(1, OffsetDateTime.class).toInstant();
        }
    }

    public static Optional<SourceActivity> read(PartStore store, String dataSet) {
        return Json.read(store, SyncPaths.sourceActivity(dataSet), SourceActivity.class);
    }

    public void write(PartStore store, String dataSet) {
        Json.write(store, SyncPaths.sourceActivity(dataSet), this);
    }
}
