package lockstep.sync;

import java.time.Duration;
import java.time.Instant;
import lockstep.sync.SyncState.DumpPhase;
import lockstep.sync.SyncState.Outcome;

/**
 * A sync of all targets, or a rollback of one shard, which has no dump.
 *
 * @param id      the id of the execution; the state of a rollback contains the id of the sync that it restores
 * @param running whether any part is still running; false with outcome {@code running} if the sync never reached some shard
 */
public record Run(Kind kind, String id, Instant started, boolean running, SyncState state) {
    public enum Kind { sync, rollback }

    /** The time for which a notification may be retried before a target's execution starts. */
    private static final Duration ON_ITS_WAY = Duration.ofMinutes(15);

    /** @param now the current time; a run that only waits for notifications longer than they are retried counts as ended */
    static Run of(Kind kind, String id, Instant started, SyncState state, Instant now) {
        boolean working = state.dump().phase() != DumpPhase.sealed || state.shards().stream().anyMatch(s -> switch (s.phase()) {
            case preflight, staging, publishing -> true;
            case waiting, verified, failed -> false;
        });
        return new Run(kind, id, started, state.outcome() == Outcome.running && (working || started.plus(ON_ITS_WAY).isAfter(now)), state);
    }

    /** Reports whether the run waits for approval. */
    public boolean held() {
        return running && state.dump().phase() == DumpPhase.held;
    }
}
