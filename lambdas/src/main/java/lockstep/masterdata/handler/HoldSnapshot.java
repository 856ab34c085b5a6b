package lockstep.masterdata.handler;

import java.time.Duration;
import java.time.Instant;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.dump.Planner;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.dump.SnapshotHolder;

/** Exports one snapshot of the source, plans the dump, and holds the transaction until released or shortly before its deadline. */
public final class HoldSnapshot extends JsonFunction<HoldSnapshot.Event, Released> {
    private static final Duration TO_END_CLEANLY = Duration.ofSeconds(10);

    public record Event(SourceSync sync) {}

    public HoldSnapshot() {
        super(Event.class);
    }

    @Override
    Released handle(Event event, Instant deadline) {
        SourceSync sync = event.sync();
        return new SnapshotHolder(Clients.database(sync.secretArn()), Clients.store(sync.bucket()), Planner.DEFAULT, Clients.signature(sync.signingKeyArn()))
                .hold(sync.dataSet(), sync.paths(), deadline.minus(TO_END_CLEANLY));
    }
}
