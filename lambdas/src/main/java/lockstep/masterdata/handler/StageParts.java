package lockstep.masterdata.handler;

import java.time.Instant;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.aws.S3PartStore;
import lockstep.masterdata.engine.Preflight.PartRange;
import lockstep.masterdata.engine.Stager;

/** Brings one batch of parts into a shard's staging tables. */
public final class StageParts extends JsonFunction<StageParts.Event, StageParts.Answer> {
    private static final int STREAMS = 2;

    public record Event(TargetSync sync, TargetSync.TargetShard shard, PartRange batch) {}

    public record Answer(int parts) {}

    public StageParts() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        TargetSync sync = event.sync();
        try (var session = new Session(sync)) {
            int parts = new Stager(Clients.database(event.shard().secretArn()), STREAMS)
                    .stage(sync.dataSet().name(), sync.syncId(), event.batch(), session::objects);
            return new Answer(parts);
        }
    }

    /** Closes the store that was opened for the batch's objects. */
    private static final class Session implements AutoCloseable {
        private final TargetSync sync;
        private S3PartStore store;

        Session(TargetSync sync) {
            this.sync = sync;
        }

        S3PartStore objects(java.util.List<String> keys) {
            return store = sync.source().objects(sync.syncId(), keys);
        }

        @Override
        public void close() {
            if (store != null) store.s3().close();
        }
    }
}
