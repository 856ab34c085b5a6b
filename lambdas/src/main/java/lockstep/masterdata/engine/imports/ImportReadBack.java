package lockstep.masterdata.engine.imports;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * Reads the table after an import, before the commit, and compares count and digest of its rows with those of the file. Rows outside the
 * data set's filter are ignored, and so are rows that stay only because others refer to them.
 */
final class ImportReadBack {
    private final Connection connection;
    private final Table table;
    private final TypedStaging staging;
    /** Selects the rows to compare from the table as {@code t}. */
    private final String condition;
    private final String sameKey;

    /**
     * @param stays   the condition that a row of the table {@code t} is not in the file and stays
     * @param sameKey the condition that a row of the table {@code t} and a row of the staging table {@code s} have equal keys
     */
    ImportReadBack(Connection connection, Table table, TypedStaging staging, String stays, String sameKey) {
        this.connection = connection;
        this.table = table;
        this.staging = staging;
        this.sameKey = sameKey;
        condition = "(" + table.where().orElse("true") + ") AND NOT (" + stays + ")";
    }

    /**
     * Compares the table with the file.
     *
     * @param triggers the triggers that fire on the table; they may have changed rows
     * @throws Fault.ImportMismatch when the table's rows differ from the file's
     */
    void verify(List<String> triggers) throws SQLException {
        Content file = RawStaging.content(connection,
                "SELECT " + Sql.columns("s.", table.columns()) + " FROM " + TypedStaging.TABLE + " s");
        Content found = RawStaging.content(connection,
                "SELECT " + Sql.columns("t.", table.columns()) + " FROM " + Sql.table(table.name()) + " t WHERE " + condition);
        if (found.equals(file)) return;
        var differences = differences();
        throw new Fault.ImportMismatch("after the import " + table.name() + " does not match the file: it has " + found.rows()
                + " rows with digest " + found.digest() + " instead of " + file.rows() + " with " + file.digest()
                + (differences.isEmpty() ? "" : "\n" + String.join("\n", differences))
                + (triggers.isEmpty() ? ""
                        : "\nTriggers fire on the table and may have changed rows: " + String.join(", ", triggers)
                                + ". Leave the columns that they set out of the data set, or change the triggers")
                + "\nThe import was rolled back: nothing was changed");
    }

    private List<String> differences() throws SQLException {
        var differences = new ArrayList<String>();
        String distinct = table.columns().stream().map(c -> "t." + Sql.identifier(c) + "::text COLLATE pg_catalog.\"C\" IS DISTINCT FROM s."
                + Sql.identifier(c) + "::text COLLATE pg_catalog.\"C\"").collect(Collectors.joining(" OR "));
        String from = TypedStaging.TABLE + " s LEFT JOIN " + Sql.table(table.name()) + " t ON " + sameKey + " AND " + condition + " JOIN "
                + RawStaging.TABLE + " r ON r.record OPERATOR(pg_catalog.=) s." + staging.record();
        // the key is NULL only if the join found no row
        String absent = "t." + Sql.identifier(table.key().getFirst()) + " IS NULL";
        try (var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT r.line, " + absent + ", " + texts("s.") + ", " + texts("t.") + " FROM " + from
                        + " WHERE " + absent + " OR " + distinct + " ORDER BY r.record LIMIT " + FileProblems.SAMPLES)) {
            while (row.next()) {
                var written = (String[]) row.getArray(3).getArray();
                var kept = (String[]) row.getArray(4).getArray();
                differences.add(
                        "line " + row.getLong(1) + (row.getBoolean(2) ? ": the table has no such row" : ": " + changed(written, kept)));
            }
        }
        return differences;
    }

    private String texts(String prefix) {
        return table.columns().stream().map(c -> prefix + Sql.identifier(c) + "::text")
                .collect(Collectors.joining(", ", "ARRAY[", "]::text[]"));
    }

    private String changed(String[] written, String[] kept) {
        var changed = new ArrayList<String>();
        for (int i = 0; i < written.length; i++)
            if (!java.util.Objects.equals(written[i], kept[i]))
                changed.add(table.columns().get(i) + " is " + shown(kept[i]) + " instead of " + shown(written[i]));
        return String.join(", ", changed);
    }

    private static String shown(String value) {
        return value == null ? "NULL" : "'" + FileProblems.shown(value) + "'";
    }
}
