package lockstep.landscape;

/**
 * A query of the user's own that every shard which receives the data set must answer alike. It runs as the reader's login, which may read the data set's columns alone.
 *
 * @param name     unique in the data set
 * @param sql      a query of one row and one column
 * @param expected its answer, as text
 */
public record Check(String name, String sql, String expected) {}
