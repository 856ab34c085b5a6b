package lockstep.landscape;

import java.util.List;
import java.util.Optional;

/**
 * A table of a data set.
 *
 * @param name    as {@link TableName} writes it
 * @param columns the allow-list: the only columns that may leave the source, in file order; they contain the key. As the catalogue stores them
 * @param key     the columns that identify a row; unique at source and target
 * @param where   an SQL condition over allowed columns; rows outside it belong to the shard and are left alone
 * @param hold    when a sync is held for this table; as is usual in the data set when there is none
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
