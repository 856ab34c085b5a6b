package lockstep.migration.source;

import java.util.List;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Column;

/**
 * A table of the old database, and the form in which it lands.
 *
 * @param columns its columns, with the PostgreSQL types in which they land
 * @param key     the columns of its primary key; empty if it has none
 * @param rows    the server's estimate
 * @param bytes   the server's estimate
 */
public record SourceTable(String name, List<Column> columns, List<String> key, long rows, long bytes) {
    public SourceTable {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
    }

    /** @throws Fault.SourceChanged if the columns are now others than when this table was read from the catalogue */
    void refuseOther(List<Column> now) {
        if (!now.equals(columns))
            throw new Fault.SourceChanged("the columns of " + name + " at the source have changed; start again", null);
    }
}
