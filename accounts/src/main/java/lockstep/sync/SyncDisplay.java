package lockstep.sync;

import java.io.PrintStream;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Displays a running sync: a line for the dump, each table and each target shard. In a terminal the lines are redrawn in place; otherwise
 * a line is printed when it changes. If there are many tables, only the largest and the totals of the others are shown.
 */
public final class SyncDisplay {
    private static final int WIDTH = 90;

    /**
     * @param live    whether lines are redrawn in place
     * @param dryRun  whether shards only compare
     * @param verbose whether every table and the causes of failures are shown; otherwise causes are printed once at the end
     */
    public record Style(boolean live, boolean colour, boolean dryRun, boolean verbose) {}

    private final PrintStream out;
    private final Style style;
    private final NextCommand next;
    private final Map<String, String> shown = new LinkedHashMap<>();
    private int drawn;
    private boolean heldReported;
    /**
     * The highest time printed so far. The final time is that of the last execution, which is earlier than the local clock when its end was
     * seen.
     */
    private double last;

    /** @param next the options of the command that follows the sync */
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
        // print it in full above the redrawn lines, which are clipped
        if (state.held() && !heldReported) text.append("  ").append(held(state)).append('\n');
        heldReported = state.held();
        lines.forEach((subject, line) -> text.append("  ").append(padded(subject)).append("  ").append(clipped(line)).append('\n'));
        out.print(text);
        out.flush();
        drawn = lines.size();
    }

    /** Clips a line, because a wrapped line would break the redrawing. Failures are printed in full at the end. */
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
        return "Sync " + state.syncId() + " is held: " + state.dump().cause().orElse("?") + ". Approve or reject it: "
                + next.answer(state.syncId());
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
            lines.put("and " + busiest.others().size() + " more tables",
                    rows(busiest.others().stream().mapToLong(SyncState.Table::rows).sum(), all)
                            + (all ? "" : ", " + done + " tables done"));
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
            case sealed -> green("sealed") + String.format(Locale.ROOT, ": %,d rows, %.1f MB",
                    dump.tables().stream().mapToLong(SyncState.Table::rows).sum(), dump.bytes().orElse(0L) / 1e6);
            case failed -> red("FAILED") + " with " + dump.error().orElse("?") + (style.verbose() ? ": " + dump.cause().orElse("?") : "");
        };
    }

    /** Describes the state of a shard in a few words. */
    public String line(SyncState.Shard shard) {
        return switch (shard.phase()) {
            case waiting -> "waiting";
            case preflight -> "preflight";
            case staging -> String.format(Locale.ROOT, "staging, %,d rows so far", shard.stagedRows());
            case publishing -> style.dryRun() ? "comparing" : "merging and verifying";
            case verified -> green(style.dryRun() ? "compared" : "verified") + ": " + changes(shard);
            case failed -> red("FAILED") + " in " + shard.failedState().orElse("?") + " with " + shard.error().orElse("?")
                    + (style.verbose() ? ": " + shard.cause().orElse("?") : "");
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
