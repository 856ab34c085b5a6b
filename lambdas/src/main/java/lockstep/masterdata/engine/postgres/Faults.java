package lockstep.masterdata.engine.postgres;

import java.sql.SQLException;
import lockstep.masterdata.engine.Fault;

/** Converts a database error into a fault according to its SQLSTATE. */
public final class Faults {
    private Faults() {}

    public static Fault of(SQLException e, String database) {
        String state = e.getSQLState() == null ? "" : e.getSQLState();
        String what = "database " + database + ": " + e.getMessage() + (state.isEmpty() ? "" : " (SQLSTATE " + state + ")");
        return switch (state) {
            // connection failures, shutdown or restart, too many connections
            case String s when s.startsWith("08") || s.startsWith("57P") || s.equals("53300") ->
                    new Fault.DatabaseUnavailable(what, e);
            // lock time-out, deadlock, serialization failure
            case "55P03", "40P01", "40001" -> new Fault.Busy(what, e);
            // disk full, out of memory: an operator may be fixing it
            case String s when s.startsWith("53") -> new Fault.DatabaseUnavailable(what, e);
            case "28P01", "28000", "42501", "3D000" -> new Fault.AccessRefused(what
                    + "; invoke the shard's prepare-database function, which creates the roles and their grants", e);
            // a table, column, operator or schema does not exist, or a type does not match
            case "42P01", "42703", "42704", "42804", "42883", "3F000" -> new Fault.SchemaMismatch(what
                    + "; the tables changed after the sync read their definitions: sync again when the migration there is done. After "
                    + "an upgrade of Lockstep, invoke the shard's prepare-database first",
                    e);
            // P0001: raised by a trigger of the product
            case String s when s.startsWith("23") || s.equals("P0001") -> new Fault.MergeConflict(what, e);
            default -> new Fault.Unexpected(what, e);
        };
    }
}
