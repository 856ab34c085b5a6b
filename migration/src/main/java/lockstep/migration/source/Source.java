package lockstep.migration.source;

import java.util.List;

/** An old database. It is only read. */
public interface Source {
    /** Returns the base tables of the database in the order of their names. Those with findings that refuse have unusable columns. */
    List<SourceTable> tables();

    /**
     * Returns what stands in the way of copying these tables, or of following their changes afterwards. Reads the rows of columns that can
     * hold values which PostgreSQL has not.
     */
    List<Finding> findings(List<SourceTable> tables);

    /** Opens connections that all see the tables as they are at one position. */
    Snapshot snapshot(List<SourceTable> tables, int connections);
}
