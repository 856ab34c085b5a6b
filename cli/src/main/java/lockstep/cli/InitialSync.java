package lockstep.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.landscape.Shard;
import lockstep.localcloud.FirstSync;
import lockstep.localcloud.LocalCloud;
import lockstep.project.Progress;
import lockstep.project.UserFault;
import lockstep.sync.CheckReport;
import lockstep.sync.NextCommand;
import lockstep.sync.Status;
import lockstep.sync.SyncAccess;
import lockstep.sync.SyncDisplay;
import lockstep.sync.SyncFollower;
import lockstep.sync.SyncState;

/**
 * Checks each data set, and syncs it if a shard is not in step. It runs at the end of {@code up}.
 *
 * @param landscape the landscape file given to the command; empty if none was given
 */
record InitialSync(boolean terminal, boolean colour, Optional<Path> landscape) implements FirstSync {
    private static final Duration TIMEOUT = Duration.ofMinutes(15);

    @Override
    public void run(LocalCloud cloud, Progress progress) {
        for (DataSet dataSet : cloud.landscape().dataSets()) {
            var access = SyncAccess.of(cloud, dataSet);
            check(access, progress);
            if (Status.read(access).shards().stream().allMatch(s -> s.state() == Status.State.IN_STEP)) {
                progress.note("every shard is in step with " + dataSet.source());
                continue;
            }
            progress.step("first sync of data set " + dataSet.name(), () -> sync(access));
        }
    }

    /** Prints the problems that the sync may encounter. The sync itself decides whether it can continue. */
    private static void check(SyncAccess access, Progress progress) {
        var targets = access.landscape().accounts().stream().flatMap(a -> access.landscape().targetsIn(a, access.dataSet()).stream())
                .map(Shard::name).toList();
        var report = CheckReport.read(access, targets);
        if (!report.findings().isEmpty()) progress.note("lockstep check of data set " + access.dataSet().name() + ":\n" + report.table());
    }

    private void sync(SyncAccess access) {
        try (var follower = new SyncFollower(access, SyncAccess.newSyncId())) {
            follower.start();
            var next = new NextCommand(access.dataSet().name(), false, landscape);
            var state = SyncCommand.follow(follower,
                    new SyncDisplay(System.err, new SyncDisplay.Style(terminal, colour, false, false), next), Instant.now().plus(TIMEOUT));
            if (state.outcome() != SyncState.Outcome.verified)
                throw new UserFault("sync " + state.syncId() + " of data set " + state.dataSet()
                        + (state.held() ? " is held: " + state.dump().cause().orElse("?") + ". Approve or reject it: "
                                + next.answer(state.syncId())
                                : state.outcome() == SyncState.Outcome.running
                                        ? " has not ended after " + TIMEOUT.toMinutes() + " minutes"
                                : " failed: " + SyncCommand.failures(state)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserFault("interrupted", e);
        }
    }
}
