package lockstep.landscape;

import java.time.Duration;
import java.util.Optional;

/**
 * When syncs of a data set start automatically. Thresholds ({@link Hold}) may hold a sync however it was started.
 *
 * @param at    an EventBridge schedule expression in UTC, such as {@code cron(0 4 * * ? *)}
 * @param quiet how long nobody may have written to the source's changed tables before a sync starts, in whole minutes. It starts after at
 *         most twice that time
 */
public record Starting(Optional<String> at, Optional<Duration> quiet) {
    public static final Starting BY_HAND = new Starting(Optional.empty(), Optional.empty());

    public boolean byHand() {
        return at.isEmpty() && quiet.isEmpty();
    }
}
