package lockstep.cli.console;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import lockstep.cli.console.Overview.Syncs;
import lockstep.cli.sync.Status.ShardStatus;
import lockstep.cli.sync.Run;
import lockstep.cli.sync.SyncState;
import lockstep.cli.sync.SyncState.TableChange;

/** How the console's page says things. */
public final class Words {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("d MMM uuuu, HH:mm:ss 'UTC'", Locale.ENGLISH).withZone(ZoneOffset.UTC);

    private Words() {}

    public static String time(Instant instant) {
        return TIME.format(instant);
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

    public static String state(ShardStatus shard, Syncs syncs) {
        if (shard.shard().equals(syncs.source())) return shard.state().equals("unreachable") ? "unreachable" : "source";
        return shard.state().replace('-', ' ');
    }

    public static long rows(ShardStatus shard) {
        return shard.tables().stream().mapToLong(t -> t.rows()).sum();
    }

    public static String outcome(Run run) {
        return switch (run.state().outcome()) {
            case running -> run.running() ? "running" : "not come to every shard";
            case verified -> run.kind() == Run.Kind.rollback ? "rolled back and verified" : "verified";
            case failed -> "failed";
        };
    }

    public static String phase(SyncState.Dump dump) {
        return switch (dump.phase()) {
            case starting -> "taking a snapshot";
            case dumping -> "dumping";
            case sealed -> "sealed";
            case failed -> "failed with " + error(dump.error());
        };
    }

    public static String phase(SyncState.Shard shard) {
        return switch (shard.phase()) {
            case waiting -> "waiting";
            case preflight -> "preflight";
            case staging -> "staging, " + number(shard.stagedRows()) + " rows so far";
            case publishing -> "merging and verifying";
            case verified -> "verified";
            case failed -> "failed in " + shard.failedState().orElse("?") + " with " + error(shard.error());
        };
    }

    /** {@code PartRefused}: the last word of an error's class. */
    private static String error(java.util.Optional<String> error) {
        String name = error.orElse("?");
        return name.substring(Math.max(name.lastIndexOf('$'), name.lastIndexOf('.')) + 1);
    }

    public static List<TableChange> changed(SyncState.Shard shard) {
        return shard.tables().stream().filter(t -> t.inserted() + t.updated() + t.deleted() + t.kept() > 0).toList();
    }

    /** Brings all targets, or one, back to a sync. */
    public static String rollback(Overview overview, Syncs syncs, String syncId, String shard) {
        return "lockstep rollback" + (overview.aws() ? " --aws" : "") + (syncs.dataSet().equals("master") ? "" : " --dataset " + syncs.dataSet())
                + (shard.isEmpty() ? "" : " --shard " + shard) + " --to " + syncId;
    }
}
