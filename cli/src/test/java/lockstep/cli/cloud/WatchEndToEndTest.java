package lockstep.cli.cloud;

import static lockstep.cli.cloud.TestingCloud.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import lockstep.cli.cloud.TestingCloud.Ended;
import lockstep.landscape.Names;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionListItem;
import software.amazon.awssdk.services.sqs.SqsClient;

/** What is mended without a person, and what waits for one, in a cloud of its own whose shards are watched every minute. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class WatchEndToEndTest {
    private static final List<String> TARGETS = List.of("clinic-2", "demo-1", "qa-1", "qa-demo-1");
    /** A look starts each minute, a function may have to start, and a restore takes some seconds. */
    private static final Duration MENDED = Duration.ofMinutes(5);
    private static final TestingCloud CLOUD = new TestingCloud("watched", "1m");

    @BeforeAll
    static void up() {
        CLOUD.lockstep("down", "--purge");
        Ended up = CLOUD.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
    }

    @AfterAll
    static void down() {
        Ended down = CLOUD.lockstep("down", "--purge");
        assertEquals(0, down.exit(), down::toString);
    }

    private static boolean inStep(String shard) {
        return CLOUD.master(shard).equals(CLOUD.master("clinic-1"));
    }

    private static List<String> restores(String account, String kind) {
        try (var sfn = CLOUD.root(account).client(SfnClient.builder())) {
            return sfn.listExecutionsPaginator(r -> r.stateMachineArn(Names.statesArn("eu-central-1", CLOUD.account(account).id(), "stateMachine", Names.restoreMachine("master")))).executions().stream()
                    .map(ExecutionListItem::name).filter(name -> name.startsWith(kind)).toList();
        }
    }

    private static StateValue alarm(String account, String shard, String metric) {
        try (var cloudWatch = CLOUD.root(account).client(CloudWatchClient.builder())) {
            return cloudWatch.describeAlarmsForMetric(r -> r.namespace(Names.metrics("master", shard)).metricName(metric)).metricAlarms().getFirst().stateValue();
        }
    }

    @Test
    @Order(1)
    void rowsEditedByHandAreNoticedAndRepairedAndTheAlarmClears() {
        CLOUD.sql("demo-1", "UPDATE master.drug SET price = -1 WHERE id = 7");
        await("the alarm of the drift", MENDED, () -> alarm("demo", "demo-1", "Drift") == StateValue.ALARM);
        await("the repair", MENDED, () -> inStep("demo-1"));
        assertEquals(1, restores("demo", "drift-").size(), () -> restores("demo", "drift-").toString());
        await("the alarm to clear", MENDED, () -> alarm("demo", "demo-1", "Drift") == StateValue.OK);
        for (var shard : TARGETS) assertTrue(inStep(shard), shard);
    }

    @Test
    @Order(2)
    void aNotificationThatIsLostIsMadeGood() {
        try (var lambda = CLOUD.root("demo").client(LambdaClient.builder()); var sqs = CLOUD.root("demo").client(SqsClient.builder())) {
            var mapping = lambda.listEventSourceMappings().eventSourceMappings().stream().filter(m -> m.functionArn().contains("StartRestore")).findFirst().orElseThrow();
            String queue = sqs.getQueueUrl(r -> r.queueName(mapping.eventSourceArn().substring(mapping.eventSourceArn().lastIndexOf(':') + 1))).queueUrl();
            lambda.updateEventSourceMapping(r -> r.uuid(mapping.uuid()).enabled(false));
            try {
                CLOUD.sql("clinic-1", "UPDATE master.drug SET price = 104 WHERE id = 11");
                CLOUD.lockstep("sync", "--id", "lost", "--timeout", "25");
                sqs.purgeQueue(r -> r.queueUrl(queue));
            } finally {
                lambda.updateEventSourceMapping(r -> r.uuid(mapping.uuid()).enabled(true));
            }
        }
        await("the sync that was missed", MENDED, () -> inStep("demo-1"));
        assertEquals(List.of("demo-1"), restores("demo", "missed-lost-").stream().map(name -> name.replaceFirst("missed-lost-\\d+-", "")).toList());
    }

    @Test
    @Order(3)
    void aRevisionThatEmptiesATableIsHeldAndChangesNothingWhenRejected() {
        String before = CLOUD.master("demo-1");
        CLOUD.sql("clinic-1", "CREATE TABLE saved AS SELECT * FROM master.drug_interaction", "DELETE FROM master.drug_interaction");
        var sync = CLOUD.lockstepAsync("sync", "--id", "empties", "--output", "json");
        await("the sync to be held", MENDED, () -> CLOUD.lockstep("sync", "--id", "empties", "--timeout", "1").err().contains("held until"));
        Ended rejected = CLOUD.lockstep("reject", "empties", "--reason", "wrong file", "--output", "json");
        assertEquals(0, rejected.exit(), rejected::toString);
        assertTrue(rejected.json().at("/assessment/reasons/0").asString().startsWith("master.drug_interaction had "), rejected::toString);
        Ended ended = sync.join();
        assertEquals(1, ended.exit(), ended::toString);
        assertTrue(ended.json().at("/dump/cause").asString().contains("wrong file"), ended::toString);
        assertEquals(before, CLOUD.master("demo-1"));
        Ended again = CLOUD.lockstep("approve", "empties");
        assertEquals(1, again.exit(), again::toString);
    }

    @Test
    @Order(4)
    void theSameRevisionGoesOnWhenItIsApproved() {
        var sync = CLOUD.lockstepAsync("sync", "--id", "empties-meant", "--output", "json");
        await("the sync to be held", MENDED, () -> CLOUD.lockstep("sync", "--id", "empties-meant", "--timeout", "1").err().contains("held until"));
        Ended approved = CLOUD.lockstep("approve", "empties-meant");
        assertEquals(0, approved.exit(), approved::toString);
        Ended ended = sync.join();
        assertEquals(0, ended.exit(), ended::toString);
        for (var shard : TARGETS) assertTrue(inStep(shard), shard);
    }
}
