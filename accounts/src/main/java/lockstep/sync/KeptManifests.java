package lockstep.sync;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.restore.Applied;
import lockstep.project.TextTable;
import software.amazon.awssdk.services.s3.S3Client;
import tools.jackson.core.JacksonException;

/** The syncs that a shard can still be restored to, by snapshot time, newest first. */
public record KeptManifests(List<Kept> all) {
    private static final int NEWEST = 30;
    private static final DateTimeFormatter MINUTE = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm'Z'").withZone(ZoneOffset.UTC);

    /** @param release the product release at the source */
    public record Kept(String syncId, Instant snapshotTime, String release, long rows) {}

    public KeptManifests {
        all = all.stream().sorted(Comparator.comparing(Kept::snapshotTime).reversed()).toList();
    }

    /** Reads the manifests in the source's bucket. A manifest that cannot be read cannot be restored either, so it is skipped. */
    public static KeptManifests read(SyncAccess access) {
        String prefix = "manifests/" + access.dataSet().name() + "/";
        var reading = new ArrayList<Future<Optional<Kept>>>();
        try (var s3 = access.source().client(S3Client.builder().forcePathStyle(true));
                var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            // the delimiter excludes the subfolders with dropped manifests and those of dry runs
            s3.listObjectsV2Paginator(r -> r.bucket(access.bucket()).prefix(prefix).delimiter("/")).contents().stream()
                    .filter(o -> o.key().endsWith(".json"))
                    .forEach(o -> reading.add(executor
                            .submit(() -> kept(s3.getObjectAsBytes(r -> r.bucket(access.bucket()).key(o.key())).asByteArrayUnsafe()))));
            var kept = new ArrayList<Kept>();
            for (var one : reading) one.get().ifPresent(kept::add);
            return new KeptManifests(kept);
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException("the manifests in bucket " + access.bucket() + " can't be read: " + Causes.message(e), e);
        }
    }

    private static Optional<Kept> kept(byte[] bytes) {
        try {
            var manifest = Json.MAPPER.readValue(bytes, Manifest.class);
            return manifest.format() != Manifest.FORMAT ? Optional.empty()
                    : Optional.of(new Kept(manifest.syncId(), manifest.snapshotTime(), manifest.release(),
                            manifest.tables().stream().mapToLong(TableManifest::rows).sum()));
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    public Optional<Kept> named(String syncId) {
        return all.stream().filter(k -> k.syncId().equals(syncId)).findFirst();
    }

    /** Returns the sync that a rollback restores: the newest kept sync that was in force in the shard and is older than the current one. */
    public Optional<Kept> before(AppliedSyncs shard) {
        return shard.inForce().flatMap(now -> shard.history().stream().filter(a -> a.snapshotTime().isBefore(now.snapshotTime()))
                .sorted(Comparator.comparing(Applied::snapshotTime).reversed()).flatMap(a -> named(a.syncId()).stream()).findFirst());
    }

    /** Suggests at most three ids that contain the given text or share a prefix with it. Most ids begin with their time. */
    public List<String> nearest(String given) {
        var alike = all.stream().map(Kept::syncId)
                .filter(id -> id.contains(given) || commonPrefix(id, given) >= Math.min(4, given.length())).toList();
        return alike.stream()
                .sorted(Comparator.comparing((String id) -> id.contains(given)).thenComparing(id -> commonPrefix(id, given)).reversed())
                .limit(3).toList();
    }

    /** Returns the length of the common prefix. */
    private static int commonPrefix(String one, String other) {
        int length = 0;
        while (length < Math.min(one.length(), other.length()) && one.charAt(length) == other.charAt(length)) length++;
        return length;
    }

    /** The last application of a sync in a shard, and whether the sync is in force there. */
    public record AppliedIn(String shard, Instant appliedAt, boolean inForce) {}

    /** A kept sync and the shards in which it was applied. */
    public record Listed(String syncId, Instant snapshotTime, String release, long rows, List<AppliedIn> applied) {}

    public List<Listed> listed(List<AppliedSyncs> shards) {
        return all.stream().map(kept -> new Listed(kept.syncId(), kept.snapshotTime(), kept.release(), kept.rows(), shards.stream()
                .flatMap(shard -> shard.applied(kept.syncId())
                        .map(a -> new AppliedIn(shard.shard().name(), a.appliedAt(), shard.inForce(kept.syncId()))).stream())
                .toList())).toList();
    }

    /**
     * Formats one line per sync, newest first.
     *
     * @param shards     the shards for the column of applications, which is omitted if empty
     * @param everything whether all are printed; otherwise the newest, and those that are in force or the target of a rollback
     */
    public String table(List<AppliedSyncs> shards, boolean everything) {
        var table = new TextTable().left("sync", 33).left("snapshot", 20).left("release", 11).right("rows", 12);
        if (!shards.isEmpty()) table.left("applied in", 0);
        var rollbackTargets = shards.stream().flatMap(s -> before(s).stream()).map(Kept::syncId).toList();
        var listed = listed(shards);
        int left = 0;
        for (int i = 0; i < listed.size(); i++) {
            Listed sync = listed.get(i);
            if (!everything && i >= NEWEST && !rollbackTargets.contains(sync.syncId())
                    && sync.applied().stream().noneMatch(AppliedIn::inForce)) {
                left++;
                continue;
            }
            var cells = new ArrayList<Object>(List.of(sync.syncId(), sync.snapshotTime().truncatedTo(ChronoUnit.SECONDS), sync.release(),
                    sync.rows()));
            if (!shards.isEmpty()) cells.add(sync.applied().isEmpty() ? "no shard" : places(sync.applied(), shards.size()));
            table.row(cells.toArray());
        }
        if (left > 0) table.note("and " + left + " older; --verbose lists them");
        return table.toString();
    }

    /**
     * Formats applications as {@code demo-1, qa-1 at 2026-03-01T12:01Z (in force)}. Shards with an application in the same minute are
     * grouped.
     */
    private static String places(List<AppliedIn> applied, int shards) {
        var together = new LinkedHashMap<String, List<String>>();
        for (AppliedIn one : applied)
            together.computeIfAbsent(" at " + MINUTE.format(one.appliedAt()) + (one.inForce() ? " (in force)" : ""),
                    at -> new ArrayList<>()).add(one.shard());
        return together.entrySet().stream()
                .map(e -> (e.getValue().size() == shards && shards > 1 ? "all " + shards + " shards" : SyncReport.names(e.getValue()))
                        + e.getKey())
                .collect(Collectors.joining("; "));
    }
}
