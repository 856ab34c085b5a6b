package lockstep.masterdata.engine.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.landscape.TableName;

/** Loads and fills SQL from {@code .sql} resources, quotes names and values, and executes statements. */
public final class Sql {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([a-z_]+)}");
    private static final Map<String, String> TEXTS = new ConcurrentHashMap<>();

    private Sql() {}

    /** Returns the text of {@code <name>.sql}. */
    public static String named(String name) {
        return TEXTS.computeIfAbsent(name, n -> {
            try (InputStream in = Sql.class.getResourceAsStream("/lockstep/masterdata/engine/" + n + ".sql")) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /**
     * Returns the text of {@code <name>.sql} with each {@code {placeholder}} replaced. Replacements are not searched for placeholders.
     *
     * @throws IllegalArgumentException when a placeholder has no value, or a value has no placeholder
     */
    public static String named(String name, Map<String, String> values) {
        var used = new HashSet<String>();
        String filled = fill(name, placeholder -> {
            used.add(placeholder);
            return values.get(placeholder);
        });
        if (!used.equals(values.keySet()))
            throw new IllegalArgumentException(name + ".sql has no placeholder for some of " + values.keySet() + ", only for " + used);
        return filled;
    }

    /** As {@link #named(String, Map)}, with a function that returns each placeholder's value, or {@code null} when it has none. */
    public static String fill(String name, Function<String, String> values) {
        return PLACEHOLDER.matcher(named(name)).replaceAll(found -> {
            String value = values.apply(found.group(1));
            if (value == null) throw new IllegalArgumentException("no value for {" + found.group(1) + "} of " + name + ".sql");
            return Matcher.quoteReplacement(value);
        });
    }

    /** Returns a table's name, qualified with its schema and quoted. */
    public static String table(String name) {
        var parts = TableName.parse(name);
        return identifier(parts.schema()) + "." + identifier(parts.table());
    }

    public static String identifier(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    public static String literal(String value) {
        return "'" + value.replace("'", "''") + "'";
    }

    /** Returns the columns quoted, with a prefix such as {@code t.}, and separated by commas. */
    public static String columns(String prefix, List<String> names) {
        return names.stream().map(n -> prefix + identifier(n)).collect(Collectors.joining(", "));
    }

    public static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Runs statements and returns a result. */
    public interface Query<T> {
        T run() throws SQLException;
    }

    /**
     * Runs statements that look up rows of a table by key with nested loops. PostgreSQL would otherwise prefer a hash join over the whole
     * table. When the hash does not fit into memory, its rows come in random order, and an UPDATE then accesses the table and its indexes
     * randomly.
     *
     * @param enforced if false, PostgreSQL chooses the join method
     */
    public static <T> T byKey(Connection connection, boolean enforced, Query<T> query) throws SQLException {
        if (!enforced) return query.run();
        execute(connection, "SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off");
        T answer = query.run();
        execute(connection, "SET LOCAL enable_hashjoin TO on; SET LOCAL enable_mergejoin TO on");
        return answer;
    }

    /** Executes the statement and returns the number of affected rows. */
    public static long update(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            return statement.executeLargeUpdate(sql);
        }
    }
}
