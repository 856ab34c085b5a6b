package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.review.Assessment;
import lockstep.masterdata.engine.review.Held;
import lockstep.masterdata.watch.SourceActivity;
import lockstep.masterdata.watch.Starter.Found;
import lockstep.masterdata.watch.Starter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests when a sync starts automatically. */
class StarterTest {
    private static final Duration EVERY = Duration.ofMinutes(5);
    private final TestingServer.TestingDatabase source = TestingProduct.source();
    private final TestingSync sync = new TestingSync(TestingProduct.DATA_SET);
    private final List<String> started = new ArrayList<>();
    private final List<String> running = new ArrayList<>();
    private Optional<Starter.Failure> failure = Optional.empty();
    private final Starter starter = new Starter(new Starter.Environment() {
        @Override
        public SourceActivity tables() {
            return SourceActivity.now(source, sync.dataSet);
        }

        @Override
        public List<String> dumps() {
            return running;
        }

        @Override
        public boolean start(String syncId) {
            return !started.contains(syncId) && started.add(syncId);
        }

        @Override
        public Optional<Starter.Failure> failure(String syncId) {
            return failure;
        }
    }, sync.store, "master", EVERY);

    private Found look() {
        return starter.whenQuiet(Instant.now()).found();
    }

    /** Writes, and makes the server count it at once instead of some seconds later. */
    private void write(String sql) {
        source.execute(sql, "SELECT pg_stat_force_next_flush()");
    }

    @BeforeEach
    void counted() {
        source.execute("SELECT pg_stat_force_next_flush()");
    }

    @Test
    void oneChangeStartsOneSyncWhenItIsQuiet() throws InterruptedException {
        sync.dump(source, "by-hand");
        assertEquals(Found.CHANGED, look(), "the first look");
        assertEquals(Found.STARTED, look(), "it can't know whether the newest sync carried all");
        sync.dump(source, started.getFirst());
        assertEquals(Found.CARRIED, look());

        // names are of whole seconds
        Thread.sleep(1000);
        write("UPDATE m.drug SET price = 1 WHERE id = 7");
        assertEquals(Found.CHANGED, look());
        write("DELETE FROM m.interaction WHERE id = 5");
        assertEquals(Found.CHANGED, look(), "it is not quiet yet");
        assertEquals(Found.STARTED, look());
        running.add(started.getLast());
        assertEquals(Found.RUNS, look());
        running.clear();
        sync.dump(source, started.getLast());
        assertEquals(Found.CARRIED, look());
        assertEquals(2, started.size());
    }

    @Test
    void whatSomebodySyncedByHandIsNotSyncedAgain() {
        look();
        sync.dump(source, "by-hand");
        assertEquals(Found.CARRIED, look());
        write("UPDATE m.drug SET price = 1 WHERE id = 7");
        look();
        sync.dump(source, "by-hand-too");
        assertEquals(Found.CARRIED, look());
        assertEquals(List.of(), started);
    }

    @Test
    void aDumpThatRunsIsWaitedForAndOneThatIsHeldIsNot() {
        look();
        running.add("by-hand");
        assertEquals(Found.BUSY, look());
        new Held("token", Instant.now(), new Assessment("by-hand", Optional.empty(), List.of(), List.of("many"), List.of()))
                .write(sync.store, new SyncPaths("master", "by-hand"));
        assertEquals(Found.STARTED, look());
    }

    @Test
    void whatAPersonRejectedIsLeftUntilTheNextChange() {
        look();
        assertEquals(Found.STARTED, look());
        failure = Optional.of(new Starter.Failure(true, Instant.now()));
        assertEquals(Found.LEFT, look());
        assertEquals(Found.LEFT, starter.whenQuiet(Instant.now().plus(Duration.ofDays(3))).found());
        write("UPDATE m.drug SET price = 1 WHERE id = 7");
        assertEquals(Found.CHANGED, look());
    }

    @Test
    void aDumpThatFailedIsTriedAgainLater() throws InterruptedException {
        look();
        look();
        failure = Optional.of(new Starter.Failure(false, Instant.now()));
        assertEquals(Found.FAILED, look());
        assertEquals(1, started.size());
        // names are of whole seconds
        Thread.sleep(1000);
        assertEquals(Found.FAILED, starter.whenQuiet(Instant.now().plus(EVERY.multipliedBy(4)).plusSeconds(1)).found());
        assertEquals(Found.STARTED, look());
        assertEquals(2, started.size());
    }

    @Test
    void byTheClockItIsStartedWhateverChanged() {
        var noon = Instant.parse("2030-01-01T12:00:00Z");
        assertEquals(Found.STARTED, starter.byClock(noon).found());
        assertEquals(Found.RUNS, starter.byClock(noon).found());
        assertEquals(List.of("auto-20300101T120000Z"), started);
        assertTrue(SourceActivity.read(sync.store, "master").isEmpty());
    }
}
