package lockstep.landscape;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

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

    /**
     * The table of this name, as in SQL ({@code "Order Desk"."lineItem"}) or without its quotes ({@code Order Desk.lineItem}); nothing when there
     * is none, or when more than one table can be meant.
     */
    public Optional<Table> table(String name) {
        var exact = tables.stream().filter(t -> t.name().equals(name)).findFirst();
        if (exact.isPresent()) return exact;
        var named = tables.stream().filter(t -> isName(t, name)).toList();
        return named.size() == 1 ? Optional.of(named.getFirst()) : Optional.empty();
    }

    private static boolean isName(Table table, String name) {
        var own = TableName.parse(table.name());
        try {
            if (TableName.parse(name).equals(own)) return true;
        } catch (IllegalArgumentException _) {
            // it has no quotes where SQL wants some
        }
        return (own.schema() + "." + own.table()).equals(name);
    }

    /** The name of the table that is most like this one, if any is much like it. */
    public Optional<String> nearestTable(String name) {
        String plain = name.replace("\"", "").toLowerCase(Locale.ROOT);
        var names = new LinkedHashMap<String, String>();
        for (Table table : tables) names.put(table.name().replace("\"", "").toLowerCase(Locale.ROOT), table.name());
        return YamlValue.nearest(plain, names.keySet()).map(names::get);
    }

    /** When a sync is held for this table. */
    public Hold hold(Table table) {
        return table.hold().orElse(holding.usual());
    }
}
