package lockstep.cli.sync;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.cli.Main;
import lockstep.cli.sync.KeptManifests.Kept;
import lockstep.cli.sync.SyncState.Outcome;
import lockstep.cli.sync.SyncState.ShardPhase;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Shard;
import lockstep.masterdata.engine.Applied;
import lockstep.masterdata.engine.Preflight.Mode;
import lockstep.masterdata.engine.ShardReport;
import lockstep.masterdata.engine.SyncPaths;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import software.amazon.awssdk.services.sfn.SfnClient;

@Command(mixinStandardHelpOptions = true, name = "rollback", description = "Brings target shards back to an earlier sync that is still kept, and follows until each is verified.",
        footer = {"", "The next sync goes forward again. Ends with 0 when every shard meant is verified, 1 when one failed, 2 on wrong usage, 3 when it still runs at --timeout."})
public final class RollbackCommand implements Callable<Integer> {
    private static final int STILL_RUNNING = 3;
    private static final long POLL_MILLIS = 250;

    @ParentCommand
    private Main main;

    @Spec
    private CommandSpec spec;

    @Mixin
    private Place place;

    @Mixin
    private ChosenDataSet chosen;

    @Option(names = "--shard", paramLabel = "SHARD", description = "The only shard that is meant (default: every target).")
    private String shardName;

    @Option(names = "--to", paramLabel = "SYNC-ID", description = "The sync to go back to (default: of each shard the one before that in force; those kept are listed).")
    private String to;

    @Option(names = "--dry-run", description = "Tell what would change in each table, and change nothing.")
    private boolean dryRun;

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "1800", description = "How long to follow (default: ${DEFAULT-VALUE}).")
    private long timeout;

    /** @param from the sync that was in force */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    record Step(String execution, Optional<String> from, String to, SyncState.Shard state) {}

    record Rollback(String dataSet, boolean dryRun, Outcome outcome, List<Step> shards) {}

    private record Meant(Account account, Shard shard, Optional<String> from, Kept to, String execution) {}

    @Override
    public Integer call() throws InterruptedException {
        Landscape landscape = place.landscape(main);
        DataSet dataSet = chosen.in(landscape);
        var targets = targets(landscape, dataSet);
        if (timeout <= 0) throw usage("--timeout takes a number of seconds above 0, not " + timeout);
        try (var accounts = place.open(main, landscape)) {
            var access = SyncCommand.access(accounts, dataSet);
            var kept = KeptManifests.read(access);
            if (to == null) System.err.println(kept.table());
            var meant = meant(access, targets, kept);
            for (Meant one : meant) {
                System.err.println((dryRun ? "dry run: " : "") + one.shard().name() + " from " + one.from().orElse("nothing") + " to " + one.to().syncId() + " of " + one.to().snapshotTime().truncatedTo(ChronoUnit.SECONDS));
                new RestoreInput(dataSet.name(), one.to().syncId(), access.bucket(), SyncPaths.manifest(dataSet.name(), one.to().syncId()), Mode.ROLLBACK, Optional.of(one.shard().name()), dryRun)
                        .start(access, one.account(), one.execution());
            }
            return follow(access, meant);
        }
    }

    private LinkedHashMap<Shard, Account> targets(Landscape landscape, DataSet dataSet) {
        var targets = new LinkedHashMap<Shard, Account>();
        for (Account account : landscape.accounts()) landscape.targetsIn(account, dataSet).forEach(shard -> targets.put(shard, account));
        if (shardName == null) return targets;
        String names = targets.keySet().stream().map(Shard::name).collect(Collectors.joining(", "));
        if (shardName.equals(dataSet.source())) throw usage(shardName + " is the source of data set '" + dataSet.name() + "', and follows nothing; targets are " + names);
        targets.keySet().removeIf(s -> !s.name().equals(shardName));
        if (targets.isEmpty()) throw usage("there is no shard '" + shardName + "' that receives data set '" + dataSet.name() + "'; there is " + names);
        return targets;
    }

    private List<Meant> meant(SyncAccess access, LinkedHashMap<Shard, Account> targets, KeptManifests kept) {
        if (to != null && kept.named(to).isEmpty()) {
            var nearest = kept.nearest(to);
            throw usage("sync '" + to + "' is not kept" + (nearest.isEmpty() ? "" : "; did you mean " + String.join(" or ", nearest) + "?") + "\n" + kept.table());
        }
        String run = "back-" + SyncCommand.newId();
        var meant = new ArrayList<Meant>();
        targets.forEach((shard, account) -> {
            var applied = applied(access, account, shard);
            Kept chosen = to != null ? kept.named(to).orElseThrow()
                    : applied.flatMap(kept::before).orElseThrow(() -> new IllegalStateException("shard " + shard.name() + " has " + applied.map(a -> "sync " + a.syncId() + " in force, and none before it is kept")
                            .orElse("no sync in force") + "; nothing was started"));
            meant.add(new Meant(account, shard, applied.map(Applied::syncId), chosen, run + "-" + shard.name()));
        });
        return meant;
    }

    private static Optional<Applied> applied(SyncAccess access, Account account, Shard shard) {
        try (var reporter = new ShardReporter(access.statusOf(account, shard), shard, access.dataSet())) {
            var answer = reporter.inForce();
            answer.unreachable().ifPresent(cause -> {
                throw new IllegalStateException("shard " + shard.name() + " can't say which sync is in force: " + cause + "; nothing was started");
            });
            return answer.report().flatMap(ShardReport::applied);
        }
    }

    private int follow(SyncAccess access, List<Meant> meant) throws InterruptedException {
        var display = new SyncDisplay(System.err, false, main.colour(), dryRun);
        var until = Instant.now().plusSeconds(timeout);
        var clients = new LinkedHashMap<String, SfnClient>();
        var shown = new LinkedHashMap<String, String>();
        try {
            while (true) {
                var steps = new ArrayList<Step>();
                for (Meant one : meant) {
                    var sfn = clients.computeIfAbsent(one.account().name(), name -> access.starter(one.account()).client(SfnClient.builder()));
                    var state = Execution.read(sfn, access.restoreArn(one.account(), one.execution()))
                            .map(e -> RestoredShard.read(one.account(), one.shard(), e, RestoredShard.expectedRows(one.shard(), e))).orElseGet(() -> RestoredShard.waiting(one.account(), one.shard()));
                    steps.add(new Step(one.execution(), one.from(), one.to().syncId(), state));
                    String told = display.told(state);
                    if (!told.equals(shown.put(one.shard().name(), told))) System.err.printf("  %-24s  %s%n", one.shard().name(), told);
                }
                var outcome = outcome(steps);
                if (outcome == Outcome.running && Instant.now().isBefore(until)) {
                    Thread.sleep(POLL_MILLIS);
                    continue;
                }
                main.answer(new Rollback(access.dataSet().name(), dryRun, outcome, steps), SyncDisplay.forecast(steps.stream().map(Step::state).toList()) + told(outcome, steps));
                return switch (outcome) {
                    case verified -> 0;
                    case failed -> 1;
                    case running -> STILL_RUNNING;
                };
            }
        } finally {
            clients.values().forEach(SfnClient::close);
        }
    }

    private static Outcome outcome(List<Step> steps) {
        if (!steps.stream().allMatch(s -> s.state().phase() == ShardPhase.verified || s.state().phase() == ShardPhase.failed)) return Outcome.running;
        return steps.stream().anyMatch(s -> s.state().phase() == ShardPhase.failed) ? Outcome.failed : Outcome.verified;
    }

    private String told(Outcome outcome, List<Step> steps) {
        return switch (outcome) {
            case verified -> dryRun ? SyncDisplay.forecastTold("rollback", steps.stream().map(Step::state).toList()) : "Rolled back and verified in " + SyncDisplay.count(steps) + ". The next sync goes forward again.";
            case failed -> "Failed: " + steps.stream().map(Step::state).filter(s -> s.error().isPresent())
                    .map(s -> s.shard() + " in " + s.failedState().orElse("?") + " with " + s.error().get() + ": " + s.cause().orElse("?")).collect(Collectors.joining("; "));
            case running -> "Still running after --timeout; executions " + steps.stream().map(Step::execution).collect(Collectors.joining(", "));
        };
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
