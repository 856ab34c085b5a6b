package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import lockstep.masterdata.engine.Fault;

/** Opens connections to a shard's database. Every connection has the settings of {@link SessionSettings}. */
public interface Database {
    /**
     * Opens a connection with autocommit on. Retries for a few seconds while the server does not answer.
     *
     * @throws Fault.DatabaseUnavailable when it still does not answer
     * @throws Fault.AccessRefused       when the login is refused
     */
    Connection connect();

    /** Returns the database's name for messages. */
    String name();

    /** An operation that needs a connection. */
    interface Work<T> {
        T with(Connection connection) throws SQLException;
    }

    /** Runs the work on a new connection and converts database errors into faults. */
    default <T> T run(Work<T> work) {
        try (Connection connection = connect()) {
            return work.with(connection);
        } catch (SQLException e) {
            throw Faults.of(e, name());
        }
    }

    /** Runs the work in one transaction: committed when it returns, rolled back when it throws. */
    default <T> T transaction(Work<T> work) {
        return run(connection -> {
            connection.setAutoCommit(false);
            try {
                T result = work.with(connection);
                connection.commit();
                return result;
            } catch (SQLException | RuntimeException e) {
                try {
                    connection.rollback();
                } catch (SQLException lost) {
                    e.addSuppressed(lost);
                }
                throw e;
            }
        });
    }
}
