package lockstep.clinic.store;

import java.sql.SQLException;

/** Thrown if a database operation fails. The cause has the server's message. */
public final class StoreFault extends RuntimeException {
    StoreFault(SQLException cause) {
        super(cause.getMessage(), cause);
    }

    /** Whether a text contained NUL, which PostgreSQL can't store. The application's pages never send it. */
    public boolean isOfUnstorableText() {
        return "22021".equals(((SQLException) getCause()).getSQLState());
    }

    /** Whether the table or view does not exist, or the application has no access to it. */
    boolean isOfMissingTable() {
        String state = ((SQLException) getCause()).getSQLState();
        return "42P01".equals(state) || "3F000".equals(state) || "42501".equals(state);
    }
}
