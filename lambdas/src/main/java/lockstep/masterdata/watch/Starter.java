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
 * Starts syncs without a person: by the clock, or when the source's tables have changed and nobody writes to them any more. It is asked at
 * equal intervals and keeps one note, of what it saw first when; a sync's name follows from that, so that one change starts one sync.
 */
public final class Starter {
    /** A dump that failed is tried again after so many intervals; each failure is told. */
    private static final int RETRY = 4;
    private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern("'auto-'yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    /** What is seen of the source's account, and done there. */
    public interface World {
        SourceActivity tables();

        /** Ids of the syncs whose dumps run, or wait for a person. */
        List<String> dumps();

        /** @return whether it was started now, and not before under this name */
        boolean start(String syncId);

        /** How a dump that was started has failed; nothing when it has not. */
        Optional<Failure> failure(String syncId);
    }

    /** @param byHand somebody rejected it, let it wait for too long, or stopped it */
    public record Failure(boolean byHand, Instant at) {}

    public enum Found {
        /** Somebody wrote since the last look, or it is the first. */
        CHANGED,
        /** The newest sync carried all of it. */
        CARRIED,
        STARTED,
        /** Its sync runs, or waits for a person. */
        RUNS,
        /** Another dump runs, which may carry it; of two, the one with the older snapshot would fail. */
        BUSY,
        /** A person did not want it. */
        LEFT,
        /** Its dump failed; it is tried again later. */
        FAILED
    }

    public record Answer(Found found, Optional<String> syncId) {}

    private final World world;
    private final PartStore store;
    private final String dataSet;
    private final Duration every;

    /** @param every the interval between looks */
    public Starter(World world, PartStore store, String dataSet, Duration every) {
        this.world = world;
        this.store = store;
        this.dataSet = dataSet;
        this.every = every;
    }

    /** Two at once in one second are one. */
    public Answer byClock(Instant now) {
        String id = NAME.format(now);
        return new Answer(world.start(id) ? Found.STARTED : Found.RUNS, Optional.of(id));
    }

    public Answer whenQuiet(Instant now) {
        var tables = world.tables();
        var noticed = SourceActivity.read(store, dataSet).filter(n -> n.marks().equals(tables.marks()));
        if (noticed.isEmpty()) {
            tables.write(store, dataSet);
            return new Answer(Found.CHANGED, Optional.empty());
        }
        Instant since = noticed.get().since();
        var newest = Latest.read(store, dataSet).filter(l -> l.snapshotTime().isAfter(since));
        if (newest.isPresent()) return new Answer(Found.CARRIED, Optional.of(newest.get().syncId()));
        String id = NAME.format(since);
        var running = world.dumps();
        if (running.contains(id)) return new Answer(Found.RUNS, Optional.of(id));
        // what is held may be so for days, and what mends it may have come
        var busy = running.stream().filter(other -> Held.read(store, new SyncPaths(dataSet, other)).isEmpty()).findFirst();
        if (busy.isPresent()) return new Answer(Found.BUSY, busy);
        if (world.start(id)) return new Answer(Found.STARTED, Optional.of(id));
        var failure = world.failure(id);
        // it has ended well meanwhile
        if (failure.isEmpty()) return new Answer(Found.CARRIED, Optional.of(id));
        if (failure.get().byHand()) return new Answer(Found.LEFT, Optional.of(id));
        // as if it had been seen only now: the next look starts another
        if (now.isAfter(failure.get().at().plus(every.multipliedBy(RETRY)))) tables.write(store, dataSet);
        return new Answer(Found.FAILED, Optional.of(id));
    }
}
