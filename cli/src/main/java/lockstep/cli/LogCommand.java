package lockstep.cli;

import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import lockstep.accounts.Accounts;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;
import lockstep.project.TextTable;
import lockstep.release.LogEntry.Action;
import lockstep.release.LogEntry.Result;
import lockstep.release.LogEntry;
import lockstep.release.Shelf;
import lockstep.sync.Run;
import lockstep.sync.Runs;
import lockstep.sync.SyncAccess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "log",
        description = "Prints who deployed, rolled back or synced what, where and when, and the result. Newest first.",
        footer = {"", "Automatic syncs come from the history of the state machines, which AWS keeps for 90 days."})
final class LogCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Option(names = "--limit", paramLabel = "N", defaultValue = "50",
            description = "The maximum number of entries (default: ${DEFAULT-VALUE}).") private int limit;

    @Override
    public Integer call() {
        if (limit < 1) throw new WrongUsage("--limit takes a number above 0, not " + limit);
        Landscape landscape = place.landscape(main);
        var entries = new ArrayList<LogEntry>();
        try (var accounts = place.open(main, landscape, Names.deployRole())) {
            for (var account : landscape.accounts()) {
                try (var shelf = new Shelf(account, accounts.account(account))) {
                    if (shelf.exists()) entries.addAll(shelf.log(2 * limit));
                }
            }
            // the deployment role of a pipeline may not read syncs
            if (Place.token().isEmpty()) entries.addAll(automaticSyncs(landscape, accounts, entries));
        }
        var newest = withoutStarts(entries).stream().sorted(Comparator.comparing(LogEntry::when).reversed()).limit(limit).toList();
        main.answer(Map.of("entries", newest), table(newest));
        return 0;
    }

    /** Removes the start entries of actions that have ended. */
    static List<LogEntry> withoutStarts(List<LogEntry> entries) {
        var ended = new HashSet<String>();
        entries.stream().filter(entry -> entry.result() != Result.started).forEach(entry -> ended.add(entry.account() + " " + entry.id()));
        return entries.stream().filter(entry -> entry.result() != Result.started || !ended.contains(entry.account() + " " + entry.id()))
                .toList();
    }

    private List<LogEntry> automaticSyncs(Landscape landscape, Accounts accounts, List<LogEntry> written) {
        var known = new HashSet<String>();
        written.stream().filter(entry -> entry.action() == Action.sync).forEach(entry -> entry.subject().ifPresent(known::add));
        var found = new ArrayList<LogEntry>();
        for (var dataSet : landscape.dataSets()) {
            try (var runs = new Runs(SyncAccess.of(accounts, dataSet))) {
                for (var run : runs.newest(Math.min(limit, 100))) {
                    if (known.contains(run.id())) continue;
                    var result = switch (run.state().outcome()) {
                        case verified -> Result.succeeded;
                        case failed -> Result.failed;
                        case running -> Result.started;
                    };
                    var ended = run.started().plusMillis((long) (1000 * run.state().seconds()));
                    found.add(new LogEntry(run.id(), result == Result.started ? run.started() : ended,
                            landscape.accountOf(dataSet.source()).name(), Action.sync, Optional.empty(), Optional.empty(),
                            who(run), Optional.empty(), result, Optional.empty(),
                            result == Result.started ? Optional.empty() : Optional.of((long) run.state().seconds()),
                            Optional.of(run.id())));
                }
            }
        }
        return found;
    }

    /** Returns what started a run without a log entry, as far as its name shows it. */
    private static String who(Run run) {
        if (run.kind() == Run.Kind.rollback) return "rollback";
        return run.id().startsWith("auto-") ? "a change of the source" : "-";
    }

    static String table(List<LogEntry> entries) {
        var table = new TextTable().left("when", 20).left("account", 11).left("what", 8).left("release", 23).left("result", 9)
                .right("time", 8).left("who", 0);
        for (var entry : entries) {
            String what = entry.action() == Action.sync ? entry.subject().orElse("-")
                    : entry.release().orElse("-") + entry.before().map(b -> " (" + b + ")").orElse("");
            table.row(entry.when().truncatedTo(ChronoUnit.SECONDS), entry.account(), entry.action(), what, entry.result(),
                    entry.seconds().map(s -> s + " s"), entry.who());
            entry.cause().ifPresent(cause -> table.note("                      " + cause.lines().findFirst().orElse("")));
        }
        return table.toString();
    }
}
