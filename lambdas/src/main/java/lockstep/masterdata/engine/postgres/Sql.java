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

/** SQL kept in {@code .sql} resources beside this class, and the quoting that text made from names and values needs. */
public final class Sql {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([a-z_]+)}");
    private static final Map<String, String> TEXTS = new ConcurrentHashMap<>();

    private Sql() {}

    /** The text of {@code <name>.sql}. */
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
     * The text of {@code <name>.sql} with each {@code {placeholder}} replaced, in one pass: what is put in is not searched again.
     *
     * @throws IllegalArgumentException when the text has a placeholder without a value, or a value has no placeholder
     */
    public static String named(String name, Map<String, String> values) {
        var used = new HashSet<String>();
        String filled = fill(name, placeholder -> {
            used.add(placeholder);
            return values.get(placeholder);
        });
        if (!used.equals(values.keySet())) throw new IllegalArgumentException(name + ".sql has no placeholder for some of " + values.keySet() + ", only for " + used);
        return filled;
    }

    /** The same with values that are asked for by name; {@code null} for a name that is unknown. */
    public static String fill(String name, Function<String, String> values) {
        return PLACEHOLDER.matcher(named(name)).replaceAll(found -> {
            String value = values.apply(found.group(1));
            if (value == null) throw new IllegalArgumentException("no value for {" + found.group(1) + "} of " + name + ".sql");
            return Matcher.quoteReplacement(value);
        });
    }

    /** A table's name, quoted throughout. */
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

    /** The columns quoted and joined with commas, each with the prefix, such as {@code t.}. */
    public static String columns(String prefix, List<String> names) {
        return names.stream().map(n -> prefix + identifier(n)).collect(Collectors.joining(", "));
    }

    public static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Statements to a database. */
    public interface Query<T> {
        T run() throws SQLException;
    }

    /**
     * Runs statements that look rows of a table up by its key, one after the other. By itself PostgreSQL would rather read the whole table into a hash
     * and, when that does not fit into memory, hand its rows out in no order: an UPDATE then jumps all over the table and its indexes.
     *
     * @param so or else joins as PostgreSQL sees fit
     */
    public static <T> T byKey(Connection connection, boolean so, Query<T> query) throws SQLException {
        if (!so) return query.run();
        execute(connection, "SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off");
        T answer = query.run();
        execute(connection, "SET LOCAL enable_hashjoin TO on; SET LOCAL enable_mergejoin TO on");
        return answer;
    }

    /** The rows changed. */
    public static long update(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            return statement.executeLargeUpdate(sql);
        }
    }
}
