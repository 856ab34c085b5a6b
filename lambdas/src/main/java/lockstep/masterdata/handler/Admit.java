package lockstep.masterdata.handler;

import java.time.Instant;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.review.Admission;

/** Publishes a sealed manifest for restores and records it as the newest. */
public final class Admit extends JsonFunction<Admit.Event, Admit.Answer> {
    public record Event(SourceSync sync) {}

    public record Answer(String manifestKey, Instant snapshotTime) {}

    public Admit() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        SourceSync sync = event.sync();
        var manifest = new Admission(Clients.store(sync.bucket()), Clients.signature(sync.signingKeyArn())).admit(sync.paths(),
                Instant.now());
        return new Answer(sync.paths().manifest(), manifest.snapshotTime());
    }
}
