package lockstep.masterdata.watch;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.review.Held;
import lockstep.masterdata.engine.parts.Latest;
import lockstep.masterdata.watch.SourceActivity;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.parts.SyncPaths;

/**
 * Starts syncs automatically: on a schedule, or when the source's tables have changed and are no longer written to. It is called at
 * regular intervals and stores the last new state with its time. The sync's name is derived from that time, so that a change starts only
 * one sync.
 */
public final class Starter {
    /** After how many intervals a failed dump is retried. Every failure is reported. */
    private static final int RETRY = 4;
    private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern("'auto-'yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    /** The source's account. */
    public interface Environment {
        SourceActivity tables();

        /** Returns the ids of syncs whose dumps are running or are held for approval. */
        List<String> dumps();

        /** @return whether it was started now; false if it was started before under this name */
        boolean start(String syncId);

        /** Returns how a dump has failed, or empty when it has not. */
        Optional<Failure> failure(String syncId);
    }

    /** @param byHand whether someone rejected or stopped it, or nobody approved it in time */
    public record Failure(boolean byHand, Instant at) {}

    public enum Found {
        /** The tables have changed since the last call, or this is the first call. */
        CHANGED,
        /** The newest sync contains the changes. */
        CARRIED,
        STARTED,
        /** The sync of this change is running or is held for approval. */
        RUNS,
        /** Another dump is running, which may contain the changes. Of two dumps, the one with the older snapshot would fail. */
        BUSY,
        /** A person has rejected or stopped the sync. */
        LEFT,
        /** The dump has failed; it is retried later. */
        FAILED
    }

    public record Answer(Found found, Optional<String> syncId) {}

    private final Environment environment;
    private final PartStore store;
    private final String dataSet;
    private final Duration every;

    /** @param every the interval between calls */
    public Starter(Environment environment, PartStore store, String dataSet, Duration every) {
        this.environment = environment;
        this.store = store;
        this.dataSet = dataSet;
        this.every = every;
    }

    /** Starts a sync now. Two calls within one second start only one. */
    public Answer byClock(Instant now) {
        String id = NAME.format(now);
        return new Answer(environment.start(id) ? Found.STARTED : Found.RUNS, Optional.of(id));
    }

    public Answer whenQuiet(Instant now) {
        var tables = environment.tables();
        var known = SourceActivity.read(store, dataSet).filter(n -> n.marks().equals(tables.marks()));
        if (known.isEmpty()) {
            tables.write(store, dataSet);
            return new Answer(Found.CHANGED, Optional.empty());
        }
        Instant since = known.get().since();
        var newest = Latest.read(store, dataSet).filter(l -> l.snapshotTime().isAfter(since));
        if (newest.isPresent()) return new Answer(Found.CARRIED, Optional.of(newest.get().syncId()));
        String id = NAME.format(since);
        var running = environment.dumps();
        if (running.contains(id)) return new Answer(Found.RUNS, Optional.of(id));
        // held dumps are ignored, because they may wait for days and this change may fix the problem
        var busy = running.stream().filter(other -> Held.read(store, new SyncPaths(dataSet, other)).isEmpty()).findFirst();
        if (busy.isPresent()) return new Answer(Found.BUSY, busy);
        if (environment.start(id)) return new Answer(Found.STARTED, Optional.of(id));
        var failure = environment.failure(id);
        // it has ended successfully meanwhile
        if (failure.isEmpty()) return new Answer(Found.CARRIED, Optional.of(id));
        if (failure.get().byHand()) return new Answer(Found.LEFT, Optional.of(id));
        // stores the state as if it were new, so that the next call starts another sync
        if (now.isAfter(failure.get().at().plus(every.multipliedBy(RETRY)))) tables.write(store, dataSet);
        return new Answer(Found.FAILED, Optional.of(id));
    }
}
