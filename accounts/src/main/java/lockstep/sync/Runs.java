package lockstep.sync;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import lockstep.landscape.Account;
import lockstep.landscape.Shard;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.parts.Json;
import lockstep.sync.SyncState.Dump;
import lockstep.sync.SyncState.DumpPhase;
import lockstep.sync.SyncState.Outcome;
import lockstep.sync.SyncState.ShardPhase;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionListItem;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import tools.jackson.databind.JsonNode;

/** The syncs and rollbacks in the history of the state machines, which AWS keeps for 90 days. Ended runs are cached. */
public final class Runs implements AutoCloseable {
    /** The number of parallel requests; AWS throttles more. */
    private static final int AT_ONCE = 8;
    private final SyncAccess access;
    private final SfnClient source;
    private final Map<String, SfnClient> targets = new LinkedHashMap<>();
    private final Map<String, SyncFollower> followers = new ConcurrentHashMap<>();
    private final Map<String, Run> ended = new ConcurrentHashMap<>();
    /** Executions that are not runs, such as dry runs. */
    private final Set<String> others = ConcurrentHashMap.newKeySet();

    public Runs(SyncAccess access) {
        this.access = access;
        source = access.source().client(SfnClient.builder());
    }

    /** Returns the newest runs first, without dry runs. */
    public List<Run> newest(int most) {
        var reading = new ArrayList<Future<Optional<Run>>>();
        try (var executor = Executors.newFixedThreadPool(AT_ONCE)) {
            var dumps = list(source, access.dumpMachineArn(), most);
            dumps.forEach(dump -> reading.add(executor.submit(() -> sync(dump))));
            var names = dumps.stream().map(ExecutionListItem::name).collect(Collectors.toSet());
            for (Account account : access.targetAccounts()) {
                var sfn = targets.computeIfAbsent(account.name(), name -> access.observer(account).client(SfnClient.builder()));
                list(sfn, access.restoreMachineArn(account), most).stream().filter(restore -> !names.contains(restore.name()))
                        .forEach(restore -> reading.add(executor.submit(() -> rollback(sfn, account, restore))));
            }
        }
        return reading.stream().flatMap(r -> result(r).stream()).sorted(Comparator.comparing(Run::started).reversed()).limit(most).toList();
    }

    private static Optional<Run> result(Future<Optional<Run>> reading) {
        try {
            return reading.get();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException(Causes.message(e), e);
        }
    }

    private List<ExecutionListItem> list(SfnClient sfn, String machineArn, int most) {
        return access.executions(sfn, machineArn, r -> {}).limit(most).toList();
    }

    private Optional<Run> sync(ExecutionListItem dump) {
        if (others.contains(dump.name())) return Optional.empty();
        var known = ended.get(dump.name());
        if (known != null) return Optional.of(known);
        var follower = followers.get(dump.name());
        if (follower == null) {
            if (input(source, dump).path("dryRun").asBoolean(false)) {
                others.add(dump.name());
                return Optional.empty();
            }
            follower = SyncFollower.of(access, dump.name(), dump.startDate());
            followers.put(dump.name(), follower);
        }
        var run = Run.of(Run.Kind.sync, dump.name(), dump.startDate(), withoutLaterShards(follower.state()), Instant.now());
        // an ended run is not read again, even if it never reached some shard
        if (!run.running()) {
            ended.put(dump.name(), run);
            followers.remove(dump.name()).close();
        }
        return Optional.of(run);
    }

    /** Removes shards that were added after the sync. Their account's execution succeeded without an answer for them. */
    private static SyncState withoutLaterShards(SyncState state) {
        var shards = state.shards().stream().filter(s -> !s.error().equals(Optional.of(ExecutionStatus.SUCCEEDED.toString()))).toList();
        boolean allVerified = state.dump().phase() != DumpPhase.failed && shards.stream().allMatch(s -> s.phase() == ShardPhase.verified);
        return new SyncState(state.syncId(), state.dataSet(), allVerified ? Outcome.verified : state.outcome(), state.seconds(),
                state.dump(), shards);
    }

    /** Reads a rollback. Restores without a listed dump are rollbacks, dry runs, or belong to older syncs. */
    private Optional<Run> rollback(SfnClient sfn, Account account, ExecutionListItem restore) {
        String key = account.name() + " " + restore.name();
        if (others.contains(key)) return Optional.empty();
        var known = ended.get(key);
        if (known != null) return Optional.of(known);
        JsonNode input = input(sfn, restore);
        var shard = shard(account, input.path("shard").asString(""));
        if (!input.path("mode").asString("").equals("ROLLBACK") || input.path("dryRun").asBoolean(false) || shard.isEmpty()) {
            others.add(key);
            return Optional.empty();
        }
        var execution = Execution.read(sfn, restore.executionArn());
        if (execution.isEmpty()) return Optional.empty();
        var state = RestoredShard.read(account, shard.get(), execution.get(), 0);
        var outcome = switch (state.phase()) {
            case verified -> Outcome.verified;
            case failed -> Outcome.failed;
            case waiting, preflight, staging, publishing -> Outcome.running;
        };
        Instant until = restore.stopDate() == null ? Instant.now() : restore.stopDate();
        var dump = new Dump(DumpPhase.sealed, Optional.empty(), List.of(), Optional.empty(), Optional.empty(), Optional.empty(), Map.of(),
                Optional.empty());
        var run = Run.of(Run.Kind.rollback, restore.name(), restore.startDate(),
                new SyncState(input.path("syncId").asString("?"), access.dataSet().name(), outcome,
                        Duration.between(restore.startDate(), until).toMillis() / 1000.0, dump, List.of(state)),
                Instant.now());
        if (state.phase() == ShardPhase.verified || state.phase() == ShardPhase.failed) ended.put(key, run);
        return Optional.of(run);
    }

    private Optional<Shard> shard(Account account, String name) {
        return account.shards().stream().filter(s -> s.name().equals(name)).findFirst();
    }

    private static JsonNode input(SfnClient sfn, ExecutionListItem execution) {
        String input = sfn.describeExecution(r -> r.executionArn(execution.executionArn())).input();
        return Json.MAPPER.readTree(input == null ? "{}" : input);
    }

    @Override
    public void close() {
        source.close();
        targets.values().forEach(SfnClient::close);
        followers.values().forEach(SyncFollower::close);
    }
}
