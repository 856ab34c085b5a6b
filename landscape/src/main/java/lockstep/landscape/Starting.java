package lockstep.landscape;

import java.time.Duration;
import java.util.Optional;

/**
 * When syncs of a data set start by themselves. Whatever starts them, thresholds decide whether they go on ({@link Hold}).
 *
 * @param at    by the clock, in UTC: an expression of EventBridge, as {@code cron(0 4 * * ? *)}
 * @param quiet when the source's tables have changed and nobody has written to them for so long, and for no longer than twice that; whole minutes
 */
public record Starting(Optional<String> at, Optional<Duration> quiet) {
    public static final Starting BY_HAND = new Starting(Optional.empty(), Optional.empty());

    public boolean byHand() {
        return at.isEmpty() && quiet.isEmpty();
    }
}
