package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import lockstep.masterdata.engine.Fault;

/** A way to a shard's database. Every connection comes with the settings that fix how values read as text. */
public interface Database {
    /**
     * A new connection, autocommit on. Tries again for a few seconds while the server does not answer.
     *
     * @throws Fault.DatabaseUnavailable when it still does not
     * @throws Fault.AccessRefused       when the login is refused
     */
    Connection connect();

    /** What to call it in messages. */
    String name();

    /** Something to do with a connection. */
    interface Work<T> {
        T with(Connection connection) throws SQLException;
    }

    /** Runs the work on a connection of its own and tells database errors as faults. */
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
