package lockstep.masterdata.engine.restore;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * What of the product's tables is laid aside until the end of a transaction. The writer owns none of them: the functions are the
 * administrator's, made by {@link DatabaseRoles}. If the transaction ends otherwise than by a commit, nothing was ever laid aside.
 */
final class SuspendedConstraints {
    private SuspendedConstraints() {}

    /**
     * Keys, indexes and foreign keys of those of the tables that are empty; from now on nobody else may use these.
     *
     * @return which tables they are; none if one of them is in use, or if the database was prepared before there was such a thing
     */
    static Set<String> keys(Connection connection, String dataSet, List<String> tables) throws SQLException {
        if (!isPrepared(connection)) return Set.of();
        try (var query = connection.prepareStatement("SELECT lockstep.lay_keys_aside(?, ?)")) {
            query.setString(1, dataSet);
            query.setArray(2, connection.createArrayOf("text", tables.toArray()));
            try (var row = query.executeQuery()) {
                row.next();
                return Set.copyOf(Schema.strings(row.getArray(1)));
            }
        }
    }

    /**
     * Triggers of the product on these tables.
     *
     * @throws Fault.AccessRefused when the database was not prepared for that
     */
    static void triggers(Connection connection, String dataSet, List<String> tables) throws SQLException {
        if (!isPrepared(connection))
            throw new Fault.AccessRefused("this database was prepared before data set '" + dataSet + "' had triggers: disable. Invoke prepare-database. Nothing was changed", null);
        try (var query = connection.prepareStatement("SELECT lockstep.lay_triggers_aside(?, ?)")) {
            query.setString(1, dataSet);
            query.setArray(2, connection.createArrayOf("text", tables.toArray()));
            query.execute();
        }
    }

    /** All of it. No check may be deferred meanwhile: a table that waits for one can't be altered. */
    static void putBack(Connection connection, String dataSet) throws SQLException {
        Sql.execute(connection, "SELECT lockstep.put_back(" + Sql.literal(dataSet) + ")");
    }

    private static boolean isPrepared(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT coalesce(has_function_privilege(to_regprocedure('lockstep.put_back(text)')::oid, 'EXECUTE'), false)")) {
            row.next();
            return row.getBoolean(1);
        }
    }
}
