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
import lockstep.landscape.DataSetMetric;
import lockstep.landscape.Names;
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
 * Checks the shards of an account in parallel. Each shard is measured as soon as it has answered, and repaired by a restore of only this
 * shard. The watcher is stateless: a restore's name is derived from the reason, the sync, the time and the shard, so that overlapping runs
 * start nothing twice.
 */
public final class Watcher {
    /** How long to wait at most for the notification of a new manifest to start its restore. */
    private static final Duration NOTIFICATION_DELAY = Duration.ofMinutes(5);
    /** A remedy is tried once per this number of intervals. */
    private static final int SLOT = 4;
    /** Characters of an execution's name. */
    private static final int LONGEST_NAME = 80;
    private static final DateTimeFormatter SLOT_NAME = DateTimeFormatter.ofPattern("yyyyMMddHHmm").withZone(ZoneOffset.UTC);

    /** The watched account and the source. Every method may throw a {@link Fault}. */
    public interface Environment {
        Optional<Latest> newest();

        /** @throws Fault.AccessRefused   also when the manifest was deleted
         *  @throws Fault.ManifestRefused when it does not match this account's deployment */
        Manifest manifest(String syncId);

        /** @param rows whether every row is read, or only tables to which somebody has written */
        ShardReport report(String shard, boolean rows);

        Queries.Results check(String shard);

        /** Returns the names of running restores. */
        Set<String> running();

        /** @return whether it was started now; false if it was started before under this name */
        boolean start(String execution, Remedy remedy, String shard);

        void notifyStarted(StartedRestore restore);

        void measure(String shard, Map<ShardMetric, Double> values);

        void measure(Map<DataSetMetric, Double> values);
    }

    /**
     * The message to operators that a restore was started.
     *
     * @param what   {@code missed} or {@code drift}
     * @param tables the tables that had drifted
     */
    public record StartedRestore(String what, String dataSet, String account, String shard, String syncId, List<String> tables,
            String execution) {}

    /**
     * The result for a shard.
     *
     * @param started the restore that was started to repair it
     * @param checks  failed checks, with the answer or the cause
     * @param failure why the shard did not answer or, if it did, why a later step failed
     */
    public record Seen(String shard, boolean answered, Optional<Standing> standing, Optional<String> started, List<String> checks,
            Optional<String> failure) {
        /** Reports whether a sync is in force in the shard. */
        private boolean hasSync() {
            return standing.flatMap(Standing::age).isPresent();
        }

        private boolean isOutOfStep(Duration behind) {
            return !answered || !checks.isEmpty() || standing.flatMap(Standing::drift).filter(tables -> !tables.isEmpty()).isPresent()
                    || standing.flatMap(Standing::behind).filter(late -> late.compareTo(behind) > 0).isPresent();
        }

        /** Reports whether there is nothing to report about the shard. */
        public boolean quiet() {
            return failure.isEmpty() && checks.isEmpty() && started.isEmpty() && standing.flatMap(Standing::remedy).isEmpty();
        }
    }

    private final Environment environment;
    private final String dataSet;
    private final String account;
    private final Duration every;
    private final Duration rows;
    private final Duration behind;
    private final boolean hasChecks;
    private final int reportsAtOnce;

    /**
     * @param every  the interval between runs
     * @param rows   the interval between runs that read every row of a shard
     * @param behind how long a newer manifest may not be in force before the shard counts as out of step
     * @param reportsAtOnce how many shards are queried in parallel
     */
    public Watcher(Environment environment, String dataSet, String account, Duration every, Duration rows, Duration behind,
            boolean hasChecks, int reportsAtOnce) {
        this.environment = environment;
        this.dataSet = dataSet;
        this.account = account;
        this.every = every;
        this.rows = rows;
        this.behind = behind;
        this.hasChecks = hasChecks;
        this.reportsAtOnce = reportsAtOnce;
    }

    /**
     * Checks the shards once.
     *
     * @param until the deadline; a shard that has not answered by then counts as unreachable
     * @throws RuntimeException when something else than a shard's answer failed; everything else was still measured and repaired
     */
    public List<Seen> look(List<String> shards, Instant now, Instant until) {
        var source = Attempt.of(environment::newest);
        var running = environment.running();
        var manifests = new ConcurrentHashMap<String, Optional<Manifest>>();
        var looks = shards.stream()
                .map(shard -> (Callable<Seen>) () -> look(shard, now, source.answer().flatMap(n -> n), running, manifests)).toList();
        // not closed, because close would wait for a shard that does not answer
        var executor = Executors.newFixedThreadPool(Math.clamp(shards.size(), 1, reportsAtOnce), Thread.ofPlatform().daemon().factory());
        try {
            var futures = executor.invokeAll(looks, Math.max(0, Duration.between(Instant.now(), until).toMillis()), TimeUnit.MILLISECONDS);
            var seen = new ArrayList<Seen>();
            for (int i = 0; i < shards.size(); i++) seen.add(seen(shards.get(i), futures.get(i)));
            // S3 also reports a missing object as access denied. If no shard has a sync in force, probably none was sealed yet.
            boolean beforeFirstSync = seen.stream().noneMatch(Seen::hasSync)
                    && source.failure().map(Fault.AccessRefused.class::isInstance).orElse(source.answer().flatMap(n -> n).isEmpty());
            if (beforeFirstSync) return seen;
            environment.measure(metrics(seen));
            source.failure().ifPresent(f -> { throw f; });
            var failed = seen.stream().filter(s -> s.answered() && s.failure().isPresent()).map(s -> s.shard() + ": " + s.failure().get())
                    .toList();
            if (!failed.isEmpty())
                throw new Fault.Unexpected("findings could not be reported or repaired: " + String.join("; ", failed), null);
            return seen;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Fault.Unexpected("the check was interrupted", e);
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
        var report = Attempt.of(() -> environment.report(shard, readsRows(shard, now)));
        if (report.failure().isPresent()) return unreachable(shard, Causes.message(report.failure().get()));
        Optional<Standing> standing = Optional.empty();
        try {
            var inForce = report.answer().flatMap(ShardReport::applied)
                    .flatMap(applied -> manifests.computeIfAbsent(applied.syncId(), this::manifest));
            var found = Standing.of(report.answer().orElseThrow(), newest, inForce, now);
            standing = Optional.of(found);
            environment.measure(shard, metrics(found));
            // checks run before the repair, so that they report the problem; the repair does not depend on their result
            var checks = Attempt.of(() -> hasChecks ? check(shard) : List.<String>of());
            var started = repair(shard, found, running, now);
            return new Seen(shard, true, standing, started, checks.answer().orElse(List.of()), checks.failure().map(Causes::message));
        } catch (RuntimeException e) {
            return new Seen(shard, true, standing, Optional.empty(), List.of(), Optional.of(Causes.message(e)));
        }
    }

    /**
     * Reports whether this run is the first one of an interval in which every row is read. Intervals begin at another time for each shard,
     * so that an account's shards are not all read at once.
     */
    private boolean readsRows(String shard, Instant now) {
        long interval = rows.toSeconds();
        return Math.floorMod(now.getEpochSecond() - Math.floorMod(shard.hashCode(), interval), interval) < every.toSeconds();
    }

    private Seen unreachable(String shard, String cause) {
        environment.measure(shard, Map.of(ShardMetric.UNREACHABLE, 1.0));
        return new Seen(shard, false, Optional.empty(), Optional.empty(), List.of(), Optional.of(cause));
    }

    /** Returns empty when the manifest was dropped, or no longer matches this account's deployment. */
    private Optional<Manifest> manifest(String syncId) {
        try {
            return Optional.of(environment.manifest(syncId));
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

    private Map<DataSetMetric, Double> metrics(List<Seen> seen) {
        var metrics = new EnumMap<DataSetMetric, Double>(DataSetMetric.class);
        metrics.put(DataSetMetric.OUT_OF_STEP, (double) seen.stream().filter(s -> s.isOutOfStep(behind)).count());
        var ages = seen.stream().flatMap(s -> s.standing().flatMap(Standing::age).stream()).toList();
        if (ages.size() == seen.size())
            ages.stream().max(Duration::compareTo).ifPresent(age -> metrics.put(DataSetMetric.FRESHNESS, seconds(age)));
        return metrics;
    }

    /** Keeps fractions of seconds, so that a shard that is repaired as soon as it is late exceeds the alarm's threshold. */
    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }

    private Optional<String> repair(String shard, Standing standing, Set<String> running, Instant now) {
        if (standing.remedy().isEmpty()) return Optional.empty();
        Remedy remedy = standing.remedy().get();
        boolean missed = remedy.mode() == Mode.SYNC;
        if (missed
                && standing.behind().orElse(Duration.ZERO).compareTo(every.compareTo(NOTIFICATION_DELAY) < 0 ? every : NOTIFICATION_DELAY)
                        < 0)
            return Optional.empty();
        if (running.stream().anyMatch(name -> isRestoreOf(name, shard) || missed && name.equals(remedy.syncId()))) return Optional.empty();
        String why = missed ? "missed" : "drift";
        String end = "-" + slot(now) + "-" + shard;
        int room = LONGEST_NAME - Names.execution(dataSet, why + "-" + end).length();
        String execution = why + "-" + shortened(remedy.syncId(), room) + end;
        if (!environment.start(execution, remedy, shard)) return Optional.empty();
        environment.notifyStarted(
                new StartedRestore(why, dataSet, account, shard, remedy.syncId(), standing.drift().orElse(List.of()), execution));
        return Optional.of(execution);
    }

    /**
     * Reports whether the execution's name ends with the shard's. Another shard's name may have the same end; then the repair waits for the
     * next run.
     */
    private static boolean isRestoreOf(String execution, String shard) {
        return execution.endsWith("-" + shard);
    }

    /** Replaces a sync id that is too long with its hash. The longest data set and shard leave ten characters. */
    private static String shortened(String syncId, int room) {
        if (syncId.length() <= room) return syncId;
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(syncId.getBytes(StandardCharsets.UTF_8)))
                    .substring(0, Math.min(room, 24));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private String slot(Instant now) {
        long slot = every.multipliedBy(SLOT).toSeconds();
        return SLOT_NAME.format(Instant.ofEpochSecond(now.getEpochSecond() / slot * slot));
    }

    private List<String> check(String shard) {
        var failed = environment.check(shard).checks().stream().filter(c -> !c.passed()).toList();
        environment.measure(shard, Map.of(ShardMetric.CHECKS_FAILED, (double) failed.size()));
        return failed.stream()
                .map(c -> c.name() + ": " + c.error().or(() -> c.answer().map(a -> "returned '" + a + "'")).orElse("returned NULL"))
                .toList();
    }

    /** An answer or a fault. */
    private record Attempt<T>(Optional<T> answer, Optional<RuntimeException> failure) {
        interface Question<T> {
            T ask();
        }

        static <T> Attempt<T> of(Question<T> question) {
            try {
                return new Attempt<>(Optional.of(question.ask()), Optional.empty());
            } catch (RuntimeException e) {
                return new Attempt<>(Optional.empty(), Optional.of(e));
            }
        }
    }
}
