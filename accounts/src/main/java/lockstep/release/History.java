package lockstep.release;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.release.LogEntry.Action;
import lockstep.release.LogEntry.Result;

/**
 * The releases that led to the one in force, from an account's log, oldest first. A deployment adds a release; a rollback removes the later
 * ones.
 */
public record History(List<String> releases) {
    public History {
        releases = List.copyOf(releases);
    }

    /** @param log the entries, newest first */
    public static History of(List<LogEntry> log) {
        var releases = new ArrayList<String>();
        for (LogEntry entry : log.reversed()) {
            if (entry.result() != Result.succeeded || entry.action() == Action.sync || entry.release().isEmpty()) continue;
            String release = entry.release().get();
            if (entry.action() == Action.rollback && releases.contains(release)) {
                while (!releases.getLast().equals(release)) releases.removeLast();
            } else if (releases.isEmpty() || !releases.getLast().equals(release)) {
                releases.add(release);
            }
        }
        return new History(releases);
    }

    public Optional<String> inForce() {
        return releases.isEmpty() ? Optional.empty() : Optional.of(releases.getLast());
    }

    /** Returns the release that a rollback deploys. */
    public Optional<String> before() {
        return releases.size() < 2 ? Optional.empty() : Optional.of(releases.get(releases.size() - 2));
    }
}
