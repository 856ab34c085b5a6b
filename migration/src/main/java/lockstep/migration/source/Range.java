package lockstep.migration.source;

/**
 * A piece of a table, read by one connection in one go.
 *
 * @param condition an SQL condition in the source's dialect
 */
public record Range(SourceTable table, String condition) {}
