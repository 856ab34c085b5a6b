package lockstep.cli.sync;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import lockstep.masterdata.engine.Applied;
import lockstep.masterdata.engine.Json;
import lockstep.masterdata.engine.Manifest;
import lockstep.masterdata.engine.Manifest.TableManifest;
import software.amazon.awssdk.services.s3.S3Client;
import tools.jackson.core.JacksonException;

/** The syncs that a shard can still be brought to, newest first, by the time of their snapshots. */
public record KeptManifests(List<Kept> all) {
    /** @param release of the product, at the source */
    public record Kept(String syncId, Instant snapshotTime, String release, long rows) {}

    public KeptManifests {
        all = all.stream().sorted(Comparator.comparing(Kept::snapshotTime).reversed()).toList();
    }

    /** Those in the source's bucket. One that can't be read can't be restored either, and is left out. */
    public static KeptManifests read(SyncAccess access) {
        String prefix = "manifests/" + access.dataSet().name() + "/";
        var reading = new ArrayList<Future<Optional<Kept>>>();
        try (var s3 = access.source().client(S3Client.builder().forcePathStyle(true)); var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            // the delimiter leaves out what lies deeper: manifests that were dropped, or made for a dry run
            s3.listObjectsV2Paginator(r -> r.bucket(access.bucket()).prefix(prefix).delimiter("/")).contents().stream().filter(o -> o.key().endsWith(".json"))
                    .forEach(o -> reading.add(executor.submit(() -> kept(s3.getObjectAsBytes(r -> r.bucket(access.bucket()).key(o.key())).asByteArrayUnsafe()))));
            var kept = new ArrayList<Kept>();
            for (var one : reading) one.get().ifPresent(kept::add);
            return new KeptManifests(kept);
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException("the manifests in bucket " + access.bucket() + " can't be read: " + e.getMessage(), e);
        }
    }

    private static Optional<Kept> kept(byte[] bytes) {
        try {
            var manifest = Json.MAPPER.readValue(bytes, Manifest.class);
            return manifest.format() != Manifest.FORMAT ? Optional.empty() : Optional.of(new Kept(manifest.syncId(), manifest.snapshotTime(), manifest.release(),
                    manifest.tables().stream().mapToLong(TableManifest::rows).sum()));
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    Optional<Kept> named(String syncId) {
        return all.stream().filter(k -> k.syncId().equals(syncId)).findFirst();
    }

    /** The one before what is in force. */
    Optional<Kept> before(Applied applied) {
        return all.stream().filter(k -> k.snapshotTime().isBefore(applied.snapshotTime()) && !k.syncId().equals(applied.syncId())).findFirst();
    }

    /** What was probably meant: at most three ids that begin alike, or hold what was given; ids mostly begin with their time. */
    List<String> nearest(String given) {
        var alike = all.stream().map(Kept::syncId).filter(id -> id.contains(given) || alike(id, given) >= Math.min(4, given.length())).toList();
        return alike.stream().sorted(Comparator.comparing((String id) -> id.contains(given)).thenComparing(id -> alike(id, given)).reversed()).limit(3).toList();
    }

    /** How many letters both begin with. */
    private static int alike(String one, String other) {
        int length = 0;
        while (length < Math.min(one.length(), other.length()) && one.charAt(length) == other.charAt(length)) length++;
        return length;
    }

    String table() {
        var text = new StringBuilder(String.format("%-34s %-26s %-12s %12s", "sync", "snapshot", "release", "rows"));
        for (Kept kept : all) text.append(String.format(java.util.Locale.ROOT, "%n%-34s %-26s %-12s %,12d", kept.syncId(), kept.snapshotTime().truncatedTo(java.time.temporal.ChronoUnit.SECONDS), kept.release(), kept.rows()));
        return text.toString();
    }
}
