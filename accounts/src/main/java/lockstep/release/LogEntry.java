package lockstep.release;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/**
 * An entry of an account's deploy log. A long action has two entries: one at its start and one at its end.
 *
 * @param id      the id of the action, the same in each account
 * @param when    the time of its start or end
 * @param release the deployed release; for a sync, the release that the account ran
 * @param before  the release that it replaced; empty if there was none or it is unknown
 * @param who     the AWS identity, and the person that a pipeline names
 * @param job     the URL of the pipeline job
 * @param cause   the cause of a failure
 * @param seconds the duration; empty at the start
 * @param subject the id of a sync, or the digest of a release archive
 */
public record LogEntry(String id, Instant when, String account, Action action, Optional<String> release, Optional<String> before,
        String who, Optional<String> job,
        Result result, Optional<String> cause, Optional<Long> seconds, Optional<String> subject) {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

    public enum Action { deploy, rollback, sync }

    public enum Result { started, succeeded, failed }

    /** Returns the key of the entry in the log. Keys are unique and sort by time. */
    public String key() {
        return "log/%s-%s-%s.json".formatted(TIME.format(when), id, result);
    }

    public LogEntry ended(Instant end, Optional<String> failure) {
        return new LogEntry(id, end, account, action, release, before, who, job, failure.isEmpty() ? Result.succeeded : Result.failed,
                failure,
                Optional.of(Duration.between(when, end).toSeconds()), subject);
    }

    /** Returns the text for the notification of the operators. */
    String notificationText() {
        String what = switch (action) {
            case deploy -> "release " + release.orElse("?") + " deployed" + before.map(b -> ", replacing " + b).orElse("");
            case rollback -> "rolled back to release " + release.orElse("?") + before.map(b -> " from " + b).orElse("");
            case sync -> "sync " + subject.orElse("?");
        };
        return what + " in " + account + ": " + result;
    }
}
