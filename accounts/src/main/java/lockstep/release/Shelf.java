package lockstep.release;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import lockstep.accounts.AccountAccess;
import lockstep.landscape.Account;
import lockstep.landscape.Names;
import lockstep.project.UserFault;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.MetricDatum;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.NoSuchBucketException;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.sns.SnsClient;
import tools.jackson.databind.json.JsonMapper;

/**
 * The releases that an account keeps, and its deploy log. An archive is stored under its digest, which is verified when it is read. A
 * release name is assigned to one archive and never reassigned. Nothing is overwritten.
 */
public final class Shelf implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** The S3 limit of a single PUT request. Only a single PUT can be made to fail if the object exists. */
    private static final long LARGEST = 5L << 30;
    /** The maximum length of an SNS subject, which must be a single line. */
    private static final int LONGEST_SUBJECT = 99;

    private final Account account;
    private final AccountAccess access;
    private final S3Client s3;
    private final String bucket;

    /** A release that the account keeps, and when it was stored. */
    public record Kept(Release release, Instant since) {}

    public Shelf(Account account, AccountAccess access) {
        this.account = account;
        this.access = access;
        this.s3 = access.client(S3Client.builder().forcePathStyle(true));
        this.bucket = Names.releases(account.id(), access.region());
    }

    /** Reports whether the bucket exists. It does not before an account's first deployment. */
    public boolean exists() {
        try {
            s3.listObjectsV2(r -> r.bucket(bucket).prefix("releases/").maxKeys(1));
            return true;
        } catch (NoSuchBucketException none) {
            return false;
        }
    }

    /**
     * Stores a release, unless the account has it already.
     *
     * @throws UserFault if the account has a different release with this name
     */
    public void keep(ReleaseArchive archive) {
        var release = archive.release();
        if (release.bytes() > LARGEST)
            throw new UserFault("release " + release.name() + " has " + release.bytes() + " bytes; S3 accepts at most " + LARGEST);
        var known = find(release.name());
        if (known.isPresent()) {
            if (!known.get().digest().equals(release.digest())) {
                throw new UserFault("account " + account.name() + " has a different release " + release.name() + " ("
                        + known.get().shortDigest() + ", this is " + release.shortDigest()
                        + "): give this one another name with --release");
            }
            return;
        }
        putIfAbsent("assemblies/" + release.digest() + ".zip", RequestBody.fromFile(archive.file()));
        putIfAbsent("releases/" + release.name() + ".json", RequestBody.fromBytes(JSON.writeValueAsBytes(release)));
    }

    /** Returns the stored releases, newest first. */
    public List<Kept> list() {
        var kept = new ArrayList<Kept>();
        for (S3Object object : s3.listObjectsV2Paginator(r -> r.bucket(bucket).prefix("releases/")).contents()) {
            kept.add(new Kept(read(object.key(), Release.class), object.lastModified()));
        }
        kept.sort(Comparator.comparing(Kept::since).reversed());
        return kept;
    }

    public Optional<Release> find(String name) {
        try {
            return Optional.of(read("releases/" + name + ".json", Release.class));
        } catch (NoSuchKeyException none) {
            return Optional.empty();
        }
    }

    /**
     * Downloads an archive.
     *
     * @throws UserFault if its digest does not match, or if it is a different release
     */
    public ReleaseArchive fetch(Release release, Path file) {
        try {
            Files.deleteIfExists(file);
            s3.getObject(r -> r.bucket(bucket).key("assemblies/" + release.digest() + ".zip"), ResponseTransformer.toFile(file));
        } catch (NoSuchKeyException e) {
            throw new UserFault("account " + account.name() + " lacks the archive of release " + release.name());
        } catch (java.io.IOException e) {
            throw new UserFault("cannot write " + file + ": " + e.getMessage(), e);
        }
        String found = ReleaseArchive.digest(file);
        if (!found.equals(release.digest())) {
            throw new UserFault("the archive of release " + release.name() + " in account " + account.name()
                    + " has changed since it was stored: its digest is " + found + ", not " + release.digest());
        }
        var archive = ReleaseArchive.of(file);
        if (!archive.release().name().equals(release.name())) {
            throw new UserFault("account " + account.name() + " stores as release " + release.name()
                    + " an archive of release " + archive.release().name());
        }
        return archive;
    }

    /** Writes an entry to the log, and notifies the operators if the action has ended. */
    public void record(LogEntry entry) {
        putIfAbsent(entry.key(), RequestBody.fromBytes(JSON.writeValueAsBytes(entry)));
        if (entry.result() == LogEntry.Result.started) return;
        try (var sns = access.client(SnsClient.builder())) {
            String subject = entry.notificationText().replaceAll("[^\\x20-\\x7e]", "?");
            sns.publish(r -> r.topicArn(Names.topicArn(access.region(), account.id(), Names.operationsTopic()))
                    .subject(subject.substring(0, Math.min(subject.length(), LONGEST_SUBJECT)))
                    .message("by " + entry.who() + entry.seconds().map(s -> " in " + s + " s").orElse("")
                            + entry.cause().map(c -> "\n" + c).orElse("") + entry.job().map(j -> "\n" + j).orElse("")));
        }
    }

    /** Publishes the metric of how long the releases of the accounts have differed. */
    public void measure(Duration apart) {
        try (var cloudWatch = access.client(CloudWatchClient.builder())) {
            cloudWatch.putMetricData(r -> r.namespace(Names.deliveryMetrics())
                    .metricData(MetricDatum.builder().metricName(Names.RELEASES_APART).unit(StandardUnit.SECONDS)
                            .value((double) apart.toSeconds()).build()));
        }
    }

    /** Returns the log entries, newest first. */
    public List<LogEntry> log(int most) {
        return s3.listObjectsV2Paginator(r -> r.bucket(bucket).prefix("log/")).contents().stream().map(S3Object::key)
                .sorted(Comparator.reverseOrder()).limit(most)
                .map(key -> read(key, LogEntry.class)).toList();
    }

    private <T> T read(String key, Class<T> type) {
        return JSON.readValue(s3.getObjectAsBytes(r -> r.bucket(bucket).key(key)).asByteArrayUnsafe(), type);
    }

    /**
     * Writes an object unless it exists. An existing archive has the same content, because the key is its digest; for other keys, the first
     * writer wins.
     */
    private void putIfAbsent(String key, RequestBody body) {
        try {
            s3.putObject(r -> r.bucket(bucket).key(key).ifNoneMatch("*"), body);
        } catch (S3Exception e) {
            if (e.statusCode() != 412) throw e;
            if (!key.startsWith("assemblies/"))
                throw new UserFault("account " + account.name() + " has " + key + " already: someone else stored it at the same time", e);
        }
    }

    @Override
    public void close() {
        s3.close();
    }
}
