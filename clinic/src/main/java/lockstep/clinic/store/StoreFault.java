package lockstep.clinic.store;

import java.sql.SQLException;

/** The database did not do what it was asked to; the cause has its words. */
public final class StoreFault extends RuntimeException {
    StoreFault(SQLException cause) {
        super(cause.getMessage(), cause);
    }

    /** Whether a text held a character that the database keeps in none: NUL. No page of ours sends one. */
    public boolean isOfUnstorableText() {
        return "22021".equals(((SQLException) getCause()).getSQLState());
    }

    /** Whether the database has no such table or view, or does not let the application see it. */
    boolean isOfMissingTable() {
        String state = ((SQLException) getCause()).getSQLState();
        return "42P01".equals(state) || "3F000".equals(state) || "42501".equals(state);
    }
}
