package lockstep.masterdata.engine.imports;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * A column of a table into which a file is imported.
 *
 * @param type     the type as formatted by {@code format_type}, with its modifier
 * @param required whether the column or its domain is NOT NULL
 * @param base     the type below all domains, without a modifier, as formatted by {@code format_type}
 * @param baseName the name of the base type in the catalogue
 * @param modified whether the base type is PostgreSQL's own and has a modifier, such as {@code numeric(10,2)}
 */
record ImportColumn(String name, String type, boolean required, String base, String baseName, boolean modified) {
    static List<ImportColumn> read(Connection connection, String table, List<String> names) throws SQLException {
        var columns = new ArrayList<ImportColumn>();
        try (var query = connection.prepareStatement(Sql.named("import_columns"))) {
            query.setArray(1, connection.createArrayOf("text", names.toArray()));
            query.setString(2, Sql.table(table));
            try (var row = query.executeQuery()) {
                while (row.next())
                    columns.add(new ImportColumn(row.getString(1), row.getString(2), row.getBoolean(3), row.getString(4), row.getString(5),
                            row.getBoolean(6)));
            }
        }
        return columns;
    }

    /**
     * Returns an SQL condition that is true if the column stores less than what was written, because PostgreSQL rounds or truncates some
     * types without an error. Empty for types that store everything they accept. Floating-point types are ignored, because the digits that
     * they store depend on the value.
     *
     * @param written an SQL expression of type text that the column has accepted
     * @param kept    the column
     */
    Optional<String> losing(String written, String kept) {
        var conditions = new ArrayList<String>();
        // character(n) ignores trailing blanks, and bit strings of another length are refused
        if (modified && !List.of("bpchar", "bit", "varbit").contains(baseName)) conditions.add(differs(base, written, kept, base));
        switch (baseName) {
            // an offset is dropped
            case "timestamp" -> conditions.add(differs("timestamp with time zone", written, kept, base));
            case "time" -> conditions.add(differs("time with time zone", written, kept, base));
            // the time of day is dropped
            case "date" -> conditions.add(differs("timestamp without time zone", written, kept, base));
            // cut without an error
            case "name", "char" -> conditions
                    .add(written + " COLLATE pg_catalog.\"C\" IS DISTINCT FROM " + kept + "::pg_catalog.text COLLATE pg_catalog.\"C\"");
            // of two fields of the same name, the last one is kept
            case "jsonb" -> conditions.add("NOT (" + written + " IS JSON WITH UNIQUE KEYS)");
            case "money" -> conditions.add(written + " ~ '\\.\\d{2}\\d*[1-9]'");
            default -> {}
        }
        // microseconds are the limit of these types
        if (List.of("timestamp", "timestamptz", "time", "timetz").contains(baseName)) conditions.add(written + " ~ '\\.\\d{6}\\d*[1-9]'");
        return conditions.isEmpty() ? Optional.empty() : Optional.of("(" + String.join(" OR ", conditions) + ")");
    }

    /** Compares both values as a type that loses nothing, if that type accepts what was written. */
    private static String differs(String type, String written, String kept, String base) {
        String collation = type.startsWith("character varying") ? " COLLATE pg_catalog.\"C\"" : "";
        return "CASE WHEN pg_catalog.pg_input_is_valid(" + written + ", " + Sql.literal(type) + ") THEN CAST(" + written + " AS " + type
                + ")" + collation
                + " IS DISTINCT FROM CAST(CAST(" + kept + " AS " + base + ") AS " + type + ")" + collation + " ELSE false END";
    }
}
