package lockstep.cli;

import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.poll.Poll;
import lockstep.release.SyncRecord;
import lockstep.sync.NextCommand;
import lockstep.sync.SyncAccess;
import lockstep.sync.SyncDisplay;
import lockstep.sync.SyncFollower;
import lockstep.sync.SyncReport;
import lockstep.sync.SyncState.Outcome;
import lockstep.sync.SyncState;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "sync",
        description = "Brings every target shard in step with the source, and waits until each is verified.",
        footer = {"",
                "Exit code: 0 when every target shard is verified, 1 when the dump or a shard failed, 2 on wrong usage, 3 when --timeout "
                        + "is reached.",
                "Ctrl-C stops waiting; the sync continues."})
final class SyncCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Mixin private ChosenDataSet chosen;

    @Option(names = "--wait", negatable = true, defaultValue = "true", fallbackValue = "true",
            description = "Wait until the sync ends (default), or only start it.") private boolean wait;

    @Option(names = "--id", paramLabel = "ID",
            description = "The sync's id (default: generated from the time). "
                    + "If this sync was started before, only wait for it.") private String id;

    @Option(names = "--dry-run",
            description = "Print what a sync would change in each table of each shard, and change nothing. Reads the source and "
                    + "compares, as a sync does.") private boolean dryRun;

    @Option(names = "--rows", description = "Read every row at the source, also of tables to which nobody has written since the last "
            + "sync. Needed after parts in the store were damaged or lost.") private boolean rows;

    @Mixin private FollowOptions following;

    @Override
    public Integer call() throws InterruptedException {
        Landscape landscape = place.landscape(main);
        DataSet dataSet = chosen.in(landscape);
        if (dryRun && (id != null || !wait)) throw new WrongUsage("--dry-run cannot be given with --id or --no-wait");
        String syncId = dryRun ? "try-" + SyncAccess.newSyncId() : id == null ? SyncAccess.newSyncId() : checked(dataSet, id);
        following.check();
        try (var accounts = place.open(main, landscape);
                var follower = new SyncFollower(SyncAccess.of(accounts, dataSet), syncId, dryRun)) {
            follower.start(rows);
            var record = dryRun ? Optional.<SyncRecord>empty() : Optional.of(SyncRecord.begin(accounts, dataSet, syncId, main.progress()));
            if (!wait) {
                main.answer(java.util.Map.of("syncId", syncId), syncId);
                return 0;
            }
            System.err.println((dryRun ? "dry run " : "sync ") + syncId + " of data set " + dataSet.name() + ", from " + dataSet.source());
            return follow(follower, syncId, place.next(main, dataSet), record);
        }
    }

    private int follow(SyncFollower follower, String syncId, NextCommand next, Optional<SyncRecord> record) throws InterruptedException {
        var left = new Thread(() -> System.err.println("\nNo longer waiting; " + (dryRun ? "the dry run ends by itself"
                : "sync " + syncId + " continues. To wait for it again: " + next.line("sync --id " + syncId))));
        Runtime.getRuntime().addShutdownHook(left);
        try {
            SyncState state = follow(follower,
                    new SyncDisplay(System.err, new SyncDisplay.Style(main.terminal(), main.colour(), dryRun, following.verbose()), next),
                    following.deadline());
            var report = new SyncReport(following.verbose());
            main.answer(state,
                    (dryRun ? report.forecast(state.shards()) : SyncReport.summary(state) + report.changes(state.shards()))
                            + SyncReport.warnings(state.warnings())
                            + (dryRun ? endOfForecast(state) : end(state, next)));
            if (state.outcome() != Outcome.running) record.ifPresent(
                    written -> written.end(state.outcome() == Outcome.verified ? Optional.empty() : Optional.of(failures(state))));
            return switch (state.outcome()) {
                case verified -> 0;
                case failed -> 1;
                case running -> Main.UNDECIDED;
            };
        } finally {
            Runtime.getRuntime().removeShutdownHook(left);
        }
    }

    /** Displays each state until the sync ends or the deadline passes. */
    static SyncState follow(SyncFollower follower, SyncDisplay display, Instant deadline) throws InterruptedException {
        return Poll.until(deadline, follower::state, state -> state.outcome() != Outcome.running, display::show);
    }

    private static String end(SyncState state, NextCommand next) {
        return switch (state.outcome()) {
            case verified ->
                    String.format(java.util.Locale.ROOT, "Verified in %s after %.1f s.", SyncReport.count(state.shards()), state.seconds());
            case failed -> "Sync " + state.syncId() + " failed: " + failures(state);
            case running -> "Sync " + state.syncId() + (state.held() ? " is held. Approve or reject it: " + next.answer(state.syncId())
                    : " is still running after --timeout. To wait for it again: " + next.line("sync --id " + state.syncId()));
        };
    }

    private static String endOfForecast(SyncState state) {
        return switch (state.outcome()) {
            case verified -> SyncReport.forecastEnd("sync", state.shards());
            case failed -> "The dry run failed: " + failures(state);
            case running -> "The dry run is still running after --timeout; it changes nothing.";
        };
    }

    static String failures(SyncState state) {
        if (state.dump().cause().isPresent())
            return "the dump ended with " + state.dump().error().orElse("?") + ": " + state.dump().cause().get();
        return SyncReport.failures(state.shards());
    }

    private String checked(DataSet dataSet, String given) {
        try {
            return new SyncPaths(dataSet.name(), given).syncId();
        } catch (Fault e) {
            throw new WrongUsage(e.getMessage());
        }
    }
}
