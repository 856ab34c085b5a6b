package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import lockstep.masterdata.engine.Fault;

/**
 * Sets everything that a sync's sessions depend on, regardless of defaults of the role or the database: the text format of values (equal
 * values must have equal COPY lines), timeouts, transaction defaults, and row security.
 */
public final class SessionSettings {
    private SessionSettings() {}

    /** @throws Fault.AccessRefused when session_replication_role disables triggers and foreign keys, and only a superuser may change it */
    public static void apply(Connection connection) throws SQLException {
        int version = connection.getMetaData().getDatabaseMajorVersion();
        Sql.execute(connection, Sql.named("session_settings") + (version < 14 ? "" : "; SET idle_session_timeout = 0")
                + (version < 17 ? "" : "; SET transaction_timeout = 0"));
        String replication;
        String login;
        String database;
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(
                        "SELECT current_setting('session_replication_role'), quote_ident(current_user), quote_ident(current_database())")) {
            row.next();
            replication = row.getString(1);
            login = row.getString(2);
            database = row.getString(3);
        }
        if (replication.equals("origin")) return;
        try {
            Sql.execute(connection, "SET session_replication_role = origin");
        } catch (SQLException e) {
            throw new Fault.AccessRefused("sessions of " + login + " start with session_replication_role = " + replication
                    + ", so foreign keys are not checked. Run as a superuser: ALTER ROLE " + login
                    + " IN DATABASE " + database + " SET session_replication_role = origin;", e);
        }
    }
}
