package lockstep.masterdata.handler;

import java.time.Instant;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.aws.S3PartStore;
import lockstep.masterdata.engine.restore.Preflight.PartRange;
import lockstep.masterdata.engine.restore.Stager;

/** Copies a batch of parts into a shard's staging tables. */
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

    /** Opens stores for the batch's objects, and closes them. */
    private static final class Session implements AutoCloseable {
        private final TargetSync sync;
        private final Queue<S3PartStore> stores = new ConcurrentLinkedQueue<>();

        Session(TargetSync sync) {
            this.sync = sync;
        }

        S3PartStore objects(List<String> keys) {
            S3PartStore store = sync.source().objects(sync.syncId(), keys);
            stores.add(store);
            return store;
        }

        @Override
        public void close() {
            stores.forEach(store -> store.s3().close());
        }
    }
}
