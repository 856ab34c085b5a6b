package lockstep.masterdata.engine.restore;

import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.postgres.Key;
import lockstep.masterdata.engine.postgres.Schema.TableInfo;

/**
 * A table to be merged, with its staging tables.
 *
 * @param info    the table in this database
 * @param key     its key
 * @param columns the columns to be merged, including the key
 * @param where   the filter; rows outside it belong to the shard
 * @param staging the new rows, as an item of a FROM clause; its columns have the names of the merged ones
 * @param going   the same for rows to be deleted, if deltas name them
 * @param ranges  a condition on the table as {@code t}: matching rows that are not in {@code staging} are deleted
 * @param few     whether only few of the table's rows change, so that they are looked up by key
 * @param kept    whether earlier merges kept deleted rows, because others referred to them
 */
public record StagedTable(TableInfo info, Key key, List<String> columns, Optional<String> where, String staging, Optional<String> going,
        String ranges, boolean few, boolean kept) {
    public StagedTable {
        columns = List.copyOf(columns);
    }

    String name() {
        return info.name();
    }
}
