package lockstep.cli.sync;

import java.io.PrintStream;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import lockstep.cli.sync.SyncState.DumpPhase;

/**
 * Draws a running sync on standard error: a line for the dump, one for each table and one for each target shard. In a terminal
 * the lines are redrawn in place; elsewhere a line is printed when it changes.
 */
final class SyncDisplay {
    private static final int WIDTH = 90;
    private final PrintStream out;
    private final boolean live;
    private final boolean colour;
    private final boolean dryRun;
    private final Map<String, String> shown = new LinkedHashMap<>();
    private int drawn;
    /** When a line was last printed: at its end a sync is as old as its last execution, which the clock here had passed before that was seen. */
    private double last;

    SyncDisplay(PrintStream out, boolean live, boolean colour) {
        this(out, live, colour, false);
    }

    SyncDisplay(PrintStream out, boolean live, boolean colour, boolean dryRun) {
        this.dryRun = dryRun;
        this.out = out;
        this.live = live;
        this.colour = colour;
    }

    void show(SyncState state) {
        var lines = lines(state);
        if (live) redraw(lines);
        else printChanged(state, lines);
    }

    private void redraw(Map<String, String> lines) {
        var text = new StringBuilder();
        if (drawn > 0) text.append("\033[").append(drawn).append('A');
        lines.forEach((subject, told) -> text.append("\033[2K  ").append(padded(subject)).append("  ").append(clipped(told)).append('\n'));
        out.print(text);
        out.flush();
        drawn = lines.size();
    }

    /** A line that wraps would be redrawn at the wrong place; a failure is told whole at the end. */
    private String clipped(String told) {
        return told.length() <= WIDTH ? told : told.substring(0, WIDTH) + (colour ? "…\033[0m" : "…");
    }

    private void printChanged(SyncState state, Map<String, String> lines) {
        last = Math.max(last, state.seconds());
        lines.forEach((subject, told) -> {
            if (!told.equals(shown.put(subject, told))) out.printf(Locale.ROOT, "%6.1f s  %s  %s%n", last, padded(subject), told);
        });
    }

    private static String padded(String subject) {
        return String.format("%-24s", subject);
    }

    private Map<String, String> lines(SyncState state) {
        var lines = new LinkedHashMap<String, String>();
        lines.put("dump", told(state.dump()));
        for (var table : state.dump().tables())
            lines.put(table.name(), String.format(Locale.ROOT, "%,d rows%s", table.rows(), table.done() ? "" : " so far"));
        for (var shard : state.shards()) lines.put(shard.shard(), told(shard));
        return lines;
    }

    private String told(SyncState.Dump dump) {
        return switch (dump.phase()) {
            case starting -> "taking a snapshot";
            case dumping -> "dumping the snapshot of " + dump.snapshotTime().orElseThrow().truncatedTo(ChronoUnit.SECONDS);
            case sealed -> green("sealed") + String.format(Locale.ROOT, ": %,d rows, %.1f MB", dump.tables().stream().mapToLong(SyncState.Table::rows).sum(), dump.bytes().orElse(0L) / 1e6);
            case failed -> red("FAILED") + " with " + dump.error().orElse("?") + ": " + dump.cause().orElse("?");
        };
    }

    /** Where a shard stands, in a few words. */
    String told(SyncState.Shard shard) {
        return switch (shard.phase()) {
            case waiting -> "waiting";
            case preflight -> "preflight";
            case staging -> String.format(Locale.ROOT, "staging, %,d rows so far", shard.stagedRows());
            case publishing -> dryRun ? "comparing" : "merging and verifying";
            case verified -> green(dryRun ? "compared" : "verified") + ": " + changes(shard);
            case failed -> red("FAILED") + " in " + shard.failedState().orElse("?") + " with " + shard.error().orElse("?") + ": " + shard.cause().orElse("?");
        };
    }

    private static String changes(SyncState.Shard shard) {
        var words = new ArrayList<String>();
        add(words, "inserted", shard.tables().stream().mapToLong(SyncState.TableChange::inserted).sum());
        add(words, "updated", shard.tables().stream().mapToLong(SyncState.TableChange::updated).sum());
        add(words, "deleted", shard.tables().stream().mapToLong(SyncState.TableChange::deleted).sum());
        add(words, "kept because other rows refer to them", shard.tables().stream().mapToLong(SyncState.TableChange::kept).sum());
        return words.isEmpty() ? "nothing differed" : String.join(", ", words);
    }

    /** What a dry run tells: one line for each table of each shard that would change. */
    static String forecast(List<SyncState.Shard> shards) {
        var text = new StringBuilder(String.format("%-14s %-28s %12s %12s %12s %12s %12s%n", "shard", "table", "inserted", "updated", "deleted", "kept", "kB to carry"));
        for (var shard : shards) {
            if (shard.phase() != SyncState.ShardPhase.verified) continue;
            text.append(String.format(Locale.ROOT, "%-14s %-28s %,12d %,12d %,12d %,12d %,12.1f%n", shard.shard(), "all", sum(shard, SyncState.TableChange::inserted), sum(shard, SyncState.TableChange::updated),
                    sum(shard, SyncState.TableChange::deleted), sum(shard, SyncState.TableChange::kept), shard.bytes().orElse(0L) / 1e3));
            for (var table : shard.tables())
                if (table.inserted() + table.updated() + table.deleted() + table.kept() > 0)
                    text.append(String.format(Locale.ROOT, "%-14s %-28s %,12d %,12d %,12d %,12d%n", "", table.name(), table.inserted(), table.updated(), table.deleted(), table.kept()));
        }
        return text.toString();
    }

    /** What a dry run ends with. */
    static String forecastTold(String what, List<SyncState.Shard> shards) {
        boolean nothing = shards.stream().allMatch(s -> s.changed() == 0);
        return "A " + what + " started now would " + (nothing ? "change nothing." : "do this. Nothing was changed.");
    }

    static String count(List<?> shards) {
        return shards.size() == 1 ? "one shard" : shards.size() + " shards";
    }

    private static long sum(SyncState.Shard shard, java.util.function.ToLongFunction<SyncState.TableChange> count) {
        return shard.tables().stream().mapToLong(count).sum();
    }

    private static void add(List<String> words, String what, long rows) {
        if (rows > 0) words.add(String.format(Locale.ROOT, "%,d %s", rows, what));
    }

    private String green(String text) {
        return colour ? "\033[32m" + text + "\033[0m" : text;
    }

    private String red(String text) {
        return colour ? "\033[31m" + text + "\033[0m" : text;
    }

    /** Where the time went, for people: one row a shard, seconds by state, and the memory of its largest worker. */
    static String summary(SyncState state) {
        var text = new StringBuilder();
        if (state.dump().phase() == DumpPhase.failed) return "";
        text.append(String.format("%-14s %-12s %10s %10s %10s %10s %10s%n", "", "", "snapshot", "parts", "seal", "all", "memory"));
        text.append(row("dump", "", state.dump().seconds(), List.of("snapshot", "parts", "seal", "all"), state.dump().peakMemoryMiB()));
        text.append(String.format("%-14s %-12s %10s %10s %10s %10s %10s%n", "shard", "account", "preflight", "staging", "publish", "", "memory"));
        for (var shard : state.shards()) text.append(row(shard.shard(), shard.account(), shard.seconds(), List.of("preflight", "staging", "publish", ""), shard.peakMemoryMiB()));
        return text.toString();
    }

    private static String row(String subject, String account, Map<String, Double> seconds, List<String> states, java.util.Optional<Long> memory) {
        var text = new StringBuilder(String.format("%-14s %-12s", subject, account));
        for (String name : states) text.append(seconds.containsKey(name) ? String.format(Locale.ROOT, " %8.1f s", seconds.get(name)) : " ".repeat(11));
        return text.append(memory.filter(m -> m > 0).map(m -> String.format(" %6d MiB", m)).orElse("")).append('\n').toString();
    }
}
