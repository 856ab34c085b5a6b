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
 * Suspends constraints, indexes and triggers of the product's tables within a transaction. The writer owns none of these tables, so it
 * calls functions of the administrator, which {@link DatabaseRoles} creates. A rollback restores everything.
 */
final class SuspendedConstraints {
    private SuspendedConstraints() {}

    /**
     * Drops keys, indexes and foreign keys of those of the tables that are empty, and locks these tables exclusively.
     *
     * @return the locked tables; none if one of them is in use, or if the database was prepared by a version without these functions
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
     * Disables the product's triggers on these tables.
     *
     * @throws Fault.AccessRefused when the database was prepared by a version without these functions
     */
    static void triggers(Connection connection, String dataSet, List<String> tables) throws SQLException {
        if (!isPrepared(connection))
            throw new Fault.AccessRefused("this database was prepared before data set '" + dataSet
                    + "' had triggers: disable. Invoke prepare-database. Nothing was changed", null);
        try (var query = connection.prepareStatement("SELECT lockstep.lay_triggers_aside(?, ?)")) {
            query.setString(1, dataSet);
            query.setArray(2, connection.createArrayOf("text", tables.toArray()));
            query.execute();
        }
    }

    /** Restores everything. No deferred constraint checks may be pending, because a table with pending checks can't be altered. */
    static void putBack(Connection connection, String dataSet) throws SQLException {
        Sql.execute(connection, "SELECT lockstep.put_back(" + Sql.literal(dataSet) + ")");
    }

    private static boolean isPrepared(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(
                        "SELECT coalesce(has_function_privilege(to_regprocedure('lockstep.put_back(text)')::oid, 'EXECUTE'), false)")) {
            row.next();
            return row.getBoolean(1);
        }
    }
}
