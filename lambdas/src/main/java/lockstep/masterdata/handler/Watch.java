package lockstep.masterdata.handler;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import lockstep.landscape.Check;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.SourceReader;
import lockstep.masterdata.watch.Watcher;
import lockstep.masterdata.watch.Watcher.Seen;

/** Checks once all shards of an account that receive a data set: measures them, and starts restores that bring them up to date. */
public final class Watch extends JsonFunction<Watch.Event, Watch.Answer> {
    /** The time reserved for reporting; shards that have not answered by then are skipped. */
    private static final Duration REPORTING_TIME = Duration.ofSeconds(30);

    private static final int MAX_REPORTED = 200;

    /**
     * @param every  the interval between runs
     * @param rows   the interval between runs that read every row of a shard
     * @param behind how long a newer manifest may not be in force
     * @param reportsAtOnce how many shards are asked at once
     * @param shards the shards of this account that receive data sets
     */
    public record Event(DataSet dataSet, String account, String readerRoleArn, String externalId, String signingKeyArn, String sourceBucket,
            String restoreMachineArn, String operationsTopicArn, Duration every, Duration rows, Duration behind, List<Check> checks,
            int reportsAtOnce, List<String> shards) {}

    /**
     * @param told shards that are not in step or fail a check; at most {@link #MAX_REPORTED}, because a state's output is limited to 256 KB
     */
    public record Answer(int shards, int inStep, List<Seen> told) {
        static Answer of(List<Seen> seen) {
            return new Answer(seen.size(), (int) seen.stream().filter(Seen::quiet).count(),
                    seen.stream().filter(s -> !s.quiet()).limit(MAX_REPORTED).toList());
        }
    }

    public Watch() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        var environment = new WatchedAccount(
                new SourceReader(event.readerRoleArn(), event.externalId(), event.sourceBucket(), event.signingKeyArn()),
                event.dataSet(), event.checks(), event.restoreMachineArn(), event.operationsTopicArn());
        return Answer.of(new Watcher(environment, event.dataSet().name(), event.account(), event.every(), event.rows(), event.behind(),
                !event.checks().isEmpty(), event.reportsAtOnce())
                .look(event.shards().stream().filter(shard -> !shard.equals(event.dataSet().source())).toList(), Instant.now(),
                        deadline.minus(REPORTING_TIME)));
    }
}
