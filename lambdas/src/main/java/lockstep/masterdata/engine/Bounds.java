package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Key ranges as SQL over a table that is called {@code t}. */
final class Bounds {
    private Bounds() {}

    /** Whether a row lies in the range. */
    static String within(List<String> from, List<String> until, List<String> key, List<Column> columns) {
        var conditions = new ArrayList<String>();
        if (!from.isEmpty()) conditions.add("(" + Sql.columns("t.", key) + ") >= " + row(from, key, columns));
        if (!until.isEmpty()) conditions.add("(" + Sql.columns("t.", key) + ") < " + row(until, key, columns));
        return conditions.isEmpty() ? "true" : String.join(" AND ", conditions);
    }

    /** Whether a row lies in one of the parts, which are in key order. */
    static String within(List<Part> parts, List<String> key, List<Column> columns) {
        var ranges = new ArrayList<String>();
        for (int i = 0; i < parts.size(); ) {
            int last = i;
            while (last + 1 < parts.size() && parts.get(last + 1).from().equals(parts.get(last).until())) last++;
            ranges.add("(" + within(parts.get(i).from(), parts.get(last).until(), key, columns) + ")");
            i = last + 1;
        }
        return ranges.isEmpty() ? "false" : String.join(" OR ", ranges);
    }

    /**
     * Whether these keys of a table ascend in this database, by the operators that {@link #within} uses. Then each row is in one of the
     * ranges between them.
     */
    static boolean ascend(Connection connection, String table, List<List<String>> bounds, List<String> key, List<Column> columns) throws SQLException {
        if (bounds.size() < 2) return true;
        var collations = Schema.collations(connection, table);
        var ascends = new ArrayList<String>();
        for (int i = 1; i < bounds.size(); i++) ascends.add(row(bounds.get(i - 1), key, columns, collations) + " < " + row(bounds.get(i), key, columns, collations));
        try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT " + String.join(" AND ", ascends))) {
            row.next();
            return row.getBoolean(1);
        }
    }

    /** The values of a key as a row of their types. */
    static String row(List<String> values, List<String> key, List<Column> columns) {
        return row(values, key, columns, Map.of());
    }

    private static String row(List<String> values, List<String> key, List<Column> columns, Map<String, String> collations) {
        var typed = new ArrayList<String>();
        for (int i = 0; i < key.size(); i++) typed.add(Sql.literal(values.get(i)) + "::" + type(key.get(i), columns) + collations.getOrDefault(key.get(i), ""));
        return typed.stream().collect(Collectors.joining(", ", "(", ")"));
    }

    /** {@code left.x = array[1]::type AND …}, for a key that is kept as an array of text. */
    static String equal(String left, List<String> key, String array, List<Column> columns) {
        var terms = new ArrayList<String>();
        for (int i = 0; i < key.size(); i++) terms.add(left + Sql.identifier(key.get(i)) + " = " + array + "[" + (i + 1) + "]::" + type(key.get(i), columns));
        return String.join(" AND ", terms);
    }

    private static String type(String name, List<Column> columns) {
        return columns.stream().filter(c -> c.name().equals(name)).findFirst().orElseThrow().type();
    }
}
