package lockstep.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.landscape.Account;
import lockstep.landscape.Shard;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.poll.Poll;
import lockstep.sync.AppliedSyncs;
import lockstep.sync.Execution;
import lockstep.sync.KeptManifests;
import lockstep.sync.NextCommand;
import lockstep.sync.RestoreInput;
import lockstep.sync.RestoredShard;
import lockstep.sync.SyncAccess;
import lockstep.sync.SyncDisplay;
import lockstep.sync.SyncReport;
import lockstep.sync.SyncState.Outcome;
import lockstep.sync.SyncState.ShardPhase;
import lockstep.sync.SyncState;
import software.amazon.awssdk.services.sfn.SfnClient;

/**
 * Restores single shards: starts an execution for each, follows them, and prints the results. {@code rollback} and {@code repair} share it.
 *
 * @param command {@code rollback} or {@code repair}, used in messages
 * @param prefix  the prefix of execution names
 * @param success the format of the message when all shards are verified, with a placeholder for their number
 */
record ShardRestores(Main main, SyncAccess access, String command, Mode mode, String prefix, String success, boolean dryRun,
        FollowOptions following, NextCommand next) {
    /**
     * A shard to restore.
     *
     * @param from the sync in force
     * @param to   the sync to restore
     */
    record Step(Account account, Shard shard, Optional<String> from, String to, Instant snapshotTime) {}

    /** Collects the reasons why shards cannot be restored. Shards with the same problem are grouped. */
    static final class Problems {
        private final Map<String, List<String>> shards = new LinkedHashMap<>();

        /** @param what the problem, as the object of "has" */
        void add(AppliedSyncs shard, String what) {
            shards.computeIfAbsent(what, w -> new ArrayList<>()).add(shard.shard().name());
        }

        /** @throws IllegalStateException if there is a problem */
        void check(String remedy) {
            if (!shards.isEmpty())
                throw new IllegalStateException(shards.entrySet().stream()
                        .map(e -> SyncReport.names(e.getValue()) + (e.getValue().size() == 1 ? " has " : " have ") + e.getKey())
                        .collect(Collectors.joining("; ")) + "; nothing was started; " + remedy);
        }
    }

    /** The state of a shard's restore. */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    record Restored(String execution, Optional<String> from, String to, SyncState.Shard state) {}

    /** The output of the command. */
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    record Answer(String dataSet, boolean dryRun, Outcome outcome, List<Restored> shards, List<KeptManifests.Listed> syncs) {
        @JsonProperty
        List<SyncState.Warning> warnings() {
            return SyncState.Warning.of(states());
        }

        List<SyncState.Shard> states() {
            return shards.stream().map(Restored::state).toList();
        }
    }

    /**
     * @param syncs the kept syncs, for the output
     * @return the exit code
     */
    int run(List<Step> steps, List<KeptManifests.Listed> syncs) throws InterruptedException {
        String run = prefix + "-" + SyncAccess.newSyncId();
        var executions = new LinkedHashMap<Step, String>();
        String dataSet = access.dataSet().name();
        for (Step step : steps) {
            String execution = run + "-" + step.shard().name();
            String from = step.from().equals(Optional.of(step.to())) ? "" : "from " + step.from().orElse("nothing") + " to ";
            System.err.println((dryRun ? "dry run: " : "") + command + " of " + step.shard().name() + ": " + from + "sync " + step.to()
                    + " of " + step.snapshotTime().truncatedTo(ChronoUnit.SECONDS));
            new RestoreInput(dataSet, step.to(), access.bucket(), SyncPaths.manifest(dataSet, step.to()), mode,
                    Optional.of(step.shard().name()), dryRun).start(access, step.account(), execution);
            executions.put(step, execution);
        }
        var restored = follow(executions);
        var answer = new Answer(dataSet, dryRun, outcome(restored), restored, syncs);
        main.answer(answer, text(answer));
        return switch (answer.outcome()) {
            case verified -> 0;
            case failed -> 1;
            case running -> Main.UNDECIDED;
        };
    }

    private List<Restored> follow(Map<Step, String> executions) throws InterruptedException {
        var display = new SyncDisplay(System.err, new SyncDisplay.Style(false, main.colour(), dryRun, following.verbose()), next);
        var clients = new LinkedHashMap<String, SfnClient>();
        var ended = new LinkedHashMap<String, Restored>();
        var shown = new LinkedHashMap<String, String>();
        try {
            return Poll.until(following.deadline(), () -> executions.entrySet().stream().map(e -> {
                var known = ended.get(e.getValue());
                if (known != null) return known;
                var sfn = clients.computeIfAbsent(e.getKey().account().name(),
                        name -> access.starter(e.getKey().account()).client(SfnClient.builder()));
                var read = read(sfn, e.getKey(), e.getValue());
                if (hasEnded(read)) ended.put(e.getValue(), read);
                return read;
            }).toList(), restored -> outcome(restored) != Outcome.running, restored -> {
                for (Restored one : restored) {
                    String line = display.line(one.state());
                    if (!line.equals(shown.put(one.state().shard(), line))) System.err.printf("  %-24s  %s%n", one.state().shard(), line);
                }
            });
        } finally {
            clients.values().forEach(SfnClient::close);
        }
    }

    private Restored read(SfnClient sfn, Step step, String name) {
        var state = Execution.read(sfn, access.restoreArn(step.account(), name))
                .map(e -> RestoredShard.read(step.account(), step.shard(), e, RestoredShard.expectedRows(step.shard(), e)))
                .orElseGet(() -> RestoredShard.waiting(step.account(), step.shard()));
        return new Restored(name, step.from(), step.to(), state);
    }

    private static boolean hasEnded(Restored restored) {
        return restored.state().phase() == ShardPhase.verified || restored.state().phase() == ShardPhase.failed;
    }

    private static Outcome outcome(List<Restored> restored) {
        if (!restored.stream().allMatch(ShardRestores::hasEnded)) return Outcome.running;
        return restored.stream().anyMatch(s -> s.state().phase() == ShardPhase.failed) ? Outcome.failed : Outcome.verified;
    }

    private String text(Answer answer) {
        var report = new SyncReport(following.verbose());
        var states = answer.states();
        return (dryRun ? report.forecast(states) : report.changes(states)) + SyncReport.warnings(answer.warnings())
                + switch (answer.outcome()) {
                    case verified -> dryRun ? SyncReport.forecastEnd(command, states) : success.formatted(SyncReport.count(states));
                    case failed -> "The " + command + " failed: " + SyncReport.failures(states);
                    case running -> "Still running after --timeout; executions "
                            + answer.shards().stream().filter(s -> !hasEnded(s)).map(Restored::execution).collect(Collectors.joining(", "));
                };
    }
}
