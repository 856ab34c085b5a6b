package lockstep.sync;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import lockstep.landscape.Account;
import lockstep.landscape.Shard;
import lockstep.masterdata.check.SqlCheck.TableSum;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.sync.ShardReporter.Checked;

/** The result of the SQL check, which reads each shard and the source again and compares them. */
public record Verified(String source, String dataSet, List<ShardCheck> shards) {
    /** {@code unchecked}: the shard or the source did not answer, which never counts as equal. */
    public enum Verdict {
        equal, different, unchecked
    }

    /** @param tables the tables that differ */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    public record ShardCheck(String account, String shard, Verdict verdict, Optional<String> syncId, int tablesRead,
            List<Difference> tables, Optional<String> cause) {}

    public record Difference(String name, long rows, long rowsAtSource) {}

    private record Asked(Account account, Shard shard, Checked checked) {}

    /** Queries the source and the shards in parallel. */
    public static Verified read(SyncAccess access, List<String> shards) {
        var asking = new ArrayList<Future<Asked>>();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Account account : access.landscape().accounts())
                for (Shard shard : account.shards())
                    if (shard.name().equals(access.dataSet().source()) || shards.contains(shard.name())) asking.add(executor.submit(() -> {
                        try (var reporter = new ShardReporter(access.statusOf(account, shard), shard, access.dataSet())) {
                            return new Asked(account, shard, reporter.checkBySql());
                        }
                    }));
        }
        Checked source = null;
        var asked = new ArrayList<Asked>();
        for (var one : asking) {
            Asked answer = result(one);
            if (answer.shard().name().equals(access.dataSet().source())) source = answer.checked();
            else asked.add(answer);
        }
        Checked expected = source;
        return new Verified(access.dataSet().source(), access.dataSet().name(),
                asked.stream().map(a -> check(a.account().name(), a.shard().name(), a.checked(), expected)).toList());
    }

    private static Asked result(Future<Asked> future) {
        try {
            return future.get();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException("a shard could not be queried: " + Causes.message(e), e);
        }
    }

    public static ShardCheck check(String account, String shard, Checked found, Checked source) {
        var syncId = found.sums().flatMap(s -> s.syncId());
        var cause = found.unreachable().or(() -> source.unreachable().map(c -> "the source could not be checked: " + c));
        if (cause.isPresent() || found.sums().isEmpty() || source.sums().isEmpty())
            return new ShardCheck(account, shard, Verdict.unchecked, syncId, 0, List.of(), cause.or(() -> Optional.of("no answer")));
        var here = found.sums().get().sums();
        var there = source.sums().get().sums();
        if (here.isEmpty() || !here.stream().map(TableSum::name).toList().equals(there.stream().map(TableSum::name).toList()))
            return new ShardCheck(account, shard, Verdict.unchecked, syncId, here.size(), List.of(),
                    Optional.of("the shard and the source did not check the same tables"));
        var differences = new ArrayList<Difference>();
        for (int i = 0; i < here.size(); i++)
            if (!here.get(i).equals(there.get(i)))
                differences.add(new Difference(here.get(i).name(), here.get(i).rows(), there.get(i).rows()));
        return new ShardCheck(account, shard, differences.isEmpty() ? Verdict.equal : Verdict.different, syncId, here.size(), differences,
                Optional.empty());
    }

    public boolean all(Verdict verdict) {
        return shards.stream().allMatch(s -> s.verdict() == verdict);
    }

    public boolean any(Verdict verdict) {
        return shards.stream().anyMatch(s -> s.verdict() == verdict);
    }
}
