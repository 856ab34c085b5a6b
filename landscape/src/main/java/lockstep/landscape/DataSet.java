package lockstep.landscape;

import java.util.List;

/**
 * Master data that is kept in step: the name of the shard it is maintained in, and its tables in file order.
 *
 * @param keep     how long shards can be brought back; {@link Keep#DEFAULT} when null
 * @param triggers of the product, on its tables; they {@link Triggers#RUN} when null
 * @param watch    how targets are watched; {@link Watch#DEFAULT} when null
 * @param checks   of the user's own, which targets must pass; none when null
 * @param holding  when a sync waits for a person; {@link Holding#DEFAULT} when null
 * @param starting when syncs start by themselves; {@link Starting#BY_HAND} when null
 */
public record DataSet(String name, String source, List<Table> tables, Keep keep, Triggers triggers, Watch watch, List<Check> checks, Holding holding, Starting starting) {
    /** The data set that commands are about when no other is named. */
    public static final String DEFAULT_NAME = "master";

    public DataSet {
        tables = List.copyOf(tables);
        if (keep == null) keep = Keep.DEFAULT;
        if (triggers == null) triggers = Triggers.RUN;
        if (watch == null) watch = Watch.DEFAULT;
        if (holding == null) holding = Holding.DEFAULT;
        if (starting == null) starting = Starting.BY_HAND;
        checks = checks == null ? List.of() : List.copyOf(checks);
    }

    public DataSet(String name, String source, List<Table> tables, Keep keep, Triggers triggers) {
        this(name, source, tables, keep, triggers, Watch.DEFAULT, List.of(), Holding.DEFAULT, Starting.BY_HAND);
    }

    public DataSet(String name, String source, List<Table> tables) {
        this(name, source, tables, Keep.DEFAULT, Triggers.RUN);
    }

    /** When a sync is held for this table. */
    public Hold hold(Table table) {
        return table.hold().orElse(holding.usual());
    }
}
