package lockstep.cli.sync;

import java.time.Duration;
import java.time.Instant;
import lockstep.cli.Progress;
import lockstep.cli.cloud.CloudFault;
import lockstep.cli.cloud.FirstSync;
import lockstep.cli.cloud.LocalCloud;
import lockstep.landscape.DataSet;

/** Syncs each data set that a shard is not in step with; run at the end of {@code up}. */
public record InitialSync(boolean terminal, boolean colour) implements FirstSync {
    private static final Duration TIMEOUT = Duration.ofMinutes(15);

    @Override
    public void run(LocalCloud cloud, Progress progress) {
        for (DataSet dataSet : cloud.landscape().dataSets()) {
            var access = SyncCommand.access(cloud, dataSet);
            if (Status.read(access).shards().stream().allMatch(s -> s.state().equals("in-step"))) {
                progress.note("every shard is in step with " + dataSet.source());
                continue;
            }
            progress.step("first sync of data set " + dataSet.name(), () -> sync(access));
        }
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
