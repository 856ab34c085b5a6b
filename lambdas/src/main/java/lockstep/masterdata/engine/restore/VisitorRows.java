package lockstep.masterdata.engine.restore;

import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.landscape.TableName;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * A safety net for the merge: verifies that it does not change rows outside the data set that refer to master rows. It shares no code with
 * the decision which rows are deleted, and reads the referring columns directly.
 *
 * <p>Visitors may commit changes during the merge. So when the rows differ, the server's count decides whether this transaction has updated
 * or deleted any of them.
 */
final class VisitorRows {
    /**
     * A foreign key that refers to master rows.
     *
     * @param exact     whether the values must stay the same; with ON UPDATE CASCADE only their number must
     * @param condition selects rows outside the data set
     */
    private record Referring(String table, List<String> columns, boolean exact, String condition) {}

    /** @param digest a digest of the referring columns; empty unless their values must stay the same */
    private record Seen(long rows, String digest) {}

    private final Connection connection;
    private final Map<Referring, Seen> before = new LinkedHashMap<>();
    private final Map<String, OwnWrites> writtenBefore = new LinkedHashMap<>();

    /**
     * Reads the rows before the merge.
     *
     * @param merged  the tables that the merge writes
     * @param outside for each table of the data set the condition for rows outside the data set; empty if there can't be any
     */
    VisitorRows(Connection connection, List<String> merged, Map<String, Optional<String>> outside) throws SQLException {
        this.connection = connection;
        for (Referring referring : referring(connection, merged, outside)) {
            before.put(referring, read(referring));
            if (!writtenBefore.containsKey(referring.table())) writtenBefore.put(referring.table(), ownWrites(referring));
        }
    }

    private static List<Referring> referring(Connection connection, List<String> merged, Map<String, Optional<String>> outside)
            throws SQLException {
        var all = new ArrayList<Referring>();
        Array tables = connection.createArrayOf("text", merged.stream().map(Sql::table).toArray());
        try (var query = connection.prepareStatement(Sql.named("visitor_references"))) {
            query.setArray(1, tables);
            query.setArray(2, tables);
            try (var row = query.executeQuery()) {
                while (row.next()) {
                    String table = new TableName(row.getString(1), row.getString(2)).toString();
                    var columns = Schema.strings(row.getArray(3));
                    boolean exact = row.getBoolean(4);
                    outside.getOrDefault(table, Optional.of("true"))
                            .ifPresent(condition -> all.add(new Referring(table, columns, exact, condition)));
                }
            }
        }
        return all;
    }

    /** @throws Fault.VisitorRowsChanged when the merge has changed such rows; the transaction must be rolled back */
    void check() throws SQLException {
        var changed = new ArrayList<String>();
        var unknown = new ArrayList<String>();
        for (var entry : this.before.entrySet()) {
            Referring referring = entry.getKey();
            Seen now = read(referring);
            if (now.equals(entry.getValue())) continue;
            var writes = ownWrites(referring);
            String what = referring.table() + " (" + String.join(", ", referring.columns()) + "): " + entry.getValue().rows()
                    + " rows referred to master rows before, "
                    + now.rows() + " do now" + (now.rows() == entry.getValue().rows() ? ", with other values" : "");
            var before = writtenBefore.get(referring.table());
            // only this transaction can have truncated the table, because it has read it
            if (!writes.files().equals(before.files())) changed.add(what);
            else if (writes.rows().isEmpty()) unknown.add(what);
            else if (writes.rows().get() > before.rows().orElse(0L)) changed.add(what);
        }
        if (!changed.isEmpty())
            throw new Fault.VisitorRowsChanged("the merge would change rows outside the data set that refer to master rows: "
                    + String.join("; ", changed)
                    + ". It was rolled back: nothing was changed. Look for a trigger on the master tables, or a foreign key with ON "
                    + "UPDATE SET NULL or SET DEFAULT",
                    null);
        if (!unknown.isEmpty())
            throw new Fault.Busy("rows outside the data set that refer to master rows changed during the merge: "
                    + String.join("; ", unknown)
                    + ". This server does not count writes (track_counts is off), so it is unknown whether visitors changed them. "
                    + "Nothing was changed",
                    null);
    }

    private Seen read(Referring referring) throws SQLException {
        String columns = Sql.columns("c.", referring.columns());
        String digest = referring.exact() ? "coalesce(sum(hashtextextended(ROW(" + columns + ")::text, 0)), 0)::text" : "''";
        String refers = referring.columns().stream().map(c -> "c." + Sql.identifier(c) + " IS NOT NULL")
                .collect(Collectors.joining(" AND "));
        try (var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT count(*), " + digest + " FROM " + Sql.table(referring.table()) + " c WHERE ("
                        + referring.condition() + ") AND " + refers)) {
            row.next();
            return new Seen(row.getLong(1), row.getString(2));
        }
    }

    /** @param rows the number of rows that this transaction has updated or deleted; empty when the server does not count */
    private record OwnWrites(Optional<Long> rows, String files) {}

    private OwnWrites ownWrites(Referring referring) throws SQLException {
        try (var query = connection.prepareStatement(Sql.named("own_writes"))) {
            query.setString(1, Sql.table(referring.table()));
            try (var row = query.executeQuery()) {
                row.next();
                long writes = row.getLong(1);
                return new OwnWrites(row.wasNull() ? Optional.empty() : Optional.of(writes), String.valueOf(row.getString(2)));
            }
        }
    }
}
