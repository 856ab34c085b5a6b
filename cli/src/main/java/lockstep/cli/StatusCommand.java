package lockstep.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.project.TextTable;
import lockstep.release.RunningReleases;
import lockstep.sync.NextCommand;
import lockstep.sync.Status.ShardStatus;
import lockstep.sync.Status.State;
import lockstep.sync.Status;
import lockstep.sync.SyncAccess;
import lockstep.sync.SyncFollower;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;

@Command(mixinStandardHelpOptions = true, name = "status",
        description = "Compares the contents of every shard's database with those of its source.",
        footer = {"",
                "in-step: equal to the source now. behind: different. "
                        + "never: no sync was applied. unreachable: not known.",
                "", "from: how this is known. rows: all rows were read. fingerprints: nobody has written to any table since the sync that "
                        + "wrote it, by the database server's counts, so none was read. 2 of 8 read: the others have not been written to."})
final class StatusCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Option(names = "--rows",
            description = "Read all rows of every table, also of tables to which nobody has written.") private boolean rows;

    /** A sync that waits for approval, and the commands that answer it. */
    record Held(String dataset, String syncId, String cause, String approve, String reject) {
        String text() {
            return "Sync " + syncId + " is held: " + cause + ". Approve or reject it: " + approve + "   or   " + reject + "\n";
        }
    }

    private static List<Held> held(SyncAccess access, NextCommand next) {
        var held = new ArrayList<Held>();
        try (var sfn = access.source().client(SfnClient.builder())) {
            for (var running : access.executions(sfn, access.dumpMachineArn(), r -> r.statusFilter(ExecutionStatus.RUNNING)).toList()) {
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
                shards.addAll(Status.read(access, rows).shards());
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
        var table = new TextTable().left("account", 11).left("shard", 13).left("edition", 10);
        if (!releases.isEmpty()) table.left("release", 11);
        table.left("data set", 8).left("state", 11).right("age", 9).right("rows", 9).left("from", 12).left("sync", 0);
        for (var shard : shards) {
            var cells = new ArrayList<Object>(List.of(shard.account(), shard.shard(), shard.edition()));
            if (!releases.isEmpty()) cells.add(releases.getOrDefault(shard.shard(), "-"));
            cells.addAll(List.of(shard.dataset(), colour ? coloured(shard.state()) : shard.state(),
                    Optional.ofNullable(shard.ageSeconds()).map(Duration::ofSeconds).map(StatusCommand::age),
                    shard.tables().stream().mapToLong(Status.TableStatus::rows).sum(), from(shard), Optional.ofNullable(shard.syncId())));
            table.row(cells.toArray());
            if (shard.cause() != null) table.note("             " + shard.cause());
        }
        return table.toString();
    }

    private static String from(ShardStatus shard) {
        long read = shard.tables().stream().filter(t -> t.from() == Status.From.ROWS).count();
        if (shard.tables().isEmpty()) return "-";
        return read == shard.tables().size() ? "rows" : read == 0 ? "fingerprints" : read + " of " + shard.tables().size() + " read";
    }

    private static String coloured(State state) {
        return switch (state) {
            case IN_STEP -> "\033[32m";
            case UNREACHABLE -> "\033[31m";
            case BEHIND, NEVER -> "\033[33m";
        } + state + "\033[0m";
    }

    private static String age(Duration age) {
        if (age.toDays() > 0) return age.toDays() + " d";
        if (age.toHours() > 0) return age.toHours() + " h";
        if (age.toMinutes() > 0) return age.toMinutes() + " min";
        return age.toSeconds() + " s";
    }
}
