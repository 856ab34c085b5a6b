package lockstep.sync;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.Optional;
import lockstep.landscape.Account;
import lockstep.landscape.Shard;
import lockstep.masterdata.engine.dump.Batch;
import lockstep.masterdata.engine.dump.Dumped;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.sync.SyncState.Dump;
import lockstep.sync.SyncState.DumpPhase;
import lockstep.sync.SyncState.Outcome;
import lockstep.sync.SyncState.ShardPhase;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionAlreadyExistsException;

/** Starts a sync and reads its state from the histories of the executions and the progress objects of the workers. */
public final class SyncFollower implements AutoCloseable {
    private static final Duration PROGRESS = Duration.ofSeconds(5);
    private final SyncAccess access;
    private final SyncPaths paths;
    private final boolean dryRun;
    private boolean restoresStarted;
    private final SfnClient source;
    private final S3Client s3;
    private final Map<String, SfnClient> targets = new LinkedHashMap<>();
    private final Map<String, ShardReporter> reporters = new LinkedHashMap<>();
    private final Map<String, Execution> executions = new LinkedHashMap<>();
    private final Map<Integer, Dumped> dumped = new LinkedHashMap<>();
    private final Map<String, Long> staged = new LinkedHashMap<>();
    private final Map<String, Instant> asked = new LinkedHashMap<>();
    private Batch[] batches;
    private Instant begun = Instant.now();
    /** The latest end of an execution; {@code running} is whether another is still running. */
    private Instant ended = Instant.MIN;
    private boolean running;
    private boolean queriesShards = true;

    public SyncFollower(SyncAccess access, String syncId) {
        this(access, syncId, false);
    }

    /** @param dryRun whether the dump sends no notifications and the restores, started here, only report what they would change */
    public SyncFollower(SyncAccess access, String syncId, boolean dryRun) {
        this.access = access;
        this.dryRun = dryRun;
        this.paths = new SyncPaths(access.dataSet().name(), syncId);
        source = access.source().client(SfnClient.builder());
        s3 = access.source().client(S3Client.builder().forcePathStyle(true));
    }

    /**
     * Follows a sync that was started elsewhere. Shards are not queried for their progress, so that reading the state never waits for them.
     */
    public static SyncFollower of(SyncAccess access, String syncId, Instant started) {
        var follower = new SyncFollower(access, syncId);
        follower.begun = started;
        follower.queriesShards = false;
        return follower;
    }

    /** Starts the dump, unless the sync was started before. */
    public void start() {
        start(false);
    }

    /** @param rows whether the dump reads every row, also of tables to which nobody has written */
    public void start(boolean rows) {
        var terms = new TreeMap<String, Boolean>();
        if (dryRun) terms.put("dryRun", true);
        if (rows) terms.put("rows", true);
        begun = Instant.now();
        try {
            source.startExecution(
                    r -> r.stateMachineArn(access.dumpMachineArn()).name(access.execution(paths.syncId()))
                            .input(Json.MAPPER.writeValueAsString(terms)));
        } catch (ExecutionAlreadyExistsException e) {
            Execution.read(source, access.dumpArn(paths.syncId())).ifPresent(known -> begun = known.described().startDate());
        }
    }

    public SyncState state() {
        var execution = read(source, access.dumpArn(paths.syncId()));
        running = false;
        execution.ifPresent(this::noteEnd);
        Dump dump = dump(execution);
        if (dryRun && !restoresStarted && execution.filter(Execution::succeeded).isPresent()) startForecasts();
        var shards = new ArrayList<SyncState.Shard>();
        for (Account account : access.targetAccounts()) shards.addAll(shards(account, dump));
        var outcome = outcome(dump, shards);
        Instant until = outcome == Outcome.running || running ? Instant.now() : ended;
        return new SyncState(paths.syncId(), access.dataSet().name(), outcome, seconds(Duration.between(begun, until)), dump, shards);
    }

    /** Reads an execution; ended executions are cached. */
    private Optional<Execution> read(SfnClient sfn, String arn) {
        var known = executions.get(arn);
        if (known != null && !known.running()) return Optional.of(known);
        var execution = Execution.read(sfn, arn);
        execution.ifPresent(e -> executions.put(arn, e));
        return execution;
    }

    private void startForecasts() {
        String dataSet = access.dataSet().name();
        var input = new RestoreInput(dataSet, paths.syncId(), access.bucket(), SyncPaths.rehearsal(dataSet, paths.syncId()), Mode.SYNC,
                Optional.empty(), true);
        for (Account account : access.targetAccounts()) input.start(access, account, paths.syncId());
        restoresStarted = true;
    }

    private void noteEnd(Execution execution) {
        Instant stopped = execution.described().stopDate();
        if (stopped == null) running = true;
        else if (stopped.isAfter(ended)) ended = stopped;
    }

    private static Outcome outcome(Dump dump, List<SyncState.Shard> shards) {
        if (dump.phase() == DumpPhase.failed) return Outcome.failed;
        boolean ended = shards.stream().allMatch(s -> s.phase() == ShardPhase.verified || s.phase() == ShardPhase.failed);
        if (!ended) return Outcome.running;
        return shards.stream().anyMatch(s -> s.phase() == ShardPhase.failed) ? Outcome.failed : Outcome.verified;
    }

    private Dump dump(Optional<Execution> execution) {
        if (execution.isEmpty()) return new Dump(DumpPhase.starting, Optional.empty(), List.of(), Optional.empty(), Optional.empty(),
                Optional.empty(), Map.of(), Optional.empty());
        var answers = execution.get().answers();
        var snapshot = answers.stream().filter(a -> a.has("snapshotTime")).findFirst();
        var sealed = answers.stream().filter(a -> a.has("manifestKey")).findFirst();
        boolean failed = !execution.get().running() && !execution.get().succeeded();
        var seconds = new LinkedHashMap<String, Double>();
        snapshot.ifPresent(a -> seconds.put("snapshot", seconds(Duration.between(execution.get().described().startDate(), a.at()))));
        sealed.ifPresent(a -> {
            double seal = a.seconds();
            snapshot.ifPresent(s -> seconds.put("parts", seconds(Duration.between(s.at(), a.at())) - seal));
            seconds.put("seal", seal);
        });
        if (!execution.get().running())
            seconds.put("all", seconds(Duration.between(execution.get().described().startDate(), execution.get().described().stopDate())));
        var tables = snapshot.isPresent() ? tables() : List.<SyncState.Table>of();
        var held = execution.get().running() && answers.stream().filter(a -> a.has("manifestKey")).count() < 2
                ? execution.get().inputOf("WaitForApproval").map(input -> input.at("/assessment/reasons").valueStream()
                        .map(reason -> reason.asString()).collect(java.util.stream.Collectors.joining("; ")))
                : Optional.<String>empty();
        var phase = failed ? DumpPhase.failed : held.isPresent() ? DumpPhase.held : sealed.isPresent() ? DumpPhase.sealed
                : snapshot.isPresent() ? DumpPhase.dumping : DumpPhase.starting;
        return new Dump(phase, snapshot.map(a -> Instant.parse(a.payload().get("snapshotTime").asString())), tables,
                sealed.map(a -> dumped.values().stream().flatMap(d -> d.ranges().stream()).flatMap(r -> r.parts().stream())
                        .mapToLong(Part::bytes).sum()),
                failed ? Optional.of(execution.get().error()) : Optional.empty(), failed ? Optional.of(execution.get().cause()) : held,
                seconds, sealed.map(a -> a.payload().path("workers").path("peakMemoryMiB").asLong(0)));
    }

    /** Returns the rows dumped so far, from the progress objects of the workers. */
    private List<SyncState.Table> tables() {
        if (batches == null) batches = readProgress(paths.batches(), Batch[].class).orElse(null);
        if (batches == null) return List.of();
        for (Batch batch : batches)
            if (!dumped.containsKey(batch.index()))
                readProgress(paths.dumped(batch.index()), Dumped.class).ifPresent(d -> dumped.put(d.batch(), d));
        return access.dataSet().tables().stream().map(table -> {
            long ranges = java.util.Arrays.stream(batches).flatMap(b -> b.ranges().stream()).filter(r -> r.table().equals(table.name()))
                    .count();
            var done = dumped.values().stream().flatMap(d -> d.ranges().stream()).filter(r -> r.range().table().equals(table.name()))
                    .toList();
            return new SyncState.Table(table.name(), done.stream().flatMap(r -> r.parts().stream()).mapToLong(Part::rows).sum(),
                    done.size() == ranges);
        }).toList();
    }

    private <T> Optional<T> readProgress(String key, Class<T> type) {
        try {
            return Optional
                    .of(Json.MAPPER.readValue(s3.getObjectAsBytes(r -> r.bucket(access.bucket()).key(key)).asByteArrayUnsafe(), type));
        } catch (S3Exception e) {
            // not written yet; without the right to list, S3 returns 403 for a missing object
            if (e.statusCode() == 404 || e.statusCode() == 403) return Optional.empty();
            throw e;
        }
    }

    private List<SyncState.Shard> shards(Account account, Dump dump) {
        var shards = access.landscape().targetsIn(account, access.dataSet());
        if (dump.phase() != DumpPhase.sealed) return shards.stream().map(s -> RestoredShard.waiting(account, s)).toList();
        var execution = read(targets.computeIfAbsent(account.name(), name -> access.observer(account).client(SfnClient.builder())),
                access.restoreArn(account, paths.syncId()));
        if (execution.isEmpty()) return shards.stream().map(s -> RestoredShard.waiting(account, s)).toList();
        noteEnd(execution.get());
        return shards.stream().map(s -> shard(account, s, execution.get())).toList();
    }

    private SyncState.Shard shard(Account account, Shard shard, Execution execution) {
        long expected = RestoredShard.expectedRows(shard, execution);
        if (queriesShards && execution.running() && stagedRows(shard) < expected) queryProgress(account, shard);
        return RestoredShard.read(account, shard, execution, stagedRows(shard));
    }

    private long stagedRows(Shard shard) {
        return staged.getOrDefault(shard.name(), 0L);
    }

    /** Queries the progress of a shard at intervals, because it costs a query and a function call. The progress never decreases. */
    private void queryProgress(Account account, Shard shard) {
        if (asked.getOrDefault(shard.name(), begun).plus(PROGRESS).isAfter(Instant.now())) return;
        var reporter = reporters.computeIfAbsent(shard.name(),
                name -> new ShardReporter(access.statusOf(account, shard), shard, access.dataSet()));
        staged.merge(shard.name(), reporter.stagedRows(paths.syncId()), Math::max);
        asked.put(shard.name(), Instant.now());
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }

    @Override
    public void close() {
        source.close();
        s3.close();
        targets.values().forEach(SfnClient::close);
        reporters.values().forEach(ShardReporter::close);
    }
}
