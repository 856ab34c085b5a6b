package lockstep.masterdata.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** SQL kept in {@code .sql} resources beside this class, and the quoting that text made from names and values needs. */
final class Sql {
    private static final Map<String, String> TEXTS = new ConcurrentHashMap<>();

    private Sql() {}

    /** The text of {@code <name>.sql}. */
    static String named(String name) {
        return TEXTS.computeIfAbsent(name, n -> {
            try (InputStream in = Sql.class.getResourceAsStream(n + ".sql")) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** The text of {@code <name>.sql} with each {@code {placeholder}} replaced. */
    static String named(String name, Map<String, String> values) {
        String text = named(name);
        for (var value : values.entrySet()) text = text.replace("{" + value.getKey() + "}", value.getValue());
        return text;
    }

    /** {@code schema.table} quoted. */
    static String table(String name) {
        int dot = name.indexOf('.');
        return identifier(name.substring(0, dot)) + "." + identifier(name.substring(dot + 1));
    }

    static String identifier(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    static String literal(String value) {
        return "'" + value.replace("'", "''") + "'";
    }

    /** The columns quoted and joined with commas, each with the prefix, such as {@code t.}. */
    static String columns(String prefix, List<String> names) {
        return names.stream().map(n -> prefix + identifier(n)).collect(Collectors.joining(", "));
    }

    /** {@code a.x = b.x AND …}; all columns are known to hold no NULL. */
    static String equal(String left, List<String> leftNames, String right, List<String> rightNames) {
        var terms = new java.util.ArrayList<String>();
        for (int i = 0; i < leftNames.size(); i++)
            terms.add(left + identifier(leftNames.get(i)) + " = " + right + identifier(rightNames.get(i)));
        return String.join(" AND ", terms);
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Statements to a database. */
    interface Query<T> {
        T run() throws SQLException;
    }

    /**
     * Runs statements that look rows of a table up by its key, one after the other. By itself PostgreSQL would rather read the whole table into a hash
     * and, when that does not fit into memory, hand its rows out in no order: an UPDATE then jumps all over the table and its indexes.
     *
     * @param so or else joins as PostgreSQL sees fit
     */
    static <T> T byKey(Connection connection, boolean so, Query<T> query) throws SQLException {
        if (!so) return query.run();
        execute(connection, "SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off");
        T answer = query.run();
        execute(connection, "SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT");
        return answer;
    }

    /** The rows changed. */
    static long update(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            return statement.executeLargeUpdate(sql);
        }
    }
}
