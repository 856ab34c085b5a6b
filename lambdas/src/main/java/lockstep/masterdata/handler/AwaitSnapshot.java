package lockstep.masterdata.handler;

import java.time.Duration;
import java.time.Instant;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.dump.AwaitedSnapshot;

/** Waits until the holder has written its snapshot and plan. */
public final class AwaitSnapshot extends JsonFunction<AwaitSnapshot.Event, AwaitSnapshot.Answer> {
    private static final Duration SHUTDOWN_TIME = Duration.ofSeconds(2);

    public record Event(SourceSync sync) {}

    public record Answer(Instant snapshotTime, int batches) {}

    public AwaitSnapshot() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        var snapshot = AwaitedSnapshot.await(Clients.store(event.sync().bucket()), event.sync().paths(), deadline.minus(SHUTDOWN_TIME));
        return new Answer(snapshot.time(), snapshot.batches());
    }
}
