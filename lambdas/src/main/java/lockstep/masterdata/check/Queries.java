package lockstep.masterdata.check;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import lockstep.landscape.Check;

/**
 * Runs the user's own consistency queries. Each runs in its own read-only transaction, so that a failing query does not affect the others.
 */
public final class Queries {
    /** A query that takes longer fails. */
    private static final int TIMEOUT_SECONDS = 60;

    private Queries() {}

    /**
     * @param answer the value that the query returned; empty when it is NULL or the query failed
     * @param error  why the query did not return one row with one column
     */
    public record Result(String name, boolean passed, Optional<String> answer, Optional<String> error) {}

    public record Results(List<Result> checks) {}

    /** @throws SQLException when the connection itself fails; there are no results then */
    public static Results run(Connection connection, List<Check> checks) throws SQLException {
        var results = new ArrayList<Result>();
        connection.setAutoCommit(false);
        connection.setReadOnly(true);
        for (Check check : checks) {
            results.add(run(connection, check));
            connection.rollback();
        }
        return new Results(results);
    }

    private static Result run(Connection connection, Check check) {
        try (var statement = connection.createStatement()) {
            statement.execute("SET LOCAL statement_timeout = '" + TIMEOUT_SECONDS + "s'");
            try (var row = statement.executeQuery(check.sql())) {
                if (row.getMetaData().getColumnCount() != 1)
                    return failed(check, "the query returned " + row.getMetaData().getColumnCount() + " columns, expected one");
                if (!row.next()) return failed(check, "the query returned no row, expected one");
                String answer = row.getString(1);
                if (row.next()) return failed(check, "the query returned more than one row");
                return new Result(check.name(), Objects.equals(answer, check.expected()), Optional.ofNullable(answer), Optional.empty());
            }
        } catch (SQLException e) {
            return failed(check, e.getMessage());
        }
    }

    private static Result failed(Check check, String why) {
        return new Result(check.name(), false, Optional.empty(), Optional.of(why));
    }
}
