package lockstep.cli.console;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import lockstep.accounts.Accounts;
import lockstep.cli.console.Overview.Syncs;
import lockstep.landscape.DataSet;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.sync.KeptManifests;
import lockstep.sync.Run;
import lockstep.sync.Runs;
import lockstep.sync.Status.ShardStatus;
import lockstep.sync.Status;
import lockstep.sync.SyncAccess;

/**
 * Reads the data of the console with the roles that follow syncs. A shard reads all its rows to report its contents. So shards are queried
 * in the background: once after each run, otherwise less often the longer a query takes, and only while the page is open.
 */
public final class ConsoleReader implements AutoCloseable {
    private static final int RUNS = 30;
    private static final Duration SHARDS_AGAIN = Duration.ofSeconds(30);
    /** The minimum pause between queries of the shards, as a multiple of their response time. */
    private static final int TIMES = 20;
    /** Roles are assumed again after this time; AWS limits a session to an hour. */
    private static final Duration ROLES_LAST = Duration.ofMinutes(45);

    private final Accounts accounts;
    private final boolean aws;
    private final Optional<Path> landscape;
    private final Map<String, Source> sources = new LinkedHashMap<>();
    private final ExecutorService background = Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory());

    /**
     * @param aws       whether the accounts are on AWS
     * @param landscape the given landscape file; empty if none was given
     */
    public ConsoleReader(Accounts accounts, boolean aws, Optional<Path> landscape) {
        this.accounts = accounts;
        this.aws = aws;
        this.landscape = landscape;
    }

    /** Reads the current state, with the last known contents of the shards. */
    public synchronized Overview read() {
        return read(false);
    }

    /** Reads the current state and waits for the shards. */
    public synchronized Overview readAll() {
        return read(true);
    }

    private Overview read(boolean wait) {
        var all = new ArrayList<Syncs>();
        for (DataSet dataSet : accounts.landscape().dataSets())
            all.add(sources.computeIfAbsent(dataSet.name(), name -> new Source(dataSet)).read(wait));
        return new Overview(Instant.now(), aws, landscape, all);
    }

    @Override
    public void close() {
        background.shutdownNow();
        sources.values().forEach(source -> source.runs.close());
    }

    private final class Source {
        private final DataSet dataSet;
        private volatile SyncAccess access;
        private Runs runs;
        private Instant opened;
        private List<Run> before = List.of();
        private KeptManifests kept = new KeptManifests(List.of());
        private boolean keptRead;
        private boolean querying;
        private List<ShardStatus> shards = List.of();
        private Instant shardsAt = Instant.MIN;
        private Instant queryAgain = Instant.MIN;
        private Optional<String> shardsFault = Optional.empty();

        Source(DataSet dataSet) {
            this.dataSet = dataSet;
            open();
        }

        private void open() {
            access = SyncAccess.of(accounts, dataSet);
            runs = new Runs(access);
            opened = Instant.now();
        }

        Syncs read(boolean wait) {
            if (opened.isBefore(Instant.now().minus(ROLES_LAST))) {
                runs.close();
                open();
            }
            var incomplete = new ArrayList<String>();
            var now = readOr(incomplete, "executions", () -> runs.newest(RUNS), before);
            boolean ended = !ended(now).equals(ended(before));
            before = now;
            // without an ended run, nothing new was sealed
            if (ended || !keptRead) {
                kept = readOr(incomplete, "kept syncs", () -> KeptManifests.read(access), kept);
                keptRead = true;
            }
            if (wait) queryShards();
            else queryInBackground(ended);
            synchronized (this) {
                shardsFault.ifPresent(incomplete::add);
                return new Syncs(dataSet.name(), dataSet.source(), shards, shards.isEmpty() ? Optional.empty() : Optional.of(shardsAt), now,
                        kept.all(), incomplete);
            }
        }

        private synchronized void queryInBackground(boolean now) {
            if (querying || !now && queryAgain.isAfter(Instant.now())) return;
            querying = true;
            background.execute(this::queryShards);
        }

        private void queryShards() {
            Instant at = Instant.now();
            var faults = new ArrayList<String>();
            var current = readOr(faults, "shards", () -> Status.read(access).shards(), List.<ShardStatus>of());
            synchronized (this) {
                if (faults.isEmpty()) {
                    shards = current;
                    shardsAt = at;
                }
                shardsFault = faults.stream().findFirst();
                queryAgain = Instant.now()
                        .plus(Collections.max(List.of(SHARDS_AGAIN, Duration.between(at, Instant.now()).multipliedBy(TIMES))));
                querying = false;
            }
        }

        private static Set<String> ended(List<Run> runs) {
            return runs.stream().filter(r -> !r.running()).map(Run::id).collect(Collectors.toSet());
        }

        /** Reads a value. If that fails, adds the fault and returns the known value. */
        private static <T> T readOr(List<String> faults, String what, Supplier<T> reading, T known) {
            try {
                return reading.get();
            } catch (RuntimeException e) {
                faults.add(what + " could not be read: " + Causes.message(e));
                return known;
            }
        }
    }
}
