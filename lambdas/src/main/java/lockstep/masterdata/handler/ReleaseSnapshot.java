package lockstep.masterdata.handler;

import java.time.Instant;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.dump.Released;

/** Makes the holder release the snapshot after a failed dump, with the reason. */
public final class ReleaseSnapshot extends JsonFunction<ReleaseSnapshot.Event, Released> {
    public record Event(SourceSync sync, String reason) {}

    public ReleaseSnapshot() {
        super(Event.class);
    }

    @Override
    Released handle(Event event, Instant deadline) {
        var released = new Released(Causes.message(event.reason()));
        released.write(Clients.store(event.sync().bucket()), event.sync().paths());
        return released;
    }
}
