package lockstep.cli;

import java.util.List;
import java.util.concurrent.Callable;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.sync.HeldSync;
import lockstep.sync.SyncAccess;
import lockstep.sync.SyncReport;
import lockstep.sync.SyncState;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "approve", description = "Approves a held sync, which then continues.",
        footer = {"",
                "Prints what the sync would change, with some of the rows. Exit code: 0 when the sync is approved, 1 when it is not held, "
                        + "2 on wrong usage."})
final class ApproveCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Mixin private ChosenDataSet chosen;

    @Parameters(paramLabel = "SYNC-ID", description = "The held sync.") private String syncId;

    @Option(names = "--dry-run",
            description = "Print what would change in each shard, including rows that it would keep because other rows refer to them. "
                    + "The sync stays held.") private boolean dryRun;

    @Option(names = "--verbose",
            description = "Print every table (default: those with the most rows that change).") private boolean verbose;

    @Override
    public Integer call() throws InterruptedException {
        Landscape landscape = place.landscape(main);
        DataSet dataSet = chosen.in(landscape);
        try (var accounts = place.open(main, landscape)) {
            var held = HeldSync.read(SyncAccess.of(accounts, dataSet), syncId);
            if (dryRun) {
                var shards = held.forecast();
                main.answer(new HeldSync.Looked(syncId, held.held().assessment(), shards),
                        HeldSync.difference(held.held().assessment(), verbose) + "\n" + new SyncReport(verbose).forecast(shards)
                                + SyncReport.warnings(SyncState.Warning.of(shards)) + failures(shards)
                                + "Approve or reject it: " + place.next(main, dataSet).answer(syncId));
                return shards.stream().allMatch(s -> s.phase() == SyncState.ShardPhase.verified) ? 0 : 1;
            }
            held.approve();
            main.answer(new HeldSync.Answered(syncId, "approved", held.held().assessment()),
                    HeldSync.difference(held.held().assessment(), verbose) + "\n" + "approved");
            return 0;
        }
    }

    private static String failures(List<SyncState.Shard> shards) {
        String failures = SyncReport.failures(shards);
        return failures.isEmpty() ? "" : "Some shards could not be compared: " + failures + "\n";
    }
}
