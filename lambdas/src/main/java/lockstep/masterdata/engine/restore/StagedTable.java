package lockstep.masterdata.engine.restore;

import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.postgres.Key;
import lockstep.masterdata.engine.postgres.Schema.TableInfo;

/**
 * A table that is to be merged, and where the rows to come lie.
 *
 * @param info    of the table as it is in this database
 * @param key     of {@code info}
 * @param columns that are merged; they contain the key
 * @param where   rows outside it belong to the shard
 * @param staging the quoted name of the table with the rows to come; its columns have the names of the merged ones
 * @param going   the same with rows that go, when they are named one by one
 * @param ranges  a condition over the table as {@code t}: of the rows in it, those that are not in {@code staging} go
 * @param few     only few of the table's rows come and go: they are looked up by their keys
 * @param kept    earlier merges kept rows that were to go, because others referred to them
 */
public record StagedTable(TableInfo info, Key key, List<String> columns, Optional<String> where, String staging, Optional<String> going, String ranges, boolean few, boolean kept) {
    public StagedTable {
        columns = List.copyOf(columns);
    }

    String name() {
        return info.name();
    }
}
