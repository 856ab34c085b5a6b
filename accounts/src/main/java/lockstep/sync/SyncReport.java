package lockstep.sync;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.project.TextTable;
import lockstep.sync.SyncState.DumpPhase;
import lockstep.sync.SyncState.ShardPhase;
import lockstep.sync.SyncState.TableChange;

/**
 * Formats the final report of a sync, a rollback or a repair.
 *
 * @param verbose whether every table is printed; otherwise only totals and the tables with the most rows
 */
public record SyncReport(boolean verbose) {
    /** The maximum number of tables that are printed. */
    static final int TABLES = 8;
    /** The maximum number of shards that are named. */
    private static final int NAMES = 12;

    /** The busiest elements in their original order, and the others. */
    record Busiest<T>(List<T> shown, List<T> others) {
        /** @param rows the number of rows of an element; more rows are busier */
        static <T> Busiest<T> of(List<T> all, ToLongFunction<T> rows, boolean everything) {
            if (everything || all.size() <= TABLES) return new Busiest<>(all, List.of());
            var shown = all.stream().sorted(Comparator.comparingLong(rows).reversed()).limit(TABLES).toList();
            return new Busiest<>(all.stream().filter(shown::contains).toList(), all.stream().filter(t -> !shown.contains(t)).toList());
        }
    }

    /** Returns names such as {@code demo-1, qa-1}; if there are many, the first ones and the number of others. */
    public static String names(List<String> shards) {
        return shards.size() <= NAMES ? String.join(", ", shards)
                : String.join(", ", shards.subList(0, NAMES)) + " and " + (shards.size() - NAMES) + " more";
    }

    public static String count(List<?> shards) {
        return shards.size() == 1 ? "one shard" : shards.size() + " shards";
    }

    /** Formats the durations: one row per shard with the seconds of each state and the peak memory of its workers. */
    public static String summary(SyncState state) {
        if (state.dump().phase() == DumpPhase.failed) return "";
        var table = new TextTable().left("", 13).left("", 11).right("snapshot", 10).right("parts", 9).right("seal", 9).right("all", 9)
                .right("memory", 9);
        times(table, "dump", "", state.dump().seconds(), List.of("snapshot", "parts", "seal", "all"), state.dump().peakMemoryMiB());
        table.row("shard", "account", "preflight", "staging", "publish", "", "memory");
        for (var shard : state.shards()) times(table, shard.shard(), shard.account(), shard.seconds(),
                List.of("preflight", "staging", "publish", ""), shard.peakMemoryMiB());
        return table + "\n";
    }

    private static void times(TextTable table, String subject, String account, Map<String, Double> seconds, List<String> states,
            Optional<Long> memory) {
        var cells = new ArrayList<Object>(List.of(subject, account));
        for (String name : states) cells.add(seconds.containsKey(name) ? String.format(Locale.ROOT, "%.1f s", seconds.get(name)) : "");
        cells.add(memory.filter(m -> m > 0).map(m -> m + " MiB").orElse(""));
        table.row(cells.toArray());
    }

    /** Formats the changes by table, once for all shards with the same changes; empty if nothing changed. */
    public String changes(List<SyncState.Shard> shards) {
        var alike = new LinkedHashMap<List<TableChange>, List<SyncState.Shard>>();
        shards.stream().filter(s -> s.phase() == ShardPhase.verified)
                .forEach(s -> alike.computeIfAbsent(changed(s), it -> new ArrayList<>()).add(s));
        alike.remove(List.<TableChange>of());
        if (alike.isEmpty()) return "";
        var text = changes(new TextTable());
        alike.forEach((tables, same) -> {
            var total = total(tables);
            text.row(alike.size() == 1 && same.size() == shards.size() ? "all"
                    : "all in " + names(same.stream().map(SyncState.Shard::shard).toList()), total.inserted(), total.updated(),
                    total.deleted(),
                    total.kept());
            tables(tables).forEach((name, table) -> text.row(name, table.inserted(), table.updated(), table.deleted(), table.kept()));
        });
        return text + "\n";
    }

    /** Formats the result of a dry run: the totals of each shard, and a line for each table that would change. */
    public String forecast(List<SyncState.Shard> shards) {
        var text = changes(new TextTable().left("shard", 13)).right("kB to send", 11);
        for (var shard : shards) {
            if (shard.phase() != ShardPhase.verified) continue;
            TableChange total = total(shard.tables());
            text.row(shard.shard(), "all", total.inserted(), total.updated(), total.deleted(), total.kept(),
                    String.format(Locale.ROOT, "%,.1f", shard.bytes().orElse(0L) / 1e3));
            tables(changed(shard))
                    .forEach((name, table) -> text.row("", name, table.inserted(), table.updated(), table.deleted(), table.kept(), ""));
        }
        return text + "\n";
    }

    private static TextTable changes(TextTable table) {
        return table.left("table", 27).right("inserted", 12).right("updated", 11).right("deleted", 11).right("kept", 11);
    }

    private Map<String, TableChange> tables(List<TableChange> changed) {
        var busiest = Busiest.of(changed, t -> t.inserted() + t.updated() + t.deleted() + t.kept(), verbose);
        var tables = new LinkedHashMap<String, TableChange>();
        busiest.shown().forEach(table -> tables.put(table.name(), table));
        if (!busiest.others().isEmpty()) tables.put("and " + busiest.others().size() + " more tables", total(busiest.others()));
        return tables;
    }

    /** Returns the changed tables without their current contents, which differ between shards if visitors' rows keep some rows. */
    private static List<TableChange> changed(SyncState.Shard shard) {
        return shard.tables().stream().filter(t -> t.inserted() + t.updated() + t.deleted() + t.kept() > 0)
                .map(t -> new TableChange(t.name(), 0, "", t.inserted(), t.updated(), t.deleted(), t.kept())).toList();
    }

    private static TableChange total(List<TableChange> tables) {
        return tables.stream().reduce(new TableChange("", 0, "", 0, 0, 0, 0),
                (a, b) -> new TableChange("", 0, "", a.inserted() + b.inserted(), a.updated() + b.updated(), a.deleted() + b.deleted(),
                        a.kept() + b.kept()));
    }

    /** Returns the last line of a dry run. */
    public static String forecastEnd(String what, List<SyncState.Shard> shards) {
        boolean nothing = shards.stream().allMatch(s -> s.changed() == 0);
        return "A " + what + " started now would " + (nothing ? "change nothing." : "do this. Nothing was changed.");
    }

    /** Formats the failures. A cause that several shards share is printed once with their names. */
    public static String failures(List<SyncState.Shard> shards) {
        var alike = new LinkedHashMap<String, List<SyncState.Shard>>();
        shards.stream().filter(s -> s.error().isPresent())
                .forEach(s -> alike.computeIfAbsent(Causes.withoutAddress(failure(s)), it -> new ArrayList<>()).add(s));
        return alike.entrySet().stream()
                .map(e -> names(e.getValue().stream().map(SyncState.Shard::shard).toList()) + " "
                        + (e.getValue().size() == 1 ? failure(e.getValue().getFirst()) : e.getKey()))
                .collect(Collectors.joining("; "));
    }

    private static String failure(SyncState.Shard shard) {
        return "in " + shard.failedState().orElse("?") + " with " + shard.error().orElse("?") + ": " + shard.cause().orElse("?");
    }

    /** Formats one line for each distinct warning, with its shards. */
    public static String warnings(List<SyncState.Warning> warnings) {
        return warnings.stream().map(w -> "Warning: " + w.warning() + " (" + names(w.shards()) + ")\n").collect(Collectors.joining());
    }
}
