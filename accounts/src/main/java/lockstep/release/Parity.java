package lockstep.release;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.release.LogEntry.Action;
import lockstep.release.LogEntry.Result;

/**
 * Whether accounts run the same release, by what their logs say.
 *
 * @param inForce by account; one that was never deployed is not among them
 * @param since   when they came apart; empty while they run the same
 */
public record Parity(Map<String, String> inForce, Optional<Instant> since) {
    /** @param logs of all accounts that should run the same, in any order */
    public static Parity of(Collection<LogEntry> logs) {
        List<LogEntry> changes = logs.stream().filter(entry -> entry.result() == Result.succeeded && entry.action() != Action.sync && entry.release().isPresent())
                .sorted(Comparator.comparing(LogEntry::when)).toList();
        var inForce = new TreeMap<String, String>();
        Optional<Instant> since = Optional.empty();
        for (LogEntry change : changes) {
            inForce.put(change.account(), change.release().orElseThrow());
            boolean same = inForce.values().stream().distinct().count() < 2;
            since = same ? Optional.empty() : since.or(() -> Optional.of(change.when()));
        }
        return new Parity(inForce, since);
    }

    /** For how long they have not run the same; zero while they do. */
    public Duration apart(Instant now) {
        return since.filter(now::isAfter).map(from -> Duration.between(from, now)).orElse(Duration.ZERO);
    }
}
