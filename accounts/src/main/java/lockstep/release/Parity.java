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
 * Compares the releases of accounts according to their logs.
 *
 * @param inForce the release by account, without accounts that were never deployed
 * @param since   when the releases began to differ; empty if they are the same
 */
public record Parity(Map<String, String> inForce, Optional<Instant> since) {
    /** @param logs the entries of all accounts that should run the same release, in any order */
    public static Parity of(Collection<LogEntry> logs) {
        List<LogEntry> changes = logs.stream()
                .filter(entry -> entry.result() == Result.succeeded && entry.action() != Action.sync && entry.release().isPresent())
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

    /** Returns how long the releases have differed; zero if they are the same. */
    public Duration apart(Instant now) {
        return since.filter(now::isAfter).map(from -> Duration.between(from, now)).orElse(Duration.ZERO);
    }
}
