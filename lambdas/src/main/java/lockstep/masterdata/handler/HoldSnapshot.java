package lockstep.masterdata.handler;

import java.time.Duration;
import java.time.Instant;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.dump.Planner;
import lockstep.masterdata.engine.dump.Released;
import lockstep.masterdata.engine.dump.SnapshotHolder;

/**
 * Exports a snapshot of the source, plans the dump, and holds the transaction until it is released, or until shortly before the deadline.
 */
public final class HoldSnapshot extends JsonFunction<HoldSnapshot.Event, Released> {
    private static final Duration SHUTDOWN_TIME = Duration.ofSeconds(10);

    public record Event(SourceSync sync) {}

    public HoldSnapshot() {
        super(Event.class);
    }

    @Override
    Released handle(Event event, Instant deadline) {
        SourceSync sync = event.sync();
        return new SnapshotHolder(Clients.database(sync.secretArn()), Clients.store(sync.bucket()), Planner.DEFAULT,
                Clients.signature(sync.signingKeyArn()), sync.functionTime())
                .hold(sync.dataSet(), sync.paths(), deadline.minus(SHUTDOWN_TIME), sync.terms().readsEveryRow());
    }
}
