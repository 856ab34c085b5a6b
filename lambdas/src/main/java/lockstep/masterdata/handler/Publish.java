package lockstep.masterdata.handler;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.Publisher;
import lockstep.masterdata.engine.Publisher.TableResult;

/** Merges what is staged, verifies it from the shard's own rows, and commits. */
public final class Publish extends JsonFunction<Publish.Event, Publish.Answer> {
    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(20);

    public record Event(TargetSync sync, TargetSync.TargetShard shard, List<BatchOutcome> staged) {}

    public record Answer(String shard, List<TableResult> tables, BatchOutcome.Workers workers) {}

    public Publish() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        BatchOutcome.check("of the staging", event.staged());
        var tables = new Publisher(Clients.database(event.shard().secretArn()), LOCK_TIMEOUT).publish(event.sync().dataSet().name(), event.sync().syncId());
        return new Answer(event.shard().name(), tables, BatchOutcome.Workers.of(event.staged()));
    }
}
