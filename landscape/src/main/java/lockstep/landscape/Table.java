package lockstep.landscape;

import java.util.List;
import java.util.Optional;

/**
 * A table of a data set.
 *
 * @param name    the name as written by {@link TableName}
 * @param columns the allow-list: the only columns that may leave the source, including the key, in file order and as the catalog stores
 *         them
 * @param key     the columns that identify a row; unique at source and target
 * @param where   an SQL condition on allowed columns. Rows that don't satisfy it belong to the shard, and syncs don't touch them
 * @param hold    the table's thresholds; if empty, those of the data set
 */
public record Table(String name, List<String> columns, List<String> key, Optional<String> where, Optional<Hold> hold) {
    public Table(String name, List<String> columns, List<String> key, Optional<String> where) {
        this(name, columns, key, where, Optional.empty());
    }

    public Table {
        name = TableName.parse(name).toString();
        columns = List.copyOf(columns);
        key = List.copyOf(key);
    }
}
