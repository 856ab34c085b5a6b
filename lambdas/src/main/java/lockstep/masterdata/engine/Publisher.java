package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.masterdata.engine.Manifest.TableManifest;

/**
 * Makes a target's tables what the manifest says, in one transaction: writes only rows that differ, then reads the target's
 * own rows again and commits only when they are the manifest's. Readers see the old state or the new one and never wait.
 */
public final class Publisher {
    private final Database target;
    private final Duration lockTimeout;

    /** @param lockTimeout how long to wait for a visitor's transaction or another restore before {@link Fault.Busy} */
    public Publisher(Database target, Duration lockTimeout) {
        this.target = target;
        this.lockTimeout = lockTimeout;
    }

    /** What became of a table. Kept rows are gone at the source and still referred to here; they are not in {@code rows}. */
    public record TableResult(String name, long rows, RowDigest digest, long inserted, long updated, long deleted, long kept) {}

    /**
     * @return the tables as they are after it; changes are 0 when the sync was in force already
     * @throws Fault.VerificationFailed when the target's rows were not the manifest's; nothing was changed
     * @throws Fault.Drifted            when the target was not what Preflight took it for: begin again with Preflight, which now
     *                                  knows which tables to read
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
            throw new Fault.Drifted("sync " + inForce.orElse("none") + " came into force while " + syncId + " was on its way from " + decision.base().orElse("none"), List.of());
        var staging = new Staging(accepted);
        var missing = staging.missing(connection);
        if (!missing.isEmpty()) throw new Fault.BatchFailed("parts " + missing + " were not staged, or were lost by a crash of the database");
        staging.analyze(connection);
        var verification = new Verification(connection, accepted, staging);
        verification.beforeMerge();
        var changes = new Merge(connection, accepted, staging).run();
        var results = verification.afterMerge(changes);
        advanceSequences(connection, accepted);
        record(connection, accepted);
        Applied.write(connection, manifest, decision.rollback());
        accepted.done(connection);
        staging.drop(connection);
        Mark.countSoon(connection);
        return results;
    }

    /** How this leaves the tables. What others wrote since Preflight is not counted in, so that the next one sees it. */
    private static void record(Connection connection, Accepted accepted) throws SQLException {
        String dataSet = accepted.manifest().dataSet();
        Sql.execute(connection, "DELETE FROM lockstep.applied_table WHERE data_set = " + Sql.literal(dataSet));
        for (Road road : accepted.roads()) {
            var left = Mark.left(connection, road.table(), road.mark());
            if (left.isPresent()) left.get().record(connection, dataSet, road.table());
        }
    }

    private static void advanceSequences(Connection connection, Accepted accepted) throws SQLException {
        for (TableManifest table : accepted.tables())
            for (var sequence : Schema.ownedSequences(connection, table.name()).entrySet())
                if (table.columnNames().contains(sequence.getKey()))
                    Sql.execute(connection, Sql.named("advance_sequence", Map.of("sequence", Sql.literal(Sql.table(sequence.getValue())),
                            "sequence_name", Sql.table(sequence.getValue()), "column", Sql.identifier(sequence.getKey()), "table", Sql.table(table.name()))));
    }
}
