package lockstep.landscape;

import java.util.List;

/**
 * Master data that is kept in step: the name of the shard it is maintained in, and its tables in file order.
 *
 * @param keep     how long shards can be brought back; {@link Keep#DEFAULT} when null
 * @param triggers of the product, on its tables; they {@link Triggers#RUN} when null
 */
public record DataSet(String name, String source, List<Table> tables, Keep keep, Triggers triggers) {
    public DataSet {
        tables = List.copyOf(tables);
        if (keep == null) keep = Keep.DEFAULT;
        if (triggers == null) triggers = Triggers.RUN;
    }

    public DataSet(String name, String source, List<Table> tables) {
        this(name, source, tables, Keep.DEFAULT, Triggers.RUN);
    }
}
