package lockstep.landscape;

/**
 * A user-defined query to which every target shard must return the expected answer. It runs as the reader login, which may read only the
 * data set's columns.
 *
 * @param name     unique in the data set
 * @param sql      a query that returns one row with one column
 * @param expected the expected answer, as text
 */
public record Check(String name, String sql, String expected) {}
