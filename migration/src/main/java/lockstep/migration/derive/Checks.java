package lockstep.migration.derive;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.migration.derive.Migration.Check;
import lockstep.migration.land.Schemas;

/** Compares what the old and the new model compute, such as monthly totals. */
public final class Checks {
    private final Migration migration;
    private final Database target;

    public Checks(Migration migration, Database target) {
        this.migration = migration;
        this.target = target;
    }

    /**
     * A row that differs between the two results.
     *
     * @param key     the values of the leading columns
     * @param old     the values of the other columns; empty if there is no such row
     * @param current as {@code old}
     * @param allowed the reason why it may differ
     */
    public record Difference(String check, List<String> key, Optional<List<String>> old, Optional<List<String>> current,
            Optional<String> allowed) {
        @Override
        public String toString() {
            return check + " " + String.join(", ", key) + ": " + old.map(row -> String.join(", ", row)).orElse("nothing") + " before, "
                    + current.map(row -> String.join(", ", row)).orElse("nothing") + " now"
                    + allowed.map(reason -> " (allowed: " + reason + ")").orElse("");
        }
    }

    /**
     * Runs all checks, each in one snapshot.
     *
     * @return the rows that differ, those that may differ included
     * @throws Fault.InvalidRequest if a query is wrong, or several rows of its result have the same key
     */
    public List<Difference> run() {
        var differences = new ArrayList<Difference>();
        for (Check check : migration.checks()) differences.addAll(target.run(connection -> {
            Sql.execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            var old = rows(connection, check, "old", check.old(), new Schemas(migration.name()).old() + ", ");
            var current = rows(connection, check, "new", check.current(), "");
            Sql.execute(connection, "ROLLBACK");
            return compare(check, old, current);
        }));
        return differences;
    }

    private static List<Difference> compare(Check check, Map<List<String>, List<String>> old, Map<List<String>, List<String>> current) {
        var differences = new ArrayList<Difference>();
        old.forEach((key, values) -> {
            var now = Optional.ofNullable(current.remove(key));
            if (now.filter(values::equals).isEmpty()) differences.add(new Difference(check.name(), key, Optional.of(values), now,
                    Optional.ofNullable(check.allowed().get(key))));
        });
        current.forEach((key, values) -> differences.add(new Difference(check.name(), key, Optional.empty(), Optional.of(values),
                Optional.ofNullable(check.allowed().get(key)))));
        differences.sort(Comparator.comparing(difference -> String.join("\t", difference.key())));
        return differences;
    }

    private static Map<List<String>, List<String>> rows(Connection connection, Check check, String which, String query, String schema)
            throws SQLException {
        Sql.execute(connection, "SET LOCAL search_path = " + schema + "pg_catalog");
        var rows = new LinkedHashMap<List<String>, List<String>>();
        String place = "check " + check.name() + ", " + which + ": ";
        try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
            int columns = row.getMetaData().getColumnCount();
            if (columns <= check.key()) throw new Fault.InvalidRequest(place + "the query returns " + columns + " columns; it needs the "
                    + check.key() + " of the key and at least one that is compared");
            while (row.next()) {
                var values = new ArrayList<String>();
                for (int i = 1; i <= columns; i++) values.add(Optional.ofNullable(row.getString(i)).orElse("NULL"));
                var key = List.copyOf(values.subList(0, check.key()));
                if (rows.put(key, List.copyOf(values.subList(check.key(), columns))) != null) throw new Fault.InvalidRequest(
                        place + "several rows have the key " + String.join(", ", key)
                                + "; group by it, or raise the number of key columns");
            }
        } catch (SQLException e) {
            if (e.getSQLState() != null && e.getSQLState().startsWith("42")) throw new Fault.InvalidRequest(place + e.getMessage());
            throw e;
        }
        return rows;
    }
}
