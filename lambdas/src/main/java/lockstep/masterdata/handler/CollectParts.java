package lockstep.masterdata.handler;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.Keep;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.parts.Retention;

/** Drops manifests that are no longer kept, and deletes what no other needs. */
public final class CollectParts extends JsonFunction<CollectParts.Event, CollectParts.Answer> {
    /** A dump takes two hours at most, a restore four; a notification may wait for a day until somebody mends what kept it. */
    private static final Duration GRACE = Duration.ofDays(1);

    /** @param held for how long a sync may be: until then its parts are named by nothing but what was sealed and not admitted */
    public record Event(SourceSync sync, Keep keep, Optional<Duration> held) {}

    public record Answer(List<String> dropped, int deleted) {}

    public CollectParts() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        String bucket = event.sync().bucket();
        var collected = new Retention(event.keep().manifests(), Duration.ofDays(event.keep().days()), GRACE.plus(event.held().orElse(Duration.ZERO)))
                .collect(Clients.store(bucket), Clients.versionedStore(bucket), event.sync().dataSet().name(), Instant.now());
        return new Answer(collected.dropped(), collected.parts());
    }
}
