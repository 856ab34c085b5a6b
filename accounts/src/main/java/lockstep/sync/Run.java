package lockstep.sync;

import java.time.Duration;
import java.time.Instant;
import lockstep.sync.SyncState.DumpPhase;
import lockstep.sync.SyncState.Outcome;

/**
 * A sync of all targets, or the way back of one shard, which has no dump of its own.
 *
 * @param id      of the execution: the sync's, or the rollback's, while the state tells which sync it goes back to
 * @param running whether anything of it still goes on; else one whose outcome says so has not come to every shard
 */
public record Run(Kind kind, String id, Instant started, boolean running, SyncState state) {
    public enum Kind { sync, rollback }

    /** A notification may be retried for so long before a target's execution begins. */
    private static final Duration ON_ITS_WAY = Duration.ofMinutes(15);

    /** @param now by which what was started long ago, and waits for a notification still, waits no longer */
    static Run of(Kind kind, String id, Instant started, SyncState state, Instant now) {
        boolean working = state.dump().phase() != DumpPhase.sealed || state.shards().stream().anyMatch(s -> switch (s.phase()) {
            case preflight, staging, publishing -> true;
            case waiting, verified, failed -> false;
        });
        return new Run(kind, id, started, state.outcome() == Outcome.running && (working || started.plus(ON_ITS_WAY).isAfter(now)), state);
    }

    /** Whether it waits for a person, and nothing goes on until then. */
    public boolean held() {
        return running && state.dump().phase() == DumpPhase.held;
    }
}
