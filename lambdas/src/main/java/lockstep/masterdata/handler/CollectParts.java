package lockstep.masterdata.handler;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.Keep;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.parts.Retention;

/** Drops old manifests, and deletes parts that no manifest needs. */
public final class CollectParts extends JsonFunction<CollectParts.Event, CollectParts.Answer> {
    /** A dump takes at most two hours and a restore four; a notification may wait for a day until a problem is fixed. */
    private static final Duration GRACE = Duration.ofDays(1);

    /** @param held how long a sync may be held; during that time only its sealed manifest refers to its parts */
    public record Event(SourceSync sync, Keep keep, Optional<Duration> held) {}

    public record Answer(List<String> dropped, int deleted) {}

    public CollectParts() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        String bucket = event.sync().bucket();
        var collected = new Retention(event.keep().manifests(), Duration.ofDays(event.keep().days()),
                GRACE.plus(event.held().orElse(Duration.ZERO)))
                .collect(Clients.store(bucket), Clients.versionedStore(bucket), event.sync().dataSet().name(), Instant.now());
        return new Answer(collected.dropped(), collected.parts());
    }
}
