package lockstep.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.masterdata.engine.restore.Applied;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.sync.AppliedSyncs;
import lockstep.sync.KeptManifests;
import lockstep.sync.SyncAccess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "rollback",
        description = "Rolls target shards back to an earlier sync that is still kept, and waits until each is verified.",
        footer = {"",
                "Without --to, each shard goes back to the sync that was in force there before the current one. Repeat it to go "
                        + "further back. The next sync goes forward again.",
                "Exit code: 0 when every chosen shard is verified, 1 when one failed, 2 on wrong usage, 3 when --timeout is reached."})
final class RollbackCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Mixin private ChosenDataSet chosen;

    @Mixin private ChosenTargets targets;

    @Option(names = "--to", paramLabel = "SYNC-ID",
            description = "The sync to go back to (default: in each shard, the one that was in force there before; the kept syncs are "
                    + "listed).") private String to;

    @Option(names = "--dry-run", description = "Print what would change in each table, and change nothing.") private boolean dryRun;

    @Mixin private FollowOptions following;

    @Override
    public Integer call() throws InterruptedException {
        Landscape landscape = place.landscape(main);
        DataSet dataSet = chosen.in(landscape);
        var shards = targets.in(landscape, dataSet);
        following.check();
        try (var accounts = place.open(main, landscape)) {
            var access = SyncAccess.of(accounts, dataSet);
            var kept = KeptManifests.read(access);
            if (to != null && kept.named(to).isEmpty()) {
                var nearest = kept.nearest(to);
                throw new WrongUsage(
                        "sync '" + to + "' is not kept" + (nearest.isEmpty() ? "" : "; did you mean " + String.join(" or ", nearest) + "?")
                                + "\n" + kept.table(List.of(), following.verbose()));
            }
            var applied = AppliedSyncs.read(access, shards);
            if (to == null || dryRun) System.err.println(kept.table(applied, following.verbose()));
            var restores = new ShardRestores(main, access, "rollback", Mode.ROLLBACK, "back",
                    "Rolled back and verified in %s. The next sync goes forward again.", dryRun, following, place.next(main, dataSet));
            return restores.run(steps(applied, kept), kept.listed(applied));
        }
    }

    private List<ShardRestores.Step> steps(List<AppliedSyncs> applied, KeptManifests kept) {
        var problems = new ShardRestores.Problems();
        var steps = new ArrayList<ShardRestores.Step>();
        for (AppliedSyncs shard : applied) {
            var goal = to == null ? kept.before(shard) : kept.named(to);
            goal.ifPresentOrElse(g -> steps.add(new ShardRestores.Step(shard.account(), shard.shard(), shard.inForce().map(Applied::syncId),
                    g.syncId(), g.snapshotTime())), () -> problems.add(shard, problem(shard)));
        }
        problems.check("name a sync with --to");
        return steps;
    }

    private static String problem(AppliedSyncs shard) {
        if (shard.inForce().isEmpty()) return "no sync in force";
        String inForce = "sync " + shard.inForce().get().syncId() + " in force";
        return shard.history().isEmpty() ? inForce + ", and no history until prepare-database has run there"
                : inForce + ", and no earlier sync that is still kept";
    }
}
