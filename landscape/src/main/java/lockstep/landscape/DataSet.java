package lockstep.landscape;

import java.util.List;

/** Master data that is kept in step: the name of the shard it is maintained in, and its tables in file order. */
public record DataSet(String name, String source, List<Table> tables) {
    public DataSet {
        tables = List.copyOf(tables);
    }
}
