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
import lockstep.sync.Status.State;
import lockstep.sync.SyncState.Outcome;
import lockstep.sync.SyncState.ShardPhase;
import lockstep.sync.SyncState.TableChange;
import lockstep.sync.SyncState;

/** Formats the texts of the console page. */
public final class Words {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("d MMM uuuu, HH:mm:ss 'UTC'", Locale.ENGLISH)
            .withZone(ZoneOffset.UTC);

    private static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("d MMM, HH:mm", Locale.ENGLISH).withZone(ZoneOffset.UTC);
    /** The maximum number of shards shown per account; if there are more, those in step are collapsed. */
    private static final int MOST_SHOWN = 12;

    private Words() {}

    public static String time(Instant instant) {
        return TIME.format(instant);
    }

    /** Formats a time without year and seconds. */
    public static String day(Instant instant) {
        return DAY.format(instant);
    }

    public static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    public static String seconds(double seconds) {
        return seconds >= 120 ? String.format(Locale.ROOT, "%d min %02d s", (long) seconds / 60, (long) seconds % 60)
                : String.format(Locale.ROOT, "%.1f s", seconds);
    }

    /** Formats an age such as {@code 5 min ago}. Times slightly in the future, due to clock skew, are now. */
    public static String ago(Instant then, Instant now) {
        Duration age = Duration.between(then, now);
        if (age.toSeconds() < 2) return "now";
        if (age.toDays() > 1) return age.toDays() + " days ago";
        if (age.toHours() > 0) return age.toHours() + " h ago";
        if (age.toMinutes() > 0) return age.toMinutes() + " min ago";
        return age.toSeconds() + " s ago";
    }

    /** Formats a count such as {@code 1 sync} or {@code 30 syncs}. */
    public static String count(long number, String one) {
        return number(number) + " " + one + (number == 1 ? "" : "s");
    }

    /** Formats seconds as a whole number in the unit of the step between lines. */
    static String round(double seconds, double step) {
        if (step >= 3600) return number((long) seconds / 3600) + " h";
        return step >= 60 ? number((long) seconds / 60) + " min" : number((long) seconds) + " s";
    }

    /** Returns the overall state in one sentence. */
    public static String headline(Syncs syncs) {
        if (syncs.current().isPresent()) return current(syncs.current().get());
        var targets = syncs.targets();
        if (syncs.shardsOld()) return "Reading the shards";
        var others = targets.stream().filter(s -> !inStep(s)).toList();
        if (others.isEmpty())
            return targets.size() == 1 ? "The only shard is in step" : "All " + number(targets.size()) + " shards are in step";
        if (others.size() <= 2) return others.stream().map(Words::sentence).collect(Collectors.joining(", "));
        return others.size() == targets.size() ? "None of the " + number(targets.size()) + " shards is in step"
                : number(others.size()) + " of " + number(targets.size()) + " shards are not in step";
    }

    private static String sentence(ShardStatus shard) {
        return shard.shard() + switch (shard.state()) {
            case UNREACHABLE -> " can't be reached";
            case NEVER -> " has no sync yet";
            case BEHIND, IN_STEP -> " is behind";
        };
    }

    private static String current(Run run) {
        if (run.held()) return "A sync is held until somebody approves or rejects it";
        if (run.kind() == Run.Kind.rollback) return run.state().shards().getFirst().shard() + " is being rolled back";
        long failed = shardsIn(run, ShardPhase.failed);
        return "A sync is running: " + number(shardsIn(run, ShardPhase.verified)) + " of " + count(run.state().shards().size(), "shard")
                + " verified" + (failed == 0 ? "" : ", " + number(failed) + " failed");
    }

    private static long shardsIn(Run run, ShardPhase phase) {
        return run.state().shards().stream().filter(s -> s.phase() == phase).count();
    }

    /** Returns the label of the run that is shown in detail. */
    public static String latest(Syncs syncs) {
        return syncs.current().map(run -> run.held() ? "Held now" : "Running now").orElse("Last run");
    }

    /** Returns the details below the headline. */
    public static String subline(Syncs syncs, Instant now) {
        var last = syncs.runs().stream().filter(r -> !r.running()).findFirst();
        var source = syncs.shards().stream().filter(s -> s.shard().equals(syncs.source())).findFirst();
        var words = new ArrayList<String>();
        source.filter(s -> !s.tables().isEmpty())
                .ifPresent(s -> words.add(count(rows(s), "row") + " in " + count(s.tables().size(), "table") + " at the source"));
        last.ifPresent(r -> words.add("last " + title(r).toLowerCase(Locale.ROOT) + " " + ago(r.started(), now) + ": " + outcome(r)));
        return String.join(" · ", words);
    }

    /** Returns the style of the headline. */
    public static String mood(Syncs syncs) {
        if (syncs.current().isPresent()) return looks(syncs.current().get());
        if (syncs.shardsOld()) return "unknown";
        if (syncs.targets().stream().anyMatch(s -> s.state() == State.UNREACHABLE)) return "failed";
        return syncs.targets().stream().allMatch(Words::inStep) ? "verified" : "behind";
    }

    private static boolean inStep(ShardStatus shard) {
        return shard.state() == State.IN_STEP;
    }

    /** Returns the shards of an account that are always visible: all if there are few, otherwise the source and those not in step. */
    public static List<ShardStatus> shown(List<ShardStatus> account, Syncs syncs) {
        return account.size() <= MOST_SHOWN ? account
                : account.stream().filter(s -> !inStep(s) || s.shard().equals(syncs.source())).toList();
    }

    public static List<ShardStatus> folded(List<ShardStatus> account, Syncs syncs) {
        var shown = shown(account, syncs);
        return account.stream().filter(s -> !shown.contains(s)).toList();
    }

    public static String state(ShardStatus shard, Syncs syncs) {
        if (shard.shard().equals(syncs.source())) return shard.state() == State.UNREACHABLE ? "unreachable" : "source";
        return shard.state() == State.NEVER ? "no sync yet" : shard.state().toString().replace('-', ' ');
    }

    /** Returns the style of a state. */
    public static String looks(ShardStatus shard, Syncs syncs) {
        if (state(shard, syncs).equals("source")) return "source";
        return switch (shard.state()) {
            case IN_STEP -> "verified";
            case BEHIND -> "behind";
            case NEVER -> "unknown";
            case UNREACHABLE -> "failed";
        };
    }

    public static String looks(Run run) {
        return run.held() ? "behind" : run.running() ? "running" : run.state().outcome() == Outcome.running ? "behind"
                : run.state().outcome().name();
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

    /** Returns the label of the snapshot time. The source's own data is always current. */
    public static String freshness(ShardStatus shard, Syncs syncs) {
        return shard.shard().equals(syncs.source()) ? "Last synced" : "Data as of";
    }

    public static long kept(ShardStatus shard) {
        return shard.tables().stream().mapToLong(t -> t.kept()).sum();
    }

    public static String title(Run run) {
        return run.kind() == Run.Kind.rollback
                ? "Rollback" + run.state().shards().stream().findFirst().map(s -> " of " + s.shard()).orElse("") : "Sync";
    }

    public static String outcome(Run run) {
        return switch (run.state().outcome()) {
            case running -> run.held() ? "held" : run.running() ? "running" : "did not reach every shard";
            case verified -> run.kind() == Run.Kind.rollback ? "rolled back and verified" : "verified";
            case failed -> {
                long failed = shardsIn(run, ShardPhase.failed);
                yield run.state().shards().size() < 2 || failed == 0 ? "failed"
                        : "failed in " + number(failed) + " of " + count(run.state().shards().size(), "shard");
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

    /** Returns the simple class name of an error, such as {@code PartRefused}. */
    private static String error(Optional<String> error) {
        String name = error.orElse("?");
        return name.substring(Math.max(name.lastIndexOf('$'), name.lastIndexOf('.')) + 1);
    }

    /** Shards with the same changes, and the changed tables. */
    public record Changes(List<String> shards, List<TableChange> tables) {}

    /** Groups the shards by their changes. */
    public static List<Changes> changes(SyncState state) {
        var alike = new LinkedHashMap<List<TableChange>, List<String>>();
        state.shards().stream().filter(s -> s.phase() == ShardPhase.verified)
                .forEach(s -> alike.computeIfAbsent(changed(s), it -> new ArrayList<>()).add(s.shard()));
        return alike.entrySet().stream().map(e -> new Changes(e.getValue(), e.getKey())).toList();
    }

    /** Returns the changed tables without their current contents, which differ between shards that have rows of their own. */
    private static List<TableChange> changed(SyncState.Shard shard) {
        return shard.tables().stream().filter(t -> t.inserted() + t.updated() + t.deleted() + t.kept() > 0)
                .map(t -> new TableChange(t.name(), 0, "", t.inserted(), t.updated(), t.deleted(), t.kept())).toList();
    }

    /** Returns the style of a count; zeros are less prominent. */
    public static String some(long rows) {
        return rows == 0 ? "none" : "some";
    }

    /** Formats the segments of a bar, such as {@code preflight 0.5 s, staging 1.0 s}. */
    public static String parts(Plot.Bar bar) {
        return bar.segments().stream().map(s -> s.state() + " " + seconds(s.seconds())).collect(Collectors.joining(", "));
    }

    /** Returns the number of targets with a sync in force. */
    public static long inForce(Syncs syncs, Kept kept) {
        return syncs.targets().stream().filter(s -> kept.syncId().equals(s.syncId())).count();
    }

    /** Returns the command that restores all targets to a sync. */
    public static String rollback(Overview overview, Syncs syncs, String syncId) {
        return command("rollback --to " + syncId, overview, syncs);
    }

    /** Returns the command that answers a held run. @param command {@code approve} or {@code reject} */
    public static String answer(Overview overview, Syncs syncs, Run run, String command) {
        return command(command + " " + run.state().syncId(), overview, syncs);
    }

    private static String command(String command, Overview overview, Syncs syncs) {
        return new NextCommand(syncs.dataSet(), overview.aws(), overview.landscape()).line(command);
    }
}
