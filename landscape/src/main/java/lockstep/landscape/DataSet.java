package lockstep.landscape;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Master data that is kept in sync: the name of the source shard, in which it is maintained, and its tables in file order.
 *
 * @param keep     how far back shards can be rolled back; {@link Keep#DEFAULT} if null
 * @param triggers how the product's triggers on the tables are treated; {@link Triggers#RUN} if null
 * @param watch    how targets are watched; {@link Watch#DEFAULT} if null
 * @param checks   user-defined checks that targets must pass; none if null
 * @param holding  when a sync waits for approval; {@link Holding#DEFAULT} if null
 * @param starting when syncs start automatically; {@link Starting#BY_HAND} if null
 */
public record DataSet(String name, String source, List<Table> tables, Keep keep, Triggers triggers, Watch watch, List<Check> checks,
        Holding holding, Starting starting) {
    /** The data set that commands use by default if there are several. */
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
     * Finds a table by its name, written as in SQL ({@code "Order Desk"."lineItem"}) or without quotes ({@code Order Desk.lineItem}). Empty
     * if there is no such table, or if the name is ambiguous.
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
            // without the quotes that SQL requires
        }
        return (own.schema() + "." + own.table()).equals(name);
    }

    /** The name of the most similar table, if any is similar enough. */
    public Optional<String> nearestTable(String name) {
        String plain = name.replace("\"", "").toLowerCase(Locale.ROOT);
        var names = new LinkedHashMap<String, String>();
        for (Table table : tables) names.put(table.name().replace("\"", "").toLowerCase(Locale.ROOT), table.name());
        return YamlValue.nearest(plain, names.keySet()).map(names::get);
    }

    /** The thresholds of this table. */
    public Hold hold(Table table) {
        return table.hold().orElse(holding.usual());
    }
}
