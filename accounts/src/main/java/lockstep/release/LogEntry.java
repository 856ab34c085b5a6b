package lockstep.release;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/**
 * One line of an account's deploy log. What takes long has two: when it began, and how it ended.
 *
 * @param id      of what was done, in each account in which it was
 * @param when    it began, or ended
 * @param account in which
 * @param action  what was done
 * @param release that was deployed; of a sync the one that the account ran
 * @param before  the release that it took the place of; empty when there was none, or nobody knows
 * @param who     as AWS knows them, and the person whom a pipeline names
 * @param job     of the pipeline
 * @param result  how it went
 * @param cause   of a failure
 * @param seconds that it took; none when it begins
 * @param subject of a sync: its id; of a release: the digest of its archive
 */
public record LogEntry(String id, Instant when, String account, Action action, Optional<String> release, Optional<String> before, String who, Optional<String> job,
        Result result, Optional<String> cause, Optional<Long> seconds, Optional<String> subject) {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

    public enum Action { deploy, rollback, sync }

    public enum Result { started, succeeded, failed }

    /** How it is named in the log: in the order of time, and no two alike. */
    public String key() {
        return "log/%s-%s-%s.json".formatted(TIME.format(when), id, result);
    }

    public LogEntry ended(Instant end, Optional<String> failure) {
        return new LogEntry(id, end, account, action, release, before, who, job, failure.isEmpty() ? Result.succeeded : Result.failed, failure,
                Optional.of(Duration.between(when, end).toSeconds()), subject);
    }

    /** As people are told of it. */
    String told() {
        String what = switch (action) {
            case deploy -> "release " + release.orElse("?") + " deployed" + before.map(b -> " in the place of " + b).orElse("");
            case rollback -> "back to release " + release.orElse("?") + before.map(b -> " from " + b).orElse("");
            case sync -> "sync " + subject.orElse("?");
        };
        return what + " in " + account + ": " + result;
    }
}
