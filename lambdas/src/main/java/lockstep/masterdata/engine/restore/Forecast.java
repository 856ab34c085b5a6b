package lockstep.masterdata.engine.restore;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.postgres.ContentReader;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.restore.Publisher.TableResult;

/**
 * Computes what a fully staged restore would change in each table, without changing it. It compares the same rows as the merge. Then
 * it drops everything that was staged. It can't predict whether a trigger, a constraint of the product, or a concurrent writer would
 * make the merge fail.
 */
public final class Forecast {
    private final Database target;

    public Forecast(Database target) {
        this.target = target;
    }

    /**
     * Computes the changes and drops what was staged.
     *
     * @return the manifest's rows and digests with the changes; no changes for a sync that is in force
     * @throws Fault.BatchFailed when parts are missing in staging
     */
    public List<TableResult> compute(String dataSet, String syncId) {
        var results = target.run(connection -> {
            connection.setAutoCommit(false);
            try {
                return compute(connection, dataSet, syncId);
            } finally {
                connection.rollback();
            }
        });
        target.transaction(connection -> {
            forget(connection, dataSet, syncId);
            return null;
        });
        return results;
    }

    private static List<TableResult> compute(Connection connection, String dataSet, String syncId) throws SQLException {
        var found = Accepted.find(connection, dataSet, syncId);
        var applied = Applied.read(connection, dataSet);
        if (found.flatMap(Accepted::decision).isEmpty()) {
            if (found.isPresent() && applied.filter(a -> a.syncId().equals(syncId)).isPresent()) return results(found.get(), Map.of());
            throw new Fault.InvalidRequest("sync " + syncId + " of data set '" + dataSet + "' has not passed preflight here");
        }
        var staging = new Staging(found.get());
        var missing = staging.missing(connection);
        if (!missing.isEmpty())
            throw new Fault.BatchFailed("parts " + missing + " were not staged, or were lost by a crash of the database");
        Manifest manifest = found.get().manifest();
        var tables = Schema.tables(connection, manifest.tables().stream().map(TableManifest::name).toList());
        staging.complete(connection, tables);
        var staged = staging.staged(tables, new ContentReader(connection, dataSet));
        return results(found.get(), new Merge(connection, dataSet, staged, manifest.filters()).forecast());
    }

    private static List<TableResult> results(Accepted accepted, Map<String, Merge.Changes> changes) {
        return accepted.manifest().tables().stream().map(table -> {
            var would = changes.getOrDefault(table.name(), new Merge.Changes());
            return new TableResult(table.name(), table.rows(), table.content().digest(), would.inserted, would.updated, would.deleted,
                    would.kept, List.of());
        }).toList();
    }

    private static void forget(Connection connection, String dataSet, String syncId) throws SQLException {
        Staging.drop(connection, dataSet, syncId);
        if (Applied.read(connection, dataSet).filter(a -> a.syncId().equals(syncId)).isPresent()) return;
        try (var delete = connection.prepareStatement("DELETE FROM lockstep.sync WHERE data_set = ? AND sync_id = ?")) {
            delete.setString(1, dataSet);
            delete.setString(2, syncId);
            delete.executeUpdate();
        }
    }
}
