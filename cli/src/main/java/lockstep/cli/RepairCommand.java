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
import lockstep.sync.NextCommand;
import lockstep.sync.SyncAccess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "repair",
        description = "Reads every table of target shards, restores what differs from the sync in force there, and waits until each shard "
                + "is verified.",
        footer = {"", "The watch starts the same repair when it finds drift. A shard that was rolled back stays at that sync.",
                "Exit code: 0 when every chosen shard is verified, 1 when one failed, 2 on wrong usage, 3 when --timeout is reached."})
final class RepairCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Mixin private ChosenDataSet chosen;

    @Mixin private ChosenTargets targets;

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
            var next = place.next(main, dataSet);
            var steps = steps(AppliedSyncs.read(access, shards), KeptManifests.read(access), next);
            return new ShardRestores(main, access, "repair", Mode.REPAIR, "repair", "Repaired and verified in %s.", dryRun, following, next)
                    .run(steps, List.of());
        }
    }

    private static List<ShardRestores.Step> steps(List<AppliedSyncs> applied, KeptManifests kept, NextCommand next) {
        var problems = new ShardRestores.Problems();
        var steps = new ArrayList<ShardRestores.Step>();
        for (AppliedSyncs shard : applied) {
            var inForce = shard.inForce();
            if (inForce.isEmpty()) problems.add(shard, "no sync in force");
            else if (kept.named(inForce.get().syncId()).isEmpty())
                problems.add(shard, "sync " + inForce.get().syncId() + " in force, which is no longer kept");
            else steps.add(new ShardRestores.Step(shard.account(), shard.shard(), inForce.map(Applied::syncId), inForce.get().syncId(),
                    inForce.get().snapshotTime()));
        }
        problems.check("start a new sync instead: " + next.line("sync"));
        return steps;
    }
}
