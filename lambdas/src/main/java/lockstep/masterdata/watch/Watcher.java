package lockstep.masterdata.watch;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import lockstep.landscape.ShardMetric;
import lockstep.masterdata.check.Queries;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.ShardReport;
import lockstep.masterdata.watch.Standing.Remedy;

/**
 * One look at the shards of an account, side by side: each is measured as soon as it has answered, and mended by a restore of it alone. It
 * keeps nothing: what is started has a name that follows from why, which sync, when and which shard, so that looks which overlap start nothing twice.
 */
public final class Watcher {
    /** Shards that are asked at once. */
    private static final int AT_ONCE = 32;
    /** For so long at most a manifest's own notification is waited for. */
    private static final Duration NOTIFICATION = Duration.ofMinutes(5);
    /** A remedy is tried once in so many intervals. */
    private static final int SLOT = 4;
    private static final DateTimeFormatter SLOT_NAME = DateTimeFormatter.ofPattern("yyyyMMddHHmm").withZone(ZoneOffset.UTC);

    /** What a watch sees of an account and of the source, and what it does there. Any of it may fail with a {@link Fault}. */
    public interface World {
        Optional<Latest> newest();

        /** @throws Fault.AccessRefused   also when it is not kept any more
         *  @throws Fault.ManifestRefused when it is not what this account is deployed for */
        Manifest manifest(String syncId);

        ShardReport report(String shard);

        Queries.Results check(String shard);

        /** Names of the restores that run. */
        Set<String> running();

        /** @return whether it was started now, and not before under this name */
        boolean start(String execution, Remedy remedy, String shard);

        void tell(Told told);

        void measure(String shard, Map<ShardMetric, Double> values);
    }

    /**
     * What operators are told when something was started.
     *
     * @param what   {@code missed} or {@code drift}
     * @param tables that had drifted
     */
    public record Told(String what, String dataSet, String account, String shard, String syncId, List<String> tables, String execution) {}

    /**
     * What was seen of a shard.
     *
     * @param started the restore that mends it
     * @param checks  that failed, with the answer or the cause
     * @param failure why it did not answer; or if it did, what could not be done then
     */
    public record Seen(String shard, boolean answered, Optional<Standing> standing, Optional<String> started, List<String> checks, Optional<String> failure) {
        /** Whether a sync is in force there. */
        private boolean hasSync() {
            return standing.flatMap(Standing::age).isPresent();
        }

        /** Whether there is nothing to tell. */
        public boolean quiet() {
            return failure.isEmpty() && checks.isEmpty() && started.isEmpty() && standing.flatMap(Standing::remedy).isEmpty();
        }
    }

    private final World world;
    private final String dataSet;
    private final String account;
    private final Duration every;
    private final boolean hasChecks;

    /** @param every the interval between looks */
    public Watcher(World world, String dataSet, String account, Duration every, boolean hasChecks) {
        this.world = world;
        this.dataSet = dataSet;
        this.account = account;
        this.every = every;
        this.hasChecks = hasChecks;
    }

    /**
     * @param until when the last answer is waited for; a shard that has not answered then counts as unreachable
     * @throws RuntimeException when something but a shard's answer was missing; all that could be measured and mended is, nevertheless
     */
    public List<Seen> look(List<String> shards, Instant now, Instant until) {
        var source = Asked.of(world::newest);
        var running = world.running();
        var manifests = new ConcurrentHashMap<String, Optional<Manifest>>();
        var looks = shards.stream().map(shard -> (Callable<Seen>) () -> look(shard, now, source.answer().flatMap(n -> n), running, manifests)).toList();
        // not closed, which would wait for a shard that does not answer
        var executor = Executors.newFixedThreadPool(Math.clamp(shards.size(), 1, AT_ONCE), Thread.ofPlatform().daemon().factory());
        try {
            var futures = executor.invokeAll(looks, Math.max(0, Duration.between(Instant.now(), until).toMillis()), TimeUnit.MILLISECONDS);
            var seen = new ArrayList<Seen>();
            for (int i = 0; i < shards.size(); i++) seen.add(seen(shards.get(i), futures.get(i)));
            // S3 says of a note that is missing that it is refused: where nothing ever came into force, nothing was sealed yet
            source.failure().filter(f -> !(f instanceof Fault.AccessRefused) || seen.stream().anyMatch(Seen::hasSync)).ifPresent(f -> { throw f; });
            var failed = seen.stream().filter(s -> s.answered() && s.failure().isPresent()).map(s -> s.shard() + ": " + s.failure().get()).toList();
            if (!failed.isEmpty()) throw new Fault.Unexpected("what was seen could not be told or mended: " + String.join("; ", failed), null);
            return seen;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Fault.Unexpected("the look was interrupted", e);
        } finally {
            executor.shutdownNow();
        }
    }

    private Seen seen(String shard, Future<Seen> future) throws InterruptedException {
        try {
            return future.get();
        } catch (CancellationException e) {
            return unreachable(shard, "it did not answer in time");
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        }
    }

    private Seen look(String shard, Instant now, Optional<Latest> newest, Set<String> running, Map<String, Optional<Manifest>> manifests) {
        var report = Asked.of(() -> world.report(shard));
        if (report.failure().isPresent()) return unreachable(shard, Causes.message(report.failure().get()));
        Optional<Standing> standing = Optional.empty();
        try {
            var inForce = report.answer().flatMap(ShardReport::applied).flatMap(applied -> manifests.computeIfAbsent(applied.syncId(), this::manifest));
            var found = Standing.of(report.answer().orElseThrow(), newest, inForce, now);
            standing = Optional.of(found);
            world.measure(shard, metrics(found));
            // before anything is mended, so that what was wrong is told; and mended whatever becomes of it
            var checks = Asked.of(() -> hasChecks ? check(shard) : List.<String>of());
            var started = mend(shard, found, running, now);
            return new Seen(shard, true, standing, started, checks.answer().orElse(List.of()), checks.failure().map(Causes::message));
        } catch (RuntimeException e) {
            return new Seen(shard, true, standing, Optional.empty(), List.of(), Optional.of(Causes.message(e)));
        }
    }

    private Seen unreachable(String shard, String cause) {
        world.measure(shard, Map.of(ShardMetric.UNREACHABLE, 1.0));
        return new Seen(shard, false, Optional.empty(), Optional.empty(), List.of(), Optional.of(cause));
    }

    /** Nothing when there is none to compare with: it was dropped, or this account is deployed for other columns by now. */
    private Optional<Manifest> manifest(String syncId) {
        try {
            return Optional.of(world.manifest(syncId));
        } catch (Fault.AccessRefused | Fault.ManifestRefused e) {
            return Optional.empty();
        }
    }

    private static Map<ShardMetric, Double> metrics(Standing standing) {
        var metrics = new EnumMap<ShardMetric, Double>(ShardMetric.class);
        metrics.put(ShardMetric.UNREACHABLE, 0.0);
        standing.age().ifPresent(age -> metrics.put(ShardMetric.FRESHNESS, seconds(age)));
        standing.behind().ifPresent(behind -> metrics.put(ShardMetric.BEHIND, seconds(behind)));
        standing.drift().ifPresent(tables -> metrics.put(ShardMetric.DRIFT, (double) tables.size()));
        return metrics;
    }

    /** With their fractions: what is mended as soon as it is late is above the threshold then. */
    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }

    private Optional<String> mend(String shard, Standing standing, Set<String> running, Instant now) {
        if (standing.remedy().isEmpty()) return Optional.empty();
        Remedy remedy = standing.remedy().get();
        boolean missed = remedy.mode() == Mode.SYNC;
        if (missed && standing.behind().orElse(Duration.ZERO).compareTo(every.compareTo(NOTIFICATION) < 0 ? every : NOTIFICATION) < 0) return Optional.empty();
        if (running.stream().anyMatch(name -> isOf(name, shard) || missed && name.equals(remedy.syncId()))) return Optional.empty();
        String why = missed ? "missed" : "drift";
        String execution = why + "-" + brief(remedy.syncId()) + "-" + slot(now) + "-" + shard;
        if (!world.start(execution, remedy, shard)) return Optional.empty();
        world.tell(new Told(why, dataSet, account, shard, remedy.syncId(), standing.drift().orElse(List.of()), execution));
        return Optional.of(execution);
    }

    /** A restore of one shard ends in its name. Another shard's name may end so, too: then this one waits for the next look. */
    private static boolean isOf(String execution, String shard) {
        return execution.endsWith("-" + shard);
    }

    /** Names of executions have 80 characters, sync ids as many. */
    private static String brief(String syncId) {
        if (syncId.length() <= 24) return syncId;
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(syncId.getBytes(StandardCharsets.UTF_8))).substring(0, 24);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private String slot(Instant now) {
        long slot = every.multipliedBy(SLOT).toSeconds();
        return SLOT_NAME.format(Instant.ofEpochSecond(now.getEpochSecond() / slot * slot));
    }

    private List<String> check(String shard) {
        var failed = world.check(shard).checks().stream().filter(c -> !c.passed()).toList();
        world.measure(shard, Map.of(ShardMetric.CHECKS_FAILED, (double) failed.size()));
        return failed.stream().map(c -> c.name() + ": " + c.error().or(() -> c.answer().map(a -> "answers '" + a + "'")).orElse("answers NULL")).toList();
    }

    /** An answer, or the fault in its place. */
    private record Asked<T>(Optional<T> answer, Optional<RuntimeException> failure) {
        interface Question<T> {
            T ask();
        }

        static <T> Asked<T> of(Question<T> question) {
            try {
                return new Asked<>(Optional.of(question.ask()), Optional.empty());
            } catch (RuntimeException e) {
                return new Asked<>(Optional.empty(), Optional.of(e));
            }
        }
    }
}
