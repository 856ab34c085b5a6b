package lockstep.masterdata.check;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.landscape.TableName;

/**
 * An independent comparison of tables that shares nothing with the engine: no class, no SQL, no format, no manifest. Each server converts
 * its rows to text and hashes them; then the results of two servers are compared. It reads every row of every table and takes several times
 * as long as the engine's verification. Different tables yield equal sums by accident with a probability of about 2^-127. It does not
 * protect against forgery, because MD5 is broken and sums of hashes can be forged.
 */
public final class SqlCheck {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([a-z_]+)}");

    private SqlCheck() {}

    /** @param hash both sums in decimal, separated by a space */
    public record TableSum(String name, long rows, String hash) {}

    /** @param syncId the sync in force according to the database; empty at the source */
    public record Sums(Optional<String> syncId, List<TableSum> sums) {}

    /**
     * Computes the sums of all tables in one snapshot. The connection must see every row; with {@code row_security = off}, PostgreSQL
     * reports an error instead of hiding rows.
     *
     * @throws SQLException             when a table can't be read
     * @throws IllegalArgumentException when the data set has no tables
     */
    public static Sums of(Connection connection, DataSet dataSet) throws SQLException {
        if (dataSet.tables().isEmpty())
            throw new IllegalArgumentException("data set '" + dataSet.name() + "' has no table: there is nothing to check");
        connection.setAutoCommit(true);
        try (var statement = connection.createStatement()) {
            statement.execute("START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
            statement.execute(resource("settings.sql"));
            var sums = new ArrayList<TableSum>();
            for (Table table : dataSet.tables()) {
                try (var row = statement.executeQuery(query(dataSet, table))) {
                    row.next();
                    sums.add(new TableSum(table.name(), row.getLong(1), row.getString(2) + " " + row.getString(3)));
                }
            }
            try (var row = statement.executeQuery("SELECT sync_id FROM lockstep.applied WHERE data_set = " + literal(dataSet.name()))) {
                return new Sums(row.next() ? Optional.of(row.getString(1)) : Optional.empty(), sums);
            } finally {
                statement.execute("ROLLBACK");
            }
        }
    }

    private static String query(DataSet dataSet, Table table) {
        var name = TableName.parse(table.name());
        var values = Map.of("columns", table.columns().stream().map(c -> "t." + quoted(c)).collect(Collectors.joining(", ")),
                "key", table.key().stream().map(c -> "t." + quoted(c) + "::text COLLATE \"C\"").collect(Collectors.joining(", ")),
                "table", quoted(name.schema()) + "." + quoted(name.table()),
                "data_set", literal(dataSet.name()), "table_name", literal(table.name()),
                "condition", table.where().orElse("true"));
        return PLACEHOLDER.matcher(resource("table.sql")).replaceAll(found -> Matcher.quoteReplacement(values.get(found.group(1))));
    }

    private static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    private static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private static String resource(String name) {
        try (InputStream in = SqlCheck.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
