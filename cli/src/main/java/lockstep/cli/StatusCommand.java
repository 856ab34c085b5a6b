package lockstep.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.release.RunningReleases;
import lockstep.sync.NextCommand;
import lockstep.sync.Status.ShardStatus;
import lockstep.sync.Status;
import lockstep.sync.SyncAccess;
import lockstep.sync.SyncFollower;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;

@Command(mixinStandardHelpOptions = true, name = "status",
        description = "Compares the contents of every shard's database with those of its source.",
        footer = {"",
                "in-step: equal to the source now. behind: different. "
                        + "never: no sync was applied. unreachable: not known."})
final class StatusCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    /** A sync that waits for approval, and the commands that answer it. */
    record Held(String dataset, String syncId, String cause, String approve, String reject) {
        String text() {
            return "Sync " + syncId + " is held: " + cause + ". Approve or reject it: " + approve + "   or   " + reject + "\n";
        }
    }

    private static List<Held> held(SyncAccess access, NextCommand next) {
        var held = new ArrayList<Held>();
        try (var sfn = access.source().client(SfnClient.builder())) {
            for (var running : sfn.listExecutions(r -> r.stateMachineArn(access.dumpMachineArn()).statusFilter(ExecutionStatus.RUNNING))
                    .executions()) {
                try (var follower = SyncFollower.of(access, running.name(), running.startDate())) {
                    var state = follower.state();
                    if (state.held()) held.add(new Held(state.dataSet(), state.syncId(), state.dump().cause().orElse("?"),
                            next.line("approve " + state.syncId()), next.line("reject " + state.syncId())));
                }
            }
        }
        return held;
    }

    @Override
    public Integer call() {
        var landscape = place.landscape(main);
        try (var accounts = place.open(main, landscape)) {
            var shards = new ArrayList<ShardStatus>();
            var held = new ArrayList<Held>();
            for (var dataSet : landscape.dataSets()) {
                var access = SyncAccess.of(accounts, dataSet);
                shards.addAll(Status.read(access).shards());
                held.addAll(held(access, place.next(main, dataSet)));
            }
            var releases = RunningReleases.read(accounts);
            main.answer(
                    Map.of("shards", shards, "held", held, "releases", releases.byShard(), "sameRelease",
                            releases.same() && releases.unanswered().isEmpty()),
                    table(shards, releases.byShard(), main.colour()) + "\n\n" + held.stream().map(Held::text).collect(Collectors.joining())
                            + releases.summary());
            return 0;
        }
    }

    /** Formats one line per shard, followed by the cause if the shard is unreachable. */
    static String table(List<ShardStatus> shards, boolean colour) {
        return table(shards, Map.of(), colour);
    }

    /** @param releases the release by shard; if empty, there is no release column */
    static String table(List<ShardStatus> shards, Map<String, String> releases, boolean colour) {
        String release = releases.isEmpty() ? "" : String.format("%-12s ", "release");
        var text = new StringBuilder(String.format("%-12s %-14s %-11s %s%-9s %-12s %9s %10s  %s", "account", "shard", "edition", release,
                "data set", "state", "age", "rows", "sync"));
        for (var shard : shards) {
            long rows = shard.tables().stream().mapToLong(Status.TableStatus::rows).sum();
            String runs = releases.isEmpty() ? "" : String.format("%-12s ", releases.getOrDefault(shard.shard(), "-"));
            text.append(String.format(Locale.ROOT, "%n%-12s %-14s %-11s %s%-9s %s %9s %,10d  %s", shard.account(), shard.shard(),
                    shard.edition(), runs, shard.dataset(),
                    coloured(String.format("%-12s", shard.state()), colour),
                    shard.ageSeconds() == null ? "-" : age(Duration.ofSeconds(shard.ageSeconds())), rows,
                    shard.syncId() == null ? "-" : shard.syncId()));
            if (shard.cause() != null) text.append(String.format("%n             %s", shard.cause()));
        }
        return text.toString();
    }

    private static String coloured(String state, boolean colour) {
        if (!colour) return state;
        return switch (state.strip()) {
            case "in-step" -> "\033[32m" + state + "\033[0m";
            case "unreachable" -> "\033[31m" + state + "\033[0m";
            default -> "\033[33m" + state + "\033[0m";
        };
    }

    private static String age(Duration age) {
        if (age.toDays() > 0) return age.toDays() + " d";
        if (age.toHours() > 0) return age.toHours() + " h";
        if (age.toMinutes() > 0) return age.toMinutes() + " min";
        return age.toSeconds() + " s";
    }
}
