package lockstep.masterdata.engine.postgres;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.parts.Packed;
import lockstep.masterdata.engine.parts.SourceFingerprint;
import lockstep.poll.Poll;

/**
 * Finds the tables of the source to which nobody has written since an earlier snapshot, without reading rows. There are two proofs:
 * <ul>
 * <li>Both snapshots see the same transactions, so they see the same rows.
 * <li>The server's count of written rows is the same before the earlier snapshot and after the later one, and no session may have written
 * between them without having reported it. The order matters: a count from before a snapshot lacks at worst writes that the snapshot sees,
 * which costs a needless read. A count from after it could include writes that the snapshot does not see, which would hide them forever.
 * </ul>
 * Neither holds for values that can change without a write, so the tables concerned have no fingerprint. When in doubt, a table is read.
 */
public final class SourceFingerprints {
    private static final SourceFingerprints NONE = new SourceFingerprints("", Map.of(), Set.of(), "");

    private final String server;
    private final Map<String, String> writes;
    private final Set<String> stable;
    private final String snapshot;

    /** @param stable the tables whose values cannot change without a write */
    private SourceFingerprints(String server, Map<String, String> writes, Set<String> stable, String snapshot) {
        this.server = server;
        this.writes = writes;
        this.stable = stable;
        this.snapshot = snapshot;
    }

    /** Reads the current fingerprints. Call it before the transaction whose snapshot they describe. */
    public static SourceFingerprints read(Connection connection, DataSet dataSet) throws SQLException {
        var names = dataSet.tables().stream().map(Table::name).toList();
        var server = server(connection);
        if (server.isEmpty()) return NONE;
        var counts = WriteFingerprint.read(connection, names);
        // counts that were reset meanwhile are not those of this server state
        if (!server(connection).equals(server)) return NONE;
        var writes = new HashMap<String, String>();
        counts.forEach((table, count) -> writes.put(table, digest(server.get() + " " + count.files() + " " + count.writes())));
        return new SourceFingerprints(server.get(), writes, stable(connection, dataSet), "");
    }

    /** Returns the tables whose values cannot change without a write. */
    public static Set<String> stable(Connection connection, DataSet dataSet) throws SQLException {
        var stable = dataSet.tables().stream().filter(t -> t.where().isEmpty() || StableFilter.isStable(t.where().get(), t.columns()))
                .map(Table::name).collect(Collectors.toCollection(HashSet::new));
        try (var query = Schema.query(connection, "renamed_values", stable); var row = query.executeQuery()) {
            while (row.next()) stable.remove(row.getString(1));
        }
        return stable;
    }

    /** Completes the fingerprints in the transaction that has taken the snapshot. */
    public SourceFingerprints inSnapshot(Connection connection) throws SQLException {
        return new SourceFingerprints(server, writes, stable,
                digest(server + " " + value(connection, "SELECT pg_current_snapshot()").orElseThrow()));
    }

    /** Returns the table's fingerprint in a snapshot taken at this time, or empty when it would prove nothing. */
    public Optional<SourceFingerprint> of(String table, Instant taken) {
        return stable.contains(table)
                ? Optional.of(new SourceFingerprint(Optional.ofNullable(writes.get(table)), snapshot, taken, taken, 0))
                : Optional.empty();
    }

    /**
     * Returns those of the tables that have the same rows in this snapshot as in the earlier one.
     *
     * @param connection the transaction that has taken the snapshot
     * @param earlier    fingerprints of the same tables, with the same columns, key and filter
     * @param patience   how long to wait for sessions to report what they wrote, so that these tables need not be read
     */
    public Set<String> unwritten(Connection connection, DataSet dataSet, Map<String, SourceFingerprint> earlier,
            Function<Set<String>, Duration> patience) throws SQLException {
        var unwritten = new HashSet<String>();
        var counted = new HashSet<String>();
        for (String table : stable) {
            SourceFingerprint before = earlier.get(table);
            if (before == null) continue;
            if (before.snapshot().equals(snapshot)) unwritten.add(table);
            else if (before.writes().isPresent() && before.writes().equals(Optional.ofNullable(writes.get(table)))) counted.add(table);
        }
        if (counted.isEmpty()) return unwritten;
        Instant since = counted.stream().map(t -> earlier.get(t).taken()).min(Comparator.naturalOrder()).orElseThrow();
        if (!areReported(connection, since, patience.apply(counted))) return unwritten;
        var now = read(connection, dataSet).writes;
        counted.removeIf(table -> !earlier.get(table).writes().equals(Optional.ofNullable(now.get(table))));
        unwritten.addAll(counted);
        return unwritten;
    }

    /**
     * Waits until the server's counts include everything that other sessions wrote before this call.
     *
     * @param since    writes before this time do not matter
     * @param patience after which to give up
     * @return whether they do
     */
    public static boolean areReported(Connection connection, Instant since, Duration patience) throws SQLException {
        String function = "'lockstep.unreported_sessions(timestamptz, timestamptz)'";
        if (value(connection, "SELECT true WHERE has_function_privilege(to_regprocedure(" + function + "), 'EXECUTE')").isEmpty())
            return false;
        Instant now;
        try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT clock_timestamp()")) {
            row.next();
            now = row.getObject(1, OffsetDateTime.class).toInstant();
        }
        // the clock was set back, so times of sessions tell nothing
        if (now.isBefore(since)) return false;
        String unreported = "SELECT lockstep.unreported_sessions(" + Sql.literal(since.atOffset(ZoneOffset.UTC).toString()) + ", "
                + Sql.literal(now.atOffset(ZoneOffset.UTC).toString()) + ")";
        return Poll.within(patience, () -> {
            try {
                // a transaction sees other sessions as they were when it first looked
                Sql.execute(connection, "SELECT pg_stat_clear_snapshot()");
                return value(connection, unreported).orElseThrow().equals("0");
            } catch (SQLException e) {
                throw Faults.of(e, "source");
            }
        });
    }

    private static Optional<String> server(Connection connection) throws SQLException {
        Sql.execute(connection, "SELECT pg_stat_clear_snapshot()");
        return value(connection, Sql.named("server_state"));
    }

    private static Optional<String> value(Connection connection, String query) throws SQLException {
        try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
            return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
        }
    }

    private static String digest(String state) {
        byte[] bytes = state.getBytes(StandardCharsets.UTF_8);
        return Packed.sha256(bytes, bytes.length).substring(0, 32);
    }
}
