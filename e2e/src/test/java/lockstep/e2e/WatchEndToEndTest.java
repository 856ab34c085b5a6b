package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static lockstep.e2e.TestingCloud.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import lockstep.e2e.TestingCloud.Ended;
import lockstep.landscape.DataSetMetric;
import lockstep.landscape.Names;
import lockstep.landscape.ShardMetric;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.Datapoint;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionListItem;
import software.amazon.awssdk.services.sqs.SqsClient;
import tools.jackson.databind.JsonNode;

/**
 * Tests what is detected, reported and repaired automatically, and what waits for approval. Each test continues where the previous one
 * ended.
 */
@ExtendWith(SharedCloud.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Tag("nightly")
class WatchEndToEndTest {
    private static final List<String> TARGETS = List.of("clinic-2", "demo-1", "qa-1", "qa-demo-1");
    /** A check starts within a minute, a function may have to start, and a restore takes some seconds. */
    private static final Duration REPAIRED = Duration.ofMinutes(5);
    private static final Duration AGE = CLOUD.landscape.dataSets().getFirst().watch().age();
    /** The messages to the operators of each account since the start of the tests. */
    private static final Map<String, Operators> OPERATORS = new LinkedHashMap<>();
    /** When the snapshot in force of every shard has at least the alarm age. */
    private static Instant old;

    @BeforeAll
    static void listen() {
        for (var account : CLOUD.landscape.accounts()) OPERATORS.put(account.name(), Operators.of(account.name(), "operators"));
        var youngest = status().valueStream().mapToLong(shard -> shard.get("ageSeconds").asLong()).min().orElseThrow();
        old = Instant.now().minusSeconds(youngest).plus(AGE);
    }

    @AfterAll
    static void unwatched() {
        CLOUD.schedule("", false);
        OPERATORS.values().forEach(Operators::close);
    }

    private static JsonNode status() {
        return CLOUD.lockstep("status", "--output", "json").json().get("shards");
    }

    private static boolean inStep(String... shards) {
        String source = CLOUD.master("clinic-1");
        return List.of(shards).stream().allMatch(shard -> CLOUD.master(shard).equals(source));
    }

    private static void awaitNotified(String account, String... words) {
        await("operators of " + account + " to be told of " + List.of(words), REPAIRED, () -> OPERATORS.get(account).received(words));
    }

    private static String machine(String account, String name) {
        return Names.statesArn("eu-central-1", CLOUD.account(account).id(), "stateMachine", name);
    }

    private static List<String> restores(String account, String kind) {
        return executions(account, Names.restoreMachine(), kind);
    }

    private static List<String> executions(String account, String machine, String kind) {
        try (var sfn = CLOUD.root(account).client(SfnClient.builder())) {
            return sfn.listExecutionsPaginator(r -> r.stateMachineArn(machine(account, machine))).executions().stream()
                    .map(ExecutionListItem::name).filter(name -> name.startsWith(Names.execution("master", kind))).toList();
        }
    }

    private static boolean fires(String account, DataSetMetric metric) {
        return state(account, metric) == StateValue.ALARM;
    }

    private static StateValue state(String account, DataSetMetric metric) {
        try (var cloudWatch = CLOUD.root(account).client(CloudWatchClient.builder())) {
            return cloudWatch.describeAlarmsForMetric(r -> r.namespace(Names.metrics("master")).metricName(metric.word()))
                    .metricAlarms().getFirst().stateValue();
        }
    }

    /** Whether the metric of a shard was above 0 lately. */
    private static boolean measured(String shard, ShardMetric metric) {
        return statistics(shard, metric, Statistic.MAXIMUM, 300).stream().anyMatch(point -> point.maximum() > 0);
    }

    private static List<Datapoint> statistics(String shard, ShardMetric metric, Statistic statistic, int seconds) {
        try (var cloudWatch = CLOUD.root(CLOUD.landscape.accountOf(shard).name()).client(CloudWatchClient.builder())) {
            return cloudWatch.getMetricStatistics(r -> r.namespace(Names.metrics("master", shard)).metricName(metric.word())
                    .startTime(Instant.now().minusSeconds(seconds)).endTime(Instant.now()).period(60).statistics(statistic)).datapoints();
        }
    }

    /**
     * Waits for a condition. The schedule runs a check every minute; after the first one, the test starts more frequent checks to save
     * time.
     */
    private static void awaitWatched(String what, BooleanSupplier reached) {
        var next = new Instant[]{Instant.now()};
        await(what, REPAIRED, () -> {
            if (reached.getAsBoolean()) return true;
            if (Instant.now().isBefore(next[0])) return false;
            next[0] = Instant.now().plusSeconds(10);
            for (var account : CLOUD.landscape.accounts()) {
                try (var sfn = CLOUD.root(account.name()).client(SfnClient.builder())) {
                    sfn.startExecution(
                            r -> r.stateMachineArn(machine(account.name(), Names.watchMachine())).input("{\"dataSet\":\"master\"}"));
                }
            }
            return false;
        });
    }

    @Test
    @Order(1)
    void aDatabaseThatIsDownAndANotificationThatIsLostHoldBackNoOther() {
        CLOUD.server("qa").stop();
        String before = CLOUD.master("demo-1");
        CLOUD.whileNobodyListensAtTheDemo(queue -> {
            CLOUD.sql("clinic-1", "UPDATE master.drug SET price = 8 WHERE id = 8");
            assertEquals(0, CLOUD.lockstep("sync", "--id", "missed", "--no-wait").exit());
            var shards = new JsonNode[1];
            await("qa to give up", REPAIRED, () -> {
                shards[0] = CLOUD.lockstep("sync", "--id", "missed", "--timeout", "1", "--output", "json").json().get("shards");
                return shards[0].get(2).get("phase").asString().equals("failed");
            });
            assertEquals(List.of("verified", "waiting", "failed", "failed"),
                    shards[0].valueStream().map(s -> s.get("phase").asString()).toList(), () -> shards[0].toString());
            assertTrue(shards[0].get(2).get("error").asString().contains("DatabaseUnavailable"), () -> shards[0].toString());
            try (var sqs = CLOUD.root("demo").client(SqsClient.builder())) {
                sqs.purgeQueue(r -> r.queueUrl(queue));
            }
        });
        assertEquals(List.of("in-step", "in-step", "behind", "unreachable", "unreachable"),
                status().valueStream().map(s -> s.get("state").asString()).toList());
        assertEquals(before, CLOUD.master("demo-1"));
    }

    @Test
    @Order(2)
    void whatIsWrongIsNoticedToldAndMendedByTheScheduleAlone() {
        CLOUD.sql("clinic-2", "UPDATE master.drug SET price = -1 WHERE id = 7",
                "DELETE FROM master.drug_interaction WHERE id = (SELECT min(id) FROM master.drug_interaction)");
        CLOUD.schedule("masterWatch", true);
        await("the alarms of what was edited", REPAIRED,
                () -> fires("production", DataSetMetric.OUT_OF_STEP) && measured("clinic-2", ShardMetric.DRIFT)
                        && measured("clinic-2", ShardMetric.CHECKS_FAILED));
        await("the alarms of the database that is down", REPAIRED,
                () -> fires("qa", DataSetMetric.OUT_OF_STEP) && measured("qa-1", ShardMetric.UNREACHABLE)
                        && measured("qa-demo-1", ShardMetric.UNREACHABLE));
        await("the repair, and the sync that was missed", REPAIRED, () -> inStep("clinic-2", "demo-1"));
        assertTrue(fires("demo", DataSetMetric.OUT_OF_STEP) && measured("demo-1", ShardMetric.BEHIND));
        assertEquals(1, restores("production", "drift-missed-").size(), () -> restores("production", "drift-").toString());
        assertEquals(1, restores("demo", "missed-missed-").size(), () -> restores("demo", "missed-").toString());
        awaitNotified("production", "\"what\":\"drift\"", "clinic-2", "master.drug_interaction", "master.drug\"");
        awaitNotified("demo", "\"what\":\"missed\"", "demo-1");
        awaitNotified("qa", "ALARM", "master: a shard is out of step");
    }

    @Test
    @Order(3)
    void aDatabaseThatReturnsIsMendedWithoutAPerson() {
        await("a snapshot that is too old", AGE, () -> Instant.now().isAfter(old));
        CLOUD.server("qa").ensure();
        awaitWatched("the sync that both missed", () -> inStep("qa-1", "qa-demo-1"));
        for (var metric : DataSetMetric.values()) assertTrue(fires("qa", metric), metric.word());
        assertEquals(List.of("in-step", "in-step", "in-step", "in-step", "in-step"),
                status().valueStream().map(s -> s.get("state").asString()).toList());
    }

    @Test
    @Order(4)
    void aRevisionThatEmptiesATableIsHeldAndChangesNothingWhenItIsRejected() {
        String before = CLOUD.master("demo-1");
        CLOUD.sql("clinic-1", "CREATE TABLE IF NOT EXISTS saved AS SELECT * FROM master.drug_interaction",
                "DELETE FROM master.drug_interaction");
        var sync = CLOUD.lockstepAsync("sync", "--id", "empties", "--output", "json");
        awaitNotified("production", "empties", "master.drug_interaction had ", "lockstep approve empties or lockstep reject empties");
        awaitHeld("empties");
        var held = CLOUD.lockstep("status", "--output", "json").json().at("/held/0");
        assertTrue(held.get("approve").asString().startsWith("lockstep approve empties --landscape ")
                && held.get("cause").asString().startsWith("master.drug_interaction had "), held::toString);
        Ended rejected = CLOUD.lockstep("reject", "empties", "--reason", "wrong file", "--output", "json");
        assertEquals(0, rejected.exit(), rejected::toString);
        assertTrue(rejected.json().at("/assessment/reasons/0").asString().startsWith("master.drug_interaction had "), rejected::toString);
        Ended ended = sync.join();
        assertEquals(1, ended.exit(), ended::toString);
        assertTrue(ended.json().at("/dump/cause").asString().contains("wrong file"), ended::toString);
        assertEquals(before, CLOUD.master("demo-1"));
        Ended again = CLOUD.lockstep("approve", "empties");
        assertEquals(1, again.exit(), again::toString);
        assertTrue(again.err().contains("is no longer held"), again::toString);
    }

    private static void awaitHeld(String sync) {
        await("the sync to be held", REPAIRED, () -> CLOUD.lockstep("sync", "--id", sync, "--timeout", "1").err().contains("held until"));
    }

    @Test
    @Order(5)
    void theSameRevisionGoesOnWhereItStoodWhenItIsApproved() {
        var sync = CLOUD.lockstepAsync("sync", "--id", "meant", "--output", "json");
        awaitHeld("meant");
        Ended looked = CLOUD.lockstep("approve", "meant", "--dry-run", "--output", "json");
        assertEquals(0, looked.exit(), looked::toString);
        assertEquals(TARGETS, looked.json().get("shards").valueStream().map(s -> s.get("shard").asString()).toList(), looked::toString);
        assertEquals(3, looked.json().at("/assessment/samples").size(), looked::toString);
        assertNotEquals("0", CLOUD.value("demo-1", "SELECT count(*) FROM master.drug_interaction"), "nothing was changed");
        Ended approved = CLOUD.lockstep("approve", "meant");
        assertEquals(0, approved.exit(), approved::toString);
        Ended ended = sync.join();
        assertEquals(0, ended.exit(), ended::toString);
        // interactions that visitors accepted in prescriptions are kept
        for (String shard : TARGETS)
            assertEquals("0", CLOUD.value(shard,
                    "SELECT count(*) FROM master.drug_interaction i WHERE NOT EXISTS (SELECT FROM tenant.accepted_interaction a WHERE "
                            + "a.interaction_id = i.id)"),
                    shard);
    }

    @Test
    @Order(6)
    void whenTheSourceHasChangedAndIsQuietEveryShardFollows() {
        int before = executions("production", Names.dumpMachine(), "auto-").size();
        CLOUD.sql("clinic-1", "INSERT INTO master.drug_interaction SELECT * FROM saved", "DROP TABLE saved");
        CLOUD.schedule("masterWhenQuiet", true);
        await("every shard to follow", REPAIRED, () -> inStep(TARGETS.toArray(String[]::new)));
        CLOUD.schedule("masterWhenQuiet", false);
        assertEquals(before + 1, executions("production", Names.dumpMachine(), "auto-").size());
    }

    @Test
    @Order(7)
    void theAlarmsClearAndTheFreshnessIsThatOfStatus() {
        for (var account : CLOUD.landscape.accounts())
            for (var metric : DataSetMetric.values())
                awaitWatched(metric.word() + " of " + account.name() + " to clear", () -> state(account.name(), metric) == StateValue.OK);
        awaitWatched("the freshness of demo-1 to be measured as it is told", () -> {
            long age = status().valueStream().filter(shard -> shard.get("shard").asString().equals("demo-1")).findFirst().orElseThrow()
                    .get("ageSeconds").asLong();
            return freshness("demo-1").stream().anyMatch(measured -> Math.abs(measured - age) < 30);
        });
    }

    /** Returns the minimum of each of the last minutes in seconds, which shows the value after a sync. */
    private static List<Double> freshness(String shard) {
        return statistics(shard, ShardMetric.FRESHNESS, Statistic.MINIMUM, 60).stream().map(Datapoint::minimum).toList();
    }
}
