package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.landscape.TableName;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.schema.PolicyExpression;

/**
 * Checks that row-level security hides no rows from a sync. A hidden row would be treated as deleted, or a reference from it would be
 * missed. Sessions start with {@code row_security = off}, which makes PostgreSQL refuse to read a table whose policies apply to this login.
 * This class switches it on after it has checked in the catalogue that the policies hide nothing.
 */
public final class RowSecurity {
    private RowSecurity() {}

    /** As {@link #seeEveryRow(Connection, Collection)}, for all tables of a data set. */
    public static void seeEveryRow(Connection connection, DataSet dataSet) throws SQLException {
        seeEveryRow(connection, dataSet.tables().stream().map(Table::name).toList());
    }

    /** Returns those of the tables to which policies apply for this login. */
    public static Set<String> active(Connection connection, Collection<String> tables) throws SQLException {
        var active = new HashSet<String>();
        try (var query = Schema.query(connection, "row_security_active", tables); var row = query.executeQuery()) {
            while (row.next()) active.add(row.getString(1));
        }
        return active;
    }

    /**
     * Switches row security on for this session. A rollback of the surrounding transaction switches it back.
     *
     * @throws Fault.AccessRefused with the statements that fix it, when a policy may hide rows of these tables
     */
    public static void seeEveryRow(Connection connection, Collection<String> read) throws SQLException {
        seeAndWriteEveryRow(connection, read, List.of());
    }

    /**
     * As {@link #seeEveryRow(Connection, Collection)}, and also checks that this login may write every row of the tables in {@code
     * written}.
     */
    public static void seeAndWriteEveryRow(Connection connection, Collection<String> read, Collection<String> written) throws SQLException {
        var tables = Stream.concat(written.stream(), read.stream()).distinct().toList();
        var problems = new LinkedHashSet<String>();
        var statements = new LinkedHashSet<String>();
        String user = connection.getMetaData().getUserName();
        boolean prepared = true;
        try (var query = connection.prepareStatement(Sql.named("row_security"))) {
            query.setArray(1, connection.createArrayOf("text", tables.toArray()));
            query.setArray(2, connection.createArrayOf("text", tables.stream().map(t -> TableName.parse(t).schema()).toArray()));
            query.setArray(3, connection.createArrayOf("text", tables.stream().map(t -> TableName.parse(t).table()).toArray()));
            query.setArray(4, connection.createArrayOf("boolean", tables.stream().map(written::contains).toArray()));
            try (var row = query.executeQuery()) {
                while (row.next()) {
                    if (!row.getBoolean(4) && isTrue(row.getString(5), user) && isTrue(row.getString(6), user)) continue;
                    problems.add(row.getString(1) + ": " + row.getString(2));
                    statements.add(row.getString(3) + ";");
                    prepared &= !row.getBoolean(4);
                }
            }
        }
        if (!problems.isEmpty())
            throw new Fault.AccessRefused("row-level security prevents the sync. " + String.join("; ", problems)
                    + ". Nothing was changed. Run as the owner of the tables: "
                    + statements.stream().collect(Collectors.joining(" "))
                    + (prepared ? "" : " (of these, prepare-database creates only the policies)"), null);
        Sql.execute(connection, "SET row_security = on");
    }

    private static boolean isTrue(String condition, String user) {
        return condition == null || PolicyExpression.isTrue(condition, user);
    }
}
