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
 * A shard's state compared with the manifests. Unknown values are empty.
 *
 * @param age    the age of the snapshot in force
 * @param behind how long there has been a newer manifest than the one in force; zero when there is none
 * @param drift  tables that differ from the manifest in force
 * @param remedy the restore that would bring the shard up to date
 */
public record Standing(Optional<Duration> age, Optional<Duration> behind, Optional<List<String>> drift, Optional<Remedy> remedy) {
    /** A restore of this sync in this mode. */
    public record Remedy(Mode mode, String syncId) {}

    /**
     * @param newest  the newest manifest, if it is known
     * @param inForce the manifest in force according to the shard, if it could be read
     */
    static Standing of(ShardReport report, Optional<Latest> newest, Optional<Manifest> inForce, Instant now) {
        var applied = report.applied();
        // no shard is behind a source that has not sealed a manifest yet
        var since = newest.flatMap(n -> missedSince(n, applied));
        var drift = inForce.map(manifest -> drift(manifest, report));
        var missed = since.map(s -> new Remedy(Mode.SYNC, newest.orElseThrow().syncId()));
        return new Standing(applied.map(a -> between(a.snapshotTime(), now)),
                newest.map(n -> since.map(s -> between(s, now)).orElse(Duration.ZERO)), drift,
                // a sync also reverts the drift, because it reads tables that others wrote to
                missed.or(() -> drift.filter(tables -> !tables.isEmpty())
                        .map(tables -> new Remedy(Mode.REPAIR, inForce.orElseThrow().syncId()))));
    }

    private static Optional<Instant> missedSince(Latest newest, Optional<Applied> applied) {
        if (applied.isEmpty()) return Optional.of(newest.since());
        // a rollback stays in force until a manifest is sealed after it
        return newest.newerSince(applied.get().snapshotTime(), applied.get().rollback() ? applied.get().appliedAt() : Instant.MIN);
    }

    private static List<String> drift(Manifest manifest, ShardReport report) {
        return manifest.tables().stream()
                .filter(table -> report.tables().stream()
                        .noneMatch(t -> t.name().equals(table.name()) && new Content(t.rows(), t.digest()).equals(table.content())))
                .map(TableManifest::name).toList();
    }

    /** Returns the duration, but never less than zero, because clocks differ. */
    private static Duration between(Instant from, Instant until) {
        return from.isAfter(until) ? Duration.ZERO : Duration.between(from, until);
    }
}
