package lockstep.migration.source;

/**
 * Something about a source that a migration can't handle, or should not be surprised by.
 *
 * @param refuses whether the tables can't be copied as they are
 * @param where   the server, a table or a column
 * @param what    what is wrong, with the number of rows and examples where rows are concerned
 * @param remedy  how to fix it
 */
public record Finding(boolean refuses, String where, String what, String remedy) {
    @Override
    public String toString() {
        return where + ": " + what + "; " + remedy;
    }
}
