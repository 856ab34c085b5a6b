package lockstep.sync;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import lockstep.landscape.Account;
import lockstep.landscape.Shard;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.restore.Applied;
import lockstep.masterdata.engine.restore.ShardReport;

/**
 * The syncs that were applied in a target shard, according to its database.
 *
 * @param history the syncs that were in force, newest first; empty if the database was prepared by a version without history
 */
public record AppliedSyncs(Account account, Shard shard, Optional<Applied> inForce, List<Applied> history) {
    /**
     * Queries the shards in parallel.
     *
     * @throws IllegalStateException if a shard does not answer
     */
    public static List<AppliedSyncs> read(SyncAccess access, Map<Shard, Account> targets) {
        var asking = new ArrayList<Future<ShardReporter.Answer>>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            targets.forEach((shard, account) -> asking.add(executor.submit(() -> {
                try (var reporter = new ShardReporter(access.statusOf(account, shard), shard, access.dataSet())) {
                    return reporter.inForce();
                }
            })));
        }
        var read = new ArrayList<AppliedSyncs>();
        var unreachable = new LinkedHashMap<String, List<String>>();
        int next = 0;
        for (var target : targets.entrySet()) {
            Shard shard = target.getKey();
            var answer = result(asking.get(next++));
            answer.unreachable().ifPresent(
                    cause -> unreachable.computeIfAbsent(Causes.withoutAddress(cause), c -> new ArrayList<>()).add(shard.name()));
            answer.report().ifPresent(report -> read.add(of(target.getValue(), shard, report)));
        }
        if (!unreachable.isEmpty())
            throw new IllegalStateException(String.join("; ",
                    unreachable.entrySet().stream()
                            .map(e -> SyncReport.names(e.getValue()) + " can't report the sync in force: " + e.getKey()).toList())
                    + "; nothing was started");
        return read;
    }

    private static AppliedSyncs of(Account account, Shard shard, ShardReport report) {
        return new AppliedSyncs(account, shard, report.applied(), report.history());
    }

    private static ShardReporter.Answer result(Future<ShardReporter.Answer> asking) {
        try {
            return asking.get();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException("a shard could not be queried: " + Causes.message(e), e);
        }
    }

    /** Returns the last application of a sync in this shard. */
    Optional<Applied> applied(String syncId) {
        return inForce.filter(a -> a.syncId().equals(syncId)).or(() -> history.stream().filter(a -> a.syncId().equals(syncId)).findFirst());
    }

    boolean inForce(String syncId) {
        return inForce.filter(a -> a.syncId().equals(syncId)).isPresent();
    }
}
