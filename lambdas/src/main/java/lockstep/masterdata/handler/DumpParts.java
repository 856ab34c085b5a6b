package lockstep.masterdata.handler;

import java.time.Instant;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.dump.Batch;
import lockstep.masterdata.engine.dump.Dumper;

/** Dumps one batch of key ranges as parts. */
public final class DumpParts extends JsonFunction<DumpParts.Event, DumpParts.Answer> {
    private static final int STREAMS = 2;
    private static final long PART_BYTES = 32L << 20;

    public record Event(SourceSync sync, Batch batch) {}

    public record Answer(int parts, long rows) {}

    public DumpParts() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        SourceSync sync = event.sync();
        var dumped = new Dumper(Clients.database(sync.secretArn()), Clients.store(sync.bucket()), STREAMS, PART_BYTES)
                .dump(sync.dataSet(), sync.paths(), event.batch());
        var parts = dumped.ranges().stream().flatMap(r -> r.parts().stream()).toList();
        return new Answer(parts.size(), parts.stream().mapToLong(p -> p.rows()).sum());
    }
}
