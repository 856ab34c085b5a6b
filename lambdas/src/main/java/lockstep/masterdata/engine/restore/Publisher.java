package lockstep.masterdata.engine.restore;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import lockstep.landscape.Triggers;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.FunctionTime;
import lockstep.masterdata.engine.copy.RowDigest;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.postgres.ContentReader;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Faults;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.Schema.TableInfo;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.postgres.Sequences;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.postgres.WriteFingerprint;
import lockstep.masterdata.engine.restore.Merge.Changes;

/**
 * Updates a target's tables to the manifest in one transaction: writes only rows that differ, then reads the target's rows again and
 * commits only when they match the manifest. Readers see either the old or the new state and never wait, except for tables that are
 * empty before the first sync.
 */
public final class Publisher {
    private final Database target;
    private final Duration lockTimeout;
    private final FunctionTime functionTime;

    public Publisher(Database target, Duration lockTimeout) {
        this(target, lockTimeout, FunctionTime.UNLIMITED);
    }

    /** @param lockTimeout how long to wait for a visitor's transaction or another restore before {@link Fault.Busy} */
    public Publisher(Database target, Duration lockTimeout, FunctionTime functionTime) {
        this.target = target;
        this.lockTimeout = lockTimeout;
        this.functionTime = functionTime;
    }

    /**
     * The result for a table.
     *
     * @param kept     rows that were deleted at the source and are still referenced here; they are not included in {@code rows}
     * @param warnings problems that did not stop the sync but need attention
     */
    public record TableResult(String name, long rows, RowDigest digest, long inserted, long updated, long deleted, long kept,
            List<String> warnings) {
        public TableResult {
            warnings = warnings == null ? List.of() : List.copyOf(warnings);
        }

        TableResult with(List<String> warnings) {
            return new TableResult(name, rows, digest, inserted, updated, deleted, kept, warnings);
        }
    }

    /**
     * Merges and verifies what was staged, and brings the sync into force.
     *
     * @return the resulting tables; changes are 0 when the sync was already in force
     * @throws Fault.VerificationFailed when the target's rows did not match the manifest; nothing was changed
     * @throws Fault.Drifted            when the target has changed since Preflight: start again with Preflight, which then reads the
     *                                  tables concerned
     * @throws Fault.TooLong            when this may take longer than a function; nothing was changed
     */
    public List<TableResult> publish(String dataSet, String syncId) {
        try {
            return target.transaction(connection -> publish(connection, dataSet, syncId));
        } catch (Fault.Drifted e) {
            target.transaction(connection -> {
                Accepted.undecide(connection, dataSet, syncId, e.tables());
                Staging.drop(connection, dataSet, syncId);
                return null;
            });
            throw e;
        }
    }

    private List<TableResult> publish(Connection connection, String dataSet, String syncId) throws SQLException {
        Sql.execute(connection, "SET LOCAL lock_timeout = " + lockTimeout.toMillis());
        // joins by key would spill to disk with PostgreSQL's default of 4 MB
        Sql.execute(connection,
                "SELECT set_config('work_mem', '64MB', true) WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB')");
        Sql.execute(connection, "SELECT pg_advisory_xact_lock(hashtextextended(" + Sql.literal("lockstep " + dataSet) + ", 0))");
        var accepted = Accepted.read(connection, dataSet, syncId);
        Manifest manifest = accepted.manifest();
        var applied = Applied.read(connection, dataSet);
        if (accepted.decision().isEmpty()) {
            if (applied.filter(a -> a.syncId().equals(syncId)).isPresent()) return Verification.ofEverything(connection, manifest);
            throw new Fault.InvalidRequest("sync " + syncId + " of data set '" + dataSet + "' has not passed preflight here");
        }
        var decision = accepted.decision().get();
        if (!decision.rollback()) Applied.checkOrder(applied, manifest);
        Optional<String> inForce = applied.map(Applied::syncId);
        if (!inForce.equals(decision.base()))
            throw new Fault.Drifted("sync " + inForce.orElse("none") + " came into force while " + syncId
                    + " was being restored on top of " + decision.base().orElse("none"), List.of());
        var staging = new Staging(accepted);
        var missing = staging.missing(connection);
        if (!missing.isEmpty())
            throw new Fault.BatchFailed("parts " + missing + " were not staged, or were lost by a crash of the database");
        var tables = Schema.tables(connection, manifest.tables().stream().map(TableManifest::name).toList());
        RowSecurity.seeAndWriteEveryRow(connection, tables.keySet(), accepted.tables().stream().map(TableManifest::name).toList());
        functionTime.toPublish(accepted.stagedBytes(), applied.isEmpty(),
                accepted.tables().stream().mapToLong(TableManifest::textBytes).sum());
        staging.complete(connection, tables);
        var verification = new Verification(connection, accepted, staging, tables);
        verification.beforeMerge();
        var changes = merge(connection, accepted, staging, tables, applied.isEmpty());
        var results = verify(connection, accepted, verification, changes);
        var warnings = Sequences.advance(connection,
                accepted.tables().stream().collect(Collectors.toMap(TableManifest::name, TableManifest::columnNames)));
        WriteFingerprint.record(connection, dataSet, accepted.tablePlans().stream().filter(r -> r.mark().isPresent())
                .collect(Collectors.toMap(TablePlan::table, r -> r.mark().get())));
        Applied.write(connection, manifest, decision.rollback());
        accepted.done(connection);
        staging.drop(connection);
        WriteFingerprint.countSoon(connection);
        return results.stream().map(r -> r.with(warnings.getOrDefault(r.name(), List.of()))).toList();
    }

    /**
     * Merges the tables. At the first sync, empty tables are locked and filled without keys and indexes, which are restored afterwards. If
     * that fails, they are merged like other tables, which reports the actual problem.
     *
     * @param first whether no sync was ever applied here
     */
    private Map<String, Changes> merge(Connection connection, Accepted accepted, Staging staging, Map<String, TableInfo> tables,
            boolean first) throws SQLException {
        String dataSet = accepted.manifest().dataSet();
        var names = accepted.tables().stream().map(TableManifest::name).toList();
        var staged = staging.staged(tables, new ContentReader(connection, dataSet));
        boolean silenced = accepted.decision().orElseThrow().triggers() == Triggers.DISABLE;
        if (silenced) SuspendedConstraints.triggers(connection, dataSet, names);
        if (first) {
            var start = connection.setSavepoint();
            try {
                var empty = SuspendedConstraints.keys(connection, dataSet, names);
                if (!empty.isEmpty()) {
                    var changes = merge(connection, accepted, staged, empty);
                    SuspendedConstraints.putBack(connection, dataSet);
                    connection.releaseSavepoint(start);
                    return changes;
                }
            } catch (SQLException e) {
                if (Faults.of(e, target.name()) instanceof Fault.DatabaseUnavailable) throw e;
                connection.rollback(start);
            }
        }
        var changes = merge(connection, accepted, staged, Set.of());
        if (silenced) SuspendedConstraints.putBack(connection, dataSet);
        return changes;
    }

    private static Map<String, Changes> merge(Connection connection, Accepted accepted, List<StagedTable> staged, Set<String> empty)
            throws SQLException {
        var merge = new Merge(connection, accepted.manifest().dataSet(), staged, accepted.manifest().filters());
        var changes = merge.run(empty);
        merge.recordKept();
        return changes;
    }

    private static List<TableResult> verify(Connection connection, Accepted accepted, Verification verification,
            Map<String, Changes> changes) throws SQLException {
        try {
            return verification.afterMerge(changes);
        } catch (Fault.VerificationFailed e) {
            var triggers = Schema.firingTriggers(connection, changes.keySet());
            if (triggers.isEmpty() || accepted.decision().orElseThrow().triggers() == Triggers.DISABLE) throw e;
            throw new Fault.VerificationFailed(e.getMessage() + ". Triggers fired during the merge and may have changed rows: "
                    + String.join(", ", triggers) + ". Fix them, or give data set '"
                    + accepted.manifest().dataSet() + "' triggers: disable in lockstep.yaml and invoke prepare-database");
        }
    }
}
