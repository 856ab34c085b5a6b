package lockstep.masterdata.handler;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.restore.Forecast;
import lockstep.masterdata.engine.restore.Publisher;
import lockstep.masterdata.engine.restore.Publisher.TableResult;

/** Merges what was staged, verifies the shard's rows, and commits; in a dry run it only reports what would change. */
public final class Publish extends JsonFunction<Publish.Event, Publish.Answer> {
    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(20);

    /** @param staged empty in a task, which repeats the step of a function that has checked them */
    public record Event(TargetSync sync, TargetSync.TargetShard shard, List<BatchOutcome> staged) {
        public Event {
            staged = staged == null ? List.of() : List.copyOf(staged);
        }
    }

    public record Answer(String shard, List<TableResult> tables, BatchOutcome.Workers workers) {}

    public Publish() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        BatchOutcome.check("of the staging", event.staged());
        var database = Clients.database(event.shard().secretArn());
        String dataSet = event.sync().dataSet().name();
        var tables = event.sync().terms().isDryRun() ? new Forecast(database).compute(dataSet, event.sync().syncId())
                : new Publisher(database, LOCK_TIMEOUT, event.sync().functionTime()).publish(dataSet, event.sync().syncId());
        return new Answer(event.shard().name(), tables, BatchOutcome.Workers.of(event.staged()));
    }
}
