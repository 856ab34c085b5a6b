package lockstep.masterdata.engine.dump;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.FunctionTime;
import lockstep.masterdata.engine.copy.Column;
import lockstep.masterdata.engine.dump.Dumped.RangeParts;
import lockstep.masterdata.engine.dump.Snapshot.TableColumns;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.KeyRange;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.ManifestReader;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SourceFingerprint;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Faults;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.postgres.SchemaCheck;
import lockstep.masterdata.engine.postgres.SourceFingerprints;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.poll.Poll;

/**
 * Takes a snapshot of the source, plans the batches, writes both to the store, and keeps the snapshot's transaction open so that
 * all workers can read the same state.
 */
public final class SnapshotHolder {
    /** How many dumps in a row take a table from the previous manifest before its rows are read again. */
    static final int REUSES = 30;
    /** How long a table's rows are taken from previous manifests before they are read again. */
    private static final Duration REUSABLE = Duration.ofDays(90);
    /** The speed of reading that waiting for sessions has to beat. */
    private static final long BYTES_PER_SECOND = 50_000_000;
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(4);

    private final Database source;
    private final PartStore store;
    private final Planner planner;
    private final ManifestReader manifests;
    private final FunctionTime functionTime;

    public SnapshotHolder(Database source, PartStore store, Planner planner, ManifestReader.Verifier verifier) {
        this(source, store, planner, verifier, FunctionTime.UNLIMITED);
    }

    /** @param verifier verifies the source's own signature of the previous manifest, on which the plan is based */
    public SnapshotHolder(Database source, PartStore store, Planner planner, ManifestReader.Verifier verifier, FunctionTime functionTime) {
        this.source = source;
        this.store = store;
        this.planner = planner;
        this.manifests = new ManifestReader(store, verifier);
        this.functionTime = functionTime;
    }

    /**
     * Holds the snapshot until {@link Released} is written. The transaction always ends with this call.
     *
     * @throws Fault.SnapshotGone when the snapshot is not released before the deadline, the connection is lost, or this sync had a
     *                            holder before, because two snapshots must not be mixed
     * @throws Fault.TooLong      when the dump may take longer than a function; no snapshot was taken
     */
    public Released hold(DataSet dataSet, SyncPaths paths, Instant deadline) {
        return hold(dataSet, paths, deadline, false);
    }

    /** @param rows whether every row is read, also of tables to which nobody has written */
    public Released hold(DataSet dataSet, SyncPaths paths, Instant deadline, boolean rows) {
        if (Json.read(store, paths.snapshot(), Snapshot.class).isPresent())
            throw new Fault.SnapshotGone("sync " + paths.syncId() + " already had a snapshot, which is lost; start a new sync",
                    null);
        try (Connection connection = source.connect()) {
            write(dataSet, paths, connection, rows);
            return awaitRelease(paths, connection, deadline);
        } catch (SQLException e) {
            throw Faults.of(e, source.name());
        }
    }

    private void write(DataSet dataSet, SyncPaths paths, Connection connection, boolean rows) throws SQLException {
        // The lock lets only one holder at a time start its transaction and take its snapshot, so that snapshots are ordered by time.
        Sql.execute(connection, "SELECT pg_advisory_lock(hashtextextended('lockstep snapshot', 0))");
        String id;
        Instant time;
        SourceFingerprints fingerprints;
        try {
            fingerprints = SourceFingerprints.read(connection, dataSet);
            Sql.execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            try (var statement = connection.createStatement();
                    var row = statement.executeQuery("SELECT pg_export_snapshot(), transaction_timestamp()")) {
                row.next();
                id = row.getString(1);
                time = row.getObject(2, java.time.OffsetDateTime.class).toInstant();
            }
        } finally {
            Sql.execute(connection, "SELECT pg_advisory_unlock(hashtextextended('lockstep snapshot', 0))");
        }
        var schema = SchemaCheck.atSource(connection, source.name(), dataSet);
        // rolled back, because reading sizes locks partitions until the end of the transaction
        Sql.execute(connection, "SAVEPOINT sizes");
        functionTime.toDump(Schema.bytes(connection, dataSet.tables().stream().map(Table::name).toList()));
        Sql.execute(connection, "ROLLBACK TO SAVEPOINT sizes");
        RowSecurity.seeEveryRow(connection, dataSet);
        fingerprints = fingerprints.inSnapshot(connection);
        var tables = columns(connection, dataSet, fingerprints, time);
        var newest = newest(dataSet);
        var before = Planner.comparable(tables, newest).stream().collect(Collectors.toMap(TableManifest::name, Function.identity()));
        var known = before.values().stream().filter(t -> !rows && isReusable(t, time))
                .collect(Collectors.toMap(TableManifest::name, t -> t.fingerprint().orElseThrow()));
        var unwritten = fingerprints.unwritten(connection, dataSet, known, names -> timeToRead(names.stream().map(before::get).toList()));
        var plan = planner.plan(connection, dataSet, List.copyOf(before.values()), unwritten);
        Json.write(store, paths.unread(),
                new Dumped(plan.batches().size(), plan.unread().stream().map(SnapshotHolder::asDumped).toList()));
        Json.write(store, paths.batches(), plan.batches());
        var unread = plan.unread().stream().collect(Collectors.toMap(TableManifest::name, t -> t.fingerprint().orElseThrow()));
        Json.write(store, paths.snapshot(), new Snapshot(id, newest.map(m -> after(m, time)).orElse(time),
                tables.stream().map(t -> fingerprinted(t, unread)).toList(), plan.batches().size(), Optional.of(schema)));
    }

    /** Reports whether the table may be taken from the manifest once more. Now and then its rows are read, whatever the fingerprint. */
    private static boolean isReusable(TableManifest table, Instant now) {
        return table.fingerprint().filter(f -> f.reused() < REUSES && f.read().isAfter(now.minus(REUSABLE))).isPresent();
    }

    /** Returns about how long it would take to read these tables, at most {@link #LONGEST_WAIT}. */
    private static Duration timeToRead(List<TableManifest> tables) {
        long bytes = tables.stream().flatMap(t -> t.parts().stream()).mapToLong(Part::textBytes).sum();
        return Duration.ofMillis(Math.min(LONGEST_WAIT.toMillis(), bytes * 1000 / BYTES_PER_SECOND));
    }

    private static RangeParts asDumped(TableManifest table) {
        return new RangeParts(new KeyRange(table.name(), List.of(), List.of(), List.of()), table.parts(), Optional.empty());
    }

    private static TableColumns fingerprinted(TableColumns table, Map<String, SourceFingerprint> unread) {
        return unread.containsKey(table.name())
                ? new TableColumns(table.name(), table.columns(), table.fingerprint().map(f -> f.after(unread.get(table.name()))))
                : table;
    }

    /**
     * Returns a time after the newest manifest's. The clock may have been set back since then, and targets would refuse later snapshots as
     * older.
     */
    private static Instant after(Manifest newest, Instant time) {
        Instant next = newest.snapshotTime().plus(1, ChronoUnit.MICROS);
        return next.isAfter(time) ? next : time;
    }

    /** Returns the newest manifest, or empty when it can't be used, for example because the data set has changed. */
    private Optional<Manifest> newest(DataSet dataSet) {
        try {
            return Latest.read(store, dataSet.name())
                    .map(l -> manifests.read(SyncPaths.manifest(dataSet.name(), l.syncId()), dataSet, l.syncId()));
        } catch (Fault.ManifestRefused | Fault.InvalidRequest e) {
            return Optional.empty();
        }
    }

    /** Returns the types of the allowed columns. The tables were checked against the data set before. */
    static List<TableColumns> columns(Connection connection, DataSet dataSet, SourceFingerprints fingerprints, Instant time)
            throws SQLException {
        var infos = Schema.tables(connection, dataSet.tables().stream().map(Table::name).toList());
        return dataSet.tables().stream().map(t -> new TableColumns(t.name(),
                t.columns().stream().map(c -> new Column(c, infos.get(t.name()).columns().get(c).type())).toList(),
                fingerprints.of(t.name(), time))).toList();
    }

    private Released awaitRelease(SyncPaths paths, Connection connection, Instant deadline) {
        try {
            return Poll.until(deadline, () -> {
                keepAlive(connection);
                return Json.read(store, paths.released(), Released.class);
            }, Optional::isPresent, released -> {})
                    .orElseThrow(() -> new Fault.SnapshotGone(
                            "the dump did not release the snapshot in time; the transaction was ended at its deadline", null));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Fault.SnapshotGone("the holder of the snapshot was interrupted", e);
        }
    }

    private static void keepAlive(Connection connection) {
        try {
            Sql.execute(connection, "SELECT 1");
        } catch (SQLException e) {
            throw new Fault.SnapshotGone("the connection that holds the snapshot was lost: " + e.getMessage(), e);
        }
    }
}
