package lockstep.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Purpose;
import lockstep.landscape.Shard;
import lockstep.sync.SyncState.ShardPhase;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.sfn.model.DescribeExecutionResponse;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import software.amazon.awssdk.services.sfn.model.HistoryEvent;

class RestoredShardTest {
    private static final String PREFLIGHT = """
            {"shard":"demo-1","batches":[{"from":0,"until":1}],"rows":20,"tables":[{"table":"master.drug","read":false,"unchanged":3,\
            "deltas":1,"parts":0,"bytes":900}],"millis":5}""";
    private static final String PUBLISHED = """
            {"shard":"demo-1","tables":[{"name":"master.drug","rows":4,"digest":"00","inserted":1,"updated":2,"deleted":3,"kept":0}],\
            "workers":{"batches":1,"millis":1,"peakMemoryMiB":90},"millis":7}""";
    private static final Shard DEMO = new Shard("demo-1", Edition.DEMO);
    private static final Account ACCOUNT = new Account("demo", "222222222222", Purpose.DEMO, List.of(DEMO), List.of());

    private static SyncState.Shard after(ExecutionStatus status, String... answers) {
        var history = Stream.of(answers)
                .map(answer -> HistoryEvent.builder().timestamp(Instant.EPOCH).taskSucceededEventDetails(d -> d.output(answer)).build())
                .toList();
        var execution = new Execution(DescribeExecutionResponse.builder().status(status).startDate(Instant.EPOCH).build(), history);
        return RestoredShard.read(ACCOUNT, DEMO, execution, 0);
    }

    @Test
    void preflightTellsOfTablesAndIsNotTakenForPublish() {
        var state = after(ExecutionStatus.RUNNING, PREFLIGHT);
        assertEquals(ShardPhase.staging, state.phase());
        assertEquals(List.of(), state.tables());
        assertEquals(Optional.of(900L), state.bytes());
    }

    @Test
    void whoPublishedIsVerified() {
        var state = after(ExecutionStatus.SUCCEEDED, PREFLIGHT, PUBLISHED);
        assertEquals(ShardPhase.verified, state.phase());
        assertEquals(6, state.changed());
        assertEquals(Optional.of(90L), state.peakMemoryMiB());
    }

    @Test
    void warningsOfBothAnswersAreCollectedOnce() {
        assertEquals(List.of(), after(ExecutionStatus.SUCCEEDED, PREFLIGHT, PUBLISHED).warnings());
        String preflight = PREFLIGHT.replace("\"millis\"", "\"warnings\":[\"sequence te.unit_seq cannot follow\"],\"millis\"");
        String published = PUBLISHED.replace("\"kept\":0", "\"kept\":0,\"warnings\":[\"sequence te.unit_seq cannot follow\",\"late\"]");
        assertEquals(List.of("sequence te.unit_seq cannot follow"), after(ExecutionStatus.RUNNING, preflight).warnings());
        var state = after(ExecutionStatus.SUCCEEDED, preflight, published);
        assertEquals(List.of("sequence te.unit_seq cannot follow", "late"), state.warnings());
        assertEquals(ShardPhase.verified, state.phase());
    }

    @Test
    void ofTwoPreflightsTheLastCounts() {
        var state = after(ExecutionStatus.RUNNING, PREFLIGHT, PREFLIGHT.replace("900", "7000"));
        assertEquals(Optional.of(7000L), state.bytes());
    }

    @Test
    void anotherShardsAnswersAreNotItsOwn() {
        assertEquals(ShardPhase.preflight,
                after(ExecutionStatus.RUNNING, PREFLIGHT.replace("demo-1", "qa-1"), PUBLISHED.replace("demo-1", "qa-1")).phase());
    }

    @Test
    void anExecutionThatEndedWithoutItHasFailed() {
        var state = after(ExecutionStatus.ABORTED, PREFLIGHT);
        assertEquals(ShardPhase.failed, state.phase());
        assertEquals(Optional.of("ABORTED"), state.error());
    }
}
