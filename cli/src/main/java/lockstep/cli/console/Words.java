package lockstep.cli.console;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.cli.console.Overview.Syncs;
import lockstep.sync.KeptManifests.Kept;
import lockstep.sync.NextCommand;
import lockstep.sync.Run;
import lockstep.sync.Status.ShardStatus;
import lockstep.sync.SyncState.Outcome;
import lockstep.sync.SyncState.ShardPhase;
import lockstep.sync.SyncState.TableChange;
import lockstep.sync.SyncState;

/** How the console's page says things. */
public final class Words {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("d MMM uuuu, HH:mm:ss 'UTC'", Locale.ENGLISH).withZone(ZoneOffset.UTC);

    private static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("d MMM, HH:mm", Locale.ENGLISH).withZone(ZoneOffset.UTC);
    /** Shards of one account; when there are more, those in step are folded away. */
    private static final int MOST_SHOWN = 12;

    private Words() {}

    public static String time(Instant instant) {
        return TIME.format(instant);
    }

    /** Of two such times, which day and when about. */
    public static String day(Instant instant) {
        return DAY.format(instant);
    }

    public static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    public static String seconds(double seconds) {
        return seconds >= 120 ? String.format(Locale.ROOT, "%d min %02d s", (long) seconds / 60, (long) seconds % 60) : String.format(Locale.ROOT, "%.1f s", seconds);
    }

    /** {@code 5 min ago}; what a clock elsewhere puts a little into the future is now. */
    public static String ago(Instant then, Instant now) {
        Duration age = Duration.between(then, now);
        if (age.toSeconds() < 2) return "now";
        if (age.toDays() > 1) return age.toDays() + " days ago";
        if (age.toHours() > 0) return age.toHours() + " h ago";
        if (age.toMinutes() > 0) return age.toMinutes() + " min ago";
        return age.toSeconds() + " s ago";
    }

    /** {@code 1 sync}, {@code 30 syncs}. */
    public static String count(long number, String one) {
        return number(number) + " " + one + (number == 1 ? "" : "s");
    }

    /** Seconds of a whole number, in the unit that the step from one line to the next has. */
    static String round(double seconds, double step) {
        if (step >= 3600) return number((long) seconds / 3600) + " h";
        return step >= 60 ? number((long) seconds / 60) + " min" : number((long) seconds) + " s";
    }

    /** How things stand, in one sentence. */
    public static String headline(Syncs syncs) {
        if (syncs.current().isPresent()) return current(syncs.current().get());
        var targets = syncs.targets();
        if (syncs.shardsOld()) return "Asking the shards what they hold";
        var others = targets.stream().filter(s -> !inStep(s)).toList();
        if (others.isEmpty()) return targets.size() == 1 ? "The only shard is in step" : "All " + number(targets.size()) + " shards are in step";
        if (others.size() <= 2) return others.stream().map(Words::sentence).collect(Collectors.joining(", "));
        return others.size() == targets.size() ? "None of the " + number(targets.size()) + " shards is in step" : number(others.size()) + " of " + number(targets.size()) + " shards are not in step";
    }

    private static String sentence(ShardStatus shard) {
        return shard.shard() + switch (shard.state()) {
            case "unreachable" -> " can't be reached";
            case "never" -> " holds no sync yet";
            default -> " is behind";
        };
    }

    private static String current(Run run) {
        if (run.held()) return "A sync is held until somebody approves or rejects it";
        if (run.kind() == Run.Kind.rollback) return run.state().shards().getFirst().shard() + " is being rolled back";
        long failed = shardsIn(run, ShardPhase.failed);
        return "A sync is running: " + number(shardsIn(run, ShardPhase.verified)) + " of " + count(run.state().shards().size(), "shard") + " verified" + (failed == 0 ? "" : ", " + number(failed) + " failed");
    }

    private static long shardsIn(Run run, ShardPhase phase) {
        return run.state().shards().stream().filter(s -> s.phase() == phase).count();
    }

    /** What the run is that is shown whole. */
    public static String latest(Syncs syncs) {
        return syncs.current().map(run -> run.held() ? "Held now" : "Running now").orElse("Last run");
    }

    /** What one would ask next. */
    public static String subline(Syncs syncs, Instant now) {
        var last = syncs.runs().stream().filter(r -> !r.running()).findFirst();
        var source = syncs.shards().stream().filter(s -> s.shard().equals(syncs.source())).findFirst();
        var words = new ArrayList<String>();
        source.filter(s -> !s.tables().isEmpty()).ifPresent(s -> words.add(count(rows(s), "row") + " in " + count(s.tables().size(), "table") + " at the source"));
        last.ifPresent(r -> words.add("last " + title(r).toLowerCase(Locale.ROOT) + " " + ago(r.started(), now) + ": " + outcome(r)));
        return String.join(" · ", words);
    }

    /** Of the headline, for the style. */
    public static String mood(Syncs syncs) {
        if (syncs.current().isPresent()) return looks(syncs.current().get());
        if (syncs.shardsOld()) return "unknown";
        if (syncs.targets().stream().anyMatch(s -> s.state().equals("unreachable"))) return "failed";
        return syncs.targets().stream().allMatch(Words::inStep) ? "verified" : "behind";
    }

    private static boolean inStep(ShardStatus shard) {
        return shard.state().equals("in-step");
    }

    /** Those of an account that are always to be seen: all when they are few, else those that are not simply in step. */
    public static List<ShardStatus> shown(List<ShardStatus> account, Syncs syncs) {
        return account.size() <= MOST_SHOWN ? account : account.stream().filter(s -> !inStep(s) || s.shard().equals(syncs.source())).toList();
    }

    public static List<ShardStatus> folded(List<ShardStatus> account, Syncs syncs) {
        var shown = shown(account, syncs);
        return account.stream().filter(s -> !shown.contains(s)).toList();
    }

    public static String state(ShardStatus shard, Syncs syncs) {
        if (shard.shard().equals(syncs.source())) return shard.state().equals("unreachable") ? "unreachable" : "source";
        return shard.state().equals("never") ? "no sync yet" : shard.state().replace('-', ' ');
    }

    /** Of a state, for the style. */
    public static String looks(ShardStatus shard, Syncs syncs) {
        return switch (state(shard, syncs)) {
            case "in step" -> "verified";
            case "source" -> "source";
            case "unreachable" -> "failed";
            case "behind" -> "behind";
            default -> "unknown";
        };
    }

    public static String looks(Run run) {
        return run.held() ? "behind" : run.running() ? "running" : run.state().outcome() == Outcome.running ? "behind" : run.state().outcome().name();
    }

    public static String looks(SyncState.Dump dump) {
        return switch (dump.phase()) {
            case starting, dumping -> "running";
            case held -> "behind";
            case sealed -> "verified";
            case failed -> "failed";
        };
    }

    public static long rows(ShardStatus shard) {
        return shard.tables().stream().mapToLong(t -> t.rows()).sum();
    }

    /** Of when its data is: the source's own is always of now, and what others have of it is not. */
    public static String freshness(ShardStatus shard, Syncs syncs) {
        return shard.shard().equals(syncs.source()) ? "Last synced" : "Data as of";
    }

    public static long kept(ShardStatus shard) {
        return shard.tables().stream().mapToLong(t -> t.kept()).sum();
    }

    public static String title(Run run) {
        return run.kind() == Run.Kind.rollback ? "Rollback" + run.state().shards().stream().findFirst().map(s -> " of " + s.shard()).orElse("") : "Sync";
    }

    public static String outcome(Run run) {
        return switch (run.state().outcome()) {
            case running -> run.held() ? "held" : run.running() ? "running" : "did not come to every shard";
            case verified -> run.kind() == Run.Kind.rollback ? "rolled back and verified" : "verified";
            case failed -> {
                long failed = shardsIn(run, ShardPhase.failed);
                yield run.state().shards().size() < 2 || failed == 0 ? "failed" : "failed in " + number(failed) + " of " + count(run.state().shards().size(), "shard");
            }
        };
    }

    public static String phase(SyncState.Dump dump) {
        return switch (dump.phase()) {
            case starting -> "taking a snapshot";
            case dumping -> "dumping, " + count(rows(dump), "row") + " so far";
            case held -> "held, " + count(rows(dump), "row");
            case sealed -> "sealed, " + count(rows(dump), "row");
            case failed -> "failed with " + error(dump.error());
        };
    }

    public static String phase(SyncState.Shard shard) {
        return switch (shard.phase()) {
            case waiting -> "waiting";
            case preflight -> "preflight";
            case staging -> "staging";
            case publishing -> "merging and verifying";
            case verified -> "verified";
            case failed -> "failed in " + shard.failedState().orElse("?") + " with " + error(shard.error());
        };
    }

    private static long rows(SyncState.Dump dump) {
        return dump.tables().stream().mapToLong(SyncState.Table::rows).sum();
    }

    /** {@code PartRefused}: the last word of an error's class. */
    private static String error(Optional<String> error) {
        String name = error.orElse("?");
        return name.substring(Math.max(name.lastIndexOf('$'), name.lastIndexOf('.')) + 1);
    }

    /** What became of the tables of these shards, which is the same in all of them; tables in which nothing did are left out. */
    public record Changes(List<String> shards, List<TableChange> tables) {}

    /** Shards to which the same happened are told of together. */
    public static List<Changes> changes(SyncState state) {
        var alike = new LinkedHashMap<List<TableChange>, List<String>>();
        state.shards().stream().filter(s -> s.phase() == ShardPhase.verified).forEach(s -> alike.computeIfAbsent(changed(s), it -> new ArrayList<>()).add(s.shard()));
        return alike.entrySet().stream().map(e -> new Changes(e.getValue(), e.getKey())).toList();
    }

    /** Without what the table holds now: rows of a shard's own make that another in each. */
    private static List<TableChange> changed(SyncState.Shard shard) {
        return shard.tables().stream().filter(t -> t.inserted() + t.updated() + t.deleted() + t.kept() > 0)
                .map(t -> new TableChange(t.name(), 0, "", t.inserted(), t.updated(), t.deleted(), t.kept())).toList();
    }

    /** Of a count, for the style: what is nothing should not draw the eye. */
    public static String some(long rows) {
        return rows == 0 ? "none" : "some";
    }

    /** {@code preflight 0.5 s, staging 1.0 s}. */
    public static String parts(Plot.Bar bar) {
        return bar.segments().stream().map(s -> s.state() + " " + seconds(s.seconds())).collect(Collectors.joining(", "));
    }

    /** Targets that hold this sync. */
    public static long inForce(Syncs syncs, Kept kept) {
        return syncs.targets().stream().filter(s -> kept.syncId().equals(s.syncId())).count();
    }

    /** Brings all targets back to a sync. */
    public static String rollback(Overview overview, Syncs syncs, String syncId) {
        return command("rollback --to " + syncId, overview, syncs);
    }

    /** @param command {@code approve} or {@code reject} */
    public static String answer(Overview overview, Syncs syncs, Run run, String command) {
        return command(command + " " + run.state().syncId(), overview, syncs);
    }

    private static String command(String command, Overview overview, Syncs syncs) {
        return new NextCommand(syncs.dataSet(), overview.aws(), overview.landscape()).line(command);
    }
}
