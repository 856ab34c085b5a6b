package lockstep.sync;

import java.io.PrintStream;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Draws a running sync on standard error: a line for the dump, one for each table and one for each target shard. In a terminal
 * the lines are redrawn in place; elsewhere a line is printed when it changes. Of many tables it shows the totals and the largest.
 */
public final class SyncDisplay {
    private static final int WIDTH = 90;

    /**
     * @param live    whether lines are redrawn in place
     * @param dryRun  whether shards only compare
     * @param verbose whether every table and the causes of failures are shown; otherwise causes follow at the end, once
     */
    public record Style(boolean live, boolean colour, boolean dryRun, boolean verbose) {}

    private final PrintStream out;
    private final Style style;
    private final NextCommand next;
    private final Map<String, String> shown = new LinkedHashMap<>();
    private int drawn;
    private boolean heldReported;
    /** When a line was last printed: at its end a sync is as old as its last execution, which the clock here had passed before that was seen. */
    private double last;

    /** @param next of the command that follows the sync */
    public SyncDisplay(PrintStream out, Style style, NextCommand next) {
        this.out = out;
        this.style = style;
        this.next = next;
    }

    public void show(SyncState state) {
        var lines = lines(state);
        if (style.live()) redraw(state, lines);
        else printChanged(state, lines);
    }

    private void redraw(SyncState state, Map<String, String> lines) {
        var text = new StringBuilder();
        if (drawn > 0) text.append("\033[").append(drawn).append("A\033[J");
        // whole, and above the lines that are redrawn: these are clipped
        if (state.held() && !heldReported) text.append("  ").append(held(state)).append('\n');
        heldReported = state.held();
        lines.forEach((subject, line) -> text.append("  ").append(padded(subject)).append("  ").append(clipped(line)).append('\n'));
        out.print(text);
        out.flush();
        drawn = lines.size();
    }

    /** A line that wraps would be redrawn at the wrong place; a failure is printed whole at the end. */
    private String clipped(String line) {
        return line.length() <= WIDTH ? line : line.substring(0, WIDTH) + (style.colour() ? "…\033[0m" : "…");
    }

    private void printChanged(SyncState state, Map<String, String> lines) {
        last = Math.max(last, state.seconds());
        lines.forEach((subject, line) -> {
            if (!line.equals(shown.put(subject, line))) out.printf(Locale.ROOT, "%6.1f s  %s  %s%n", last, padded(subject), line);
        });
        if (state.held() && !heldReported) out.println(held(state));
        heldReported = state.held();
    }

    private String held(SyncState state) {
        return "Sync " + state.syncId() + " is held: " + state.dump().cause().orElse("?") + ". Answer it: " + next.answer(state.syncId());
    }

    private static String padded(String subject) {
        return String.format("%-24s", subject);
    }

    private Map<String, String> lines(SyncState state) {
        var lines = new LinkedHashMap<String, String>();
        lines.put("dump", line(state.dump()));
        var busiest = SyncReport.Busiest.of(state.dump().tables(), SyncState.Table::rows, style.verbose());
        for (var table : busiest.shown()) lines.put(table.name(), rows(table.rows(), table.done()));
        if (!busiest.others().isEmpty()) {
            long done = busiest.others().stream().filter(SyncState.Table::done).count();
            boolean all = done == busiest.others().size();
            lines.put("and " + busiest.others().size() + " more tables", rows(busiest.others().stream().mapToLong(SyncState.Table::rows).sum(), all) + (all ? "" : ", " + done + " tables done"));
        }
        for (var shard : state.shards()) lines.put(shard.shard(), line(shard));
        return lines;
    }

    private static String rows(long rows, boolean done) {
        return String.format(Locale.ROOT, "%,d rows%s", rows, done ? "" : " so far");
    }

    private String line(SyncState.Dump dump) {
        return switch (dump.phase()) {
            case starting -> "taking a snapshot";
            case dumping -> "dumping the snapshot of " + dump.snapshotTime().orElseThrow().truncatedTo(ChronoUnit.SECONDS);
            case held -> "held until somebody approves or rejects it";
            case sealed -> green("sealed") + String.format(Locale.ROOT, ": %,d rows, %.1f MB", dump.tables().stream().mapToLong(SyncState.Table::rows).sum(), dump.bytes().orElse(0L) / 1e6);
            case failed -> red("FAILED") + " with " + dump.error().orElse("?") + (style.verbose() ? ": " + dump.cause().orElse("?") : "");
        };
    }

    /** Where a shard stands, in a few words. */
    public String line(SyncState.Shard shard) {
        return switch (shard.phase()) {
            case waiting -> "waiting";
            case preflight -> "preflight";
            case staging -> String.format(Locale.ROOT, "staging, %,d rows so far", shard.stagedRows());
            case publishing -> style.dryRun() ? "comparing" : "merging and verifying";
            case verified -> green(style.dryRun() ? "compared" : "verified") + ": " + changes(shard);
            case failed -> red("FAILED") + " in " + shard.failedState().orElse("?") + " with " + shard.error().orElse("?") + (style.verbose() ? ": " + shard.cause().orElse("?") : "");
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

    private static void add(List<String> words, String what, long rows) {
        if (rows > 0) words.add(String.format(Locale.ROOT, "%,d %s", rows, what));
    }

    private String green(String text) {
        return style.colour() ? "\033[32m" + text + "\033[0m" : text;
    }

    private String red(String text) {
        return style.colour() ? "\033[31m" + text + "\033[0m" : text;
    }
}
