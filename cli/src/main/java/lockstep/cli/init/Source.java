package lockstep.cli.init;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import lockstep.landscape.TableName;
import tools.jackson.databind.json.JsonMapper;

/**
 * The catalogue of a database, as {@code catalogue.sql} reads it.
 *
 * @param days how long the server has counted writes, at least 1
 */
public record Source(double days, List<Table> tables) {
    private static final int SAMPLE = 1000;

    /**
     * An ordinary or partitioned table of the product.
     *
     * @param sql     the full name as in SQL
     * @param rows    an estimate
     * @param inserts rows that were inserted since the server counts writes
     * @param changes rows that were updated or deleted since then
     */
    public record Table(long oid, String schema, String name, String sql, String createSchema, boolean rowSecurity, long rows, long inserts,
            long changes,
            List<Column> columns, List<Constraint> constraints) {
        public TableName fullName() {
            return new TableName(schema, name);
        }

        /** The columns of the primary key; empty if there is none. */
        List<String> key() {
            return constraints.stream().filter(constraint -> constraint.kind().equals("p")).findFirst()
                    .map(constraint -> names(constraint.columns())).orElse(List.of());
        }

        List<Constraint> references() {
            return constraints.stream().filter(constraint -> constraint.kind().equals("f")).toList();
        }

        List<String> names(List<Integer> numbers) {
            return numbers.stream().map(number -> columns.stream().filter(column -> column.number() == number).findFirst().orElseThrow()
                    .name()).toList();
        }
    }

    /**
     * @param sql     the name as in SQL
     * @param kinds   {@code typtype} of its type, and of those that it is made of
     * @param creates statements that create its types
     */
    public record Column(int number, String name, String sql, String type, boolean text, boolean notNull, boolean hasDefault,
            boolean generated, List<String> kinds, List<String> creates) {}

    /**
     * A primary key, unique constraint or foreign key.
     *
     * @param kind            {@code p}, {@code u} or {@code f}
     * @param refersTo        the table that a foreign key refers to; otherwise 0
     * @param referredColumns the numbers of its columns; null without a foreign key
     */
    public record Constraint(String kind, List<Integer> columns, long refersTo, List<Integer> referredColumns, String sql) {}

    /** Reads the catalogue. The session can't write afterwards. */
    public static Source read(Connection connection) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute("SET default_transaction_read_only = on; SET statement_timeout = '60s'; SET search_path = ''");
            var answer = statement.executeQuery(resource("catalogue.sql"));
            answer.next();
            return JsonMapper.shared().readValue(answer.getString(1), Source.class);
        }
    }

    /** Returns the columns that have email addresses among the first rows. */
    static Set<String> emails(Connection connection, Table table) {
        var texts = table.columns().stream().filter(Column::text).toList();
        if (texts.isEmpty()) return Set.of();
        try (var statement = connection.createStatement()) {
            var answer = statement.executeQuery(texts.stream()
                    .map(column -> "bool_or(" + column.sql() + "::text ~ '[^@[:space:]]@[^@[:space:]]+[.][a-z]')")
                    .collect(Collectors.joining(", ", "SELECT ", " FROM (SELECT * FROM " + table.sql() + " LIMIT " + SAMPLE + ") s")));
            answer.next();
            var found = new HashSet<String>();
            for (int i = 0; i < texts.size(); i++) if (answer.getBoolean(i + 1)) found.add(texts.get(i).name());
            return found;
        } catch (SQLException e) {
            throw new IllegalStateException("cannot read " + table.fullName() + ": " + e.getMessage(), e);
        }
    }

    static String resource(String name) {
        try (InputStream in = Source.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
