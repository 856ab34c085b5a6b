package lockstep.cli.sync;

import java.time.Duration;
import java.time.Instant;
import lockstep.cli.Progress;
import lockstep.cli.cloud.CloudFault;
import lockstep.cli.cloud.FirstSync;
import lockstep.cli.cloud.LocalCloud;
import lockstep.landscape.DataSet;
import lockstep.landscape.Shard;

/** Checks each data set, and syncs those that a shard is not in step with; run at the end of {@code up}. */
public record InitialSync(boolean terminal, boolean colour) implements FirstSync {
    private static final Duration TIMEOUT = Duration.ofMinutes(15);

    @Override
    public void run(LocalCloud cloud, Progress progress) {
        for (DataSet dataSet : cloud.landscape().dataSets()) {
            var access = SyncCommand.access(cloud, dataSet);
            check(access, progress);
            if (Status.read(access).shards().stream().allMatch(s -> s.state().equals("in-step"))) {
                progress.note("every shard is in step with " + dataSet.source());
                continue;
            }
            progress.step("first sync of data set " + dataSet.name(), () -> sync(access));
        }
    }

    /** Shows what a sync would stumble over, before it does. The sync itself decides whether it can go on. */
    private static void check(SyncAccess access, Progress progress) {
        var targets = access.landscape().accounts().stream().flatMap(a -> access.landscape().targetsIn(a, access.dataSet()).stream()).map(Shard::name).toList();
        var report = CheckReport.read(access, targets);
        if (!report.findings().isEmpty()) progress.note("lockstep check of data set " + access.dataSet().name() + ":\n" + report.table());
    }

    private void sync(SyncAccess access) {
        try (var follower = new SyncFollower(access, SyncCommand.newId())) {
            follower.start();
            var state = SyncCommand.follow(follower, new SyncDisplay(System.err, terminal, colour), Instant.now().plus(TIMEOUT));
            if (state.outcome() != SyncState.Outcome.verified)
                throw new CloudFault("sync " + state.syncId() + " of data set " + state.dataSet() + (state.outcome() == SyncState.Outcome.running
                        ? " has not ended after " + TIMEOUT.toMinutes() + " minutes" : " failed: " + SyncCommand.failures(state)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CloudFault("interrupted", e);
        }
    }
}
