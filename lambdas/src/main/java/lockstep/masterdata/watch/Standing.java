package lockstep.masterdata.watch;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.restore.Applied;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.ShardReport;

/**
 * How a shard stands to the manifests. Nothing where it can't be told.
 *
 * @param age    of the snapshot in force
 * @param behind for how long there is a newer manifest than the one in force; zero when there is none
 * @param drift  tables that do not hold what the manifest in force says
 * @param remedy what brings it in step
 */
public record Standing(Optional<Duration> age, Optional<Duration> behind, Optional<List<String>> drift, Optional<Remedy> remedy) {
    /** A restore of this sync, on these terms. */
    public record Remedy(Mode mode, String syncId) {}

    /**
     * @param newest  when that is known
     * @param inForce the manifest that the shard says is in force, when that could be read
     */
    static Standing of(ShardReport report, Optional<Latest> newest, Optional<Manifest> inForce, Instant now) {
        var applied = report.applied();
        // at a source that sealed nothing yet nobody is behind
        var since = newest.flatMap(n -> missedSince(n, applied));
        var drift = inForce.map(manifest -> drift(manifest, report));
        var missed = since.map(s -> new Remedy(Mode.SYNC, newest.orElseThrow().syncId()));
        return new Standing(applied.map(a -> between(a.snapshotTime(), now)), newest.map(n -> since.map(s -> between(s, now)).orElse(Duration.ZERO)), drift,
                // a sync reads what others wrote to, and leaves nothing of it
                missed.or(() -> drift.filter(tables -> !tables.isEmpty()).map(tables -> new Remedy(Mode.REPAIR, inForce.orElseThrow().syncId()))));
    }

    private static Optional<Instant> missedSince(Latest newest, Optional<Applied> applied) {
        if (applied.isEmpty()) return Optional.of(newest.since());
        // what was brought back on purpose stays so, until there is something that nobody could have meant then
        return newest.newerSince(applied.get().snapshotTime(), applied.get().rollback() ? applied.get().appliedAt() : Instant.MIN);
    }

    private static List<String> drift(Manifest manifest, ShardReport report) {
        return manifest.tables().stream().filter(table -> report.tables().stream().noneMatch(t -> t.name().equals(table.name()) && new Content(t.rows(), t.digest()).equals(table.content())))
                .map(TableManifest::name).toList();
    }

    /** Never below zero: clocks differ. */
    private static Duration between(Instant from, Instant until) {
        return from.isAfter(until) ? Duration.ZERO : Duration.between(from, until);
    }
}
