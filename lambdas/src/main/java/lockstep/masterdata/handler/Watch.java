package lockstep.masterdata.handler;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import lockstep.landscape.Check;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.SourceReader;
import lockstep.masterdata.watch.Watcher;
import lockstep.masterdata.watch.Watcher.Seen;

/** One look at the shards of an account that receive a data set: measures each, and starts what brings it in step. */
public final class Watch extends JsonFunction<Watch.Event, Watch.Answer> {
    /** Shards that have not answered then are left, to tell of the others. */
    private static final Duration LEFT_TO_TELL = Duration.ofSeconds(30);

    private static final int TOLD = 200;

    /** @param every the interval between looks */
    public record Event(DataSet dataSet, String account, String readerRoleArn, String externalId, String signingKeyArn, String sourceBucket,
            String restoreMachineArn, String operationsTopicArn, Duration every, List<Check> checks, List<String> shards) {}

    /** @param told shards that are not in step, or fail a check; no more than {@link #TOLD}, since a state's output has 256 KB */
    public record Answer(int shards, int inStep, List<Seen> told) {
        static Answer of(List<Seen> seen) {
            return new Answer(seen.size(), (int) seen.stream().filter(Seen::quiet).count(), seen.stream().filter(s -> !s.quiet()).limit(TOLD).toList());
        }
    }

    public Watch() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        var world = new WatchedAccount(new SourceReader(event.readerRoleArn(), event.externalId(), event.sourceBucket(), event.signingKeyArn()),
                event.dataSet(), event.checks(), event.restoreMachineArn(), event.operationsTopicArn());
        return Answer.of(new Watcher(world, event.dataSet().name(), event.account(), event.every(), !event.checks().isEmpty())
                .look(event.shards(), Instant.now(), deadline.minus(LEFT_TO_TELL)));
    }
}
