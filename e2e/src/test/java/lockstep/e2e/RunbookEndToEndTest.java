package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static lockstep.e2e.TestingCloud.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;
import lockstep.e2e.TestingCloud.Ended;
import lockstep.landscape.Names;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.InvokeResponse;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.DescribeExecutionResponse;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import software.amazon.awssdk.services.sfn.model.HistoryEventType;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import tools.jackson.databind.json.JsonMapper;

/**
 * Tests the runbooks of docs/operate/alarms.md that no other test covers: it injects the fault, checks the described symptoms, and applies
 * the described fix. The emulator supports only alarms on our own metrics and on direct function calls. It has no time limit for
 * executions, so the tests stop them instead.
 */
@ExtendWith(SharedCloud.class)
// after other tests, which count what this one deploys and moves
@Order(Integer.MAX_VALUE - 2)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Tag("nightly")
class RunbookEndToEndTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final List<String> TARGETS = List.of("clinic-2", "demo-1", "qa-1", "qa-demo-1");
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final String WATCH = Names.watchMachine();
    private static final Map<String, Operators> OPERATORS = new LinkedHashMap<>();

    @BeforeAll
    static void beginInStep() {
        for (String account : List.of("production", "demo")) OPERATORS.put(account, Operators.of(account, "operators-with-runbooks"));
        assertRepaired();
    }

    @AfterAll
    static void close() {
        OPERATORS.values().forEach(Operators::close);
    }

    // ---- the watch, and functions that answer by themselves

    @Test
    @Order(1)
    void aWatchThatCanNotReadTheSourceTellsWhyAndTheNextLookTriesAgain() {
        awaitFailedCalls(StateValue.OK, StateValue.INSUFFICIENT_DATA);
        whileDenied("production", Names.readerRole(), "s3:GetObject", () -> {
            var look = look("refused");
            assertEquals(ExecutionStatus.FAILED, look.status(), look::toString);
            assertTrue(look.error().endsWith("AccessRefused"), look::toString);
            // the emulator counts only calls through its API, so make the same call as the state machine
            var call = callWatch();
            assertNotNull(call.functionError());
            assertTrue(call.payload().asUtf8String().contains("AccessRefused"), call.payload()::asUtf8String);
            awaitFailedCalls(StateValue.ALARM);
            await("operators to be told", SOON, () -> OPERATORS.get("demo").received("ALARM", "Watch: calls failed"));
        });
        assertInStep(look("mended"));
        assertNull(callWatch().functionError());
    }

    @Test
    @Order(2)
    void aLookThatTakesTooLongEndsAndTheNextOneTriesAgain() throws Exception {
        try (var _ = locked("demo-1", "LOCK TABLE master.drug IN ACCESS EXCLUSIVE MODE");
                var sfn = CLOUD.root("demo").client(SfnClient.builder())) {
            sfn.startExecution(r -> r.stateMachineArn(machine("demo", WATCH)).name(Names.execution("master", "look-hangs"))
                    .input("{\"dataSet\":\"master\"}"));
            awaitWaiting("demo-1");
            stop("demo", WATCH, "look-hangs");
            assertTrue(lastScheduled("demo", WATCH, "look-hangs").contains("Watch"));
            endBlocking("demo-1");
        }
        assertInStep(look("after-one-that-hung"));
    }

    /** Runs a check of the watch with its state machine and waits for its end. */
    private static DescribeExecutionResponse look(String name) {
        try (var sfn = CLOUD.root("demo").client(SfnClient.builder())) {
            sfn.startExecution(r -> r.stateMachineArn(machine("demo", WATCH)).name(Names.execution("master", "look-" + name))
                    .input("{\"dataSet\":\"master\"}"));
            String execution = execution("demo", WATCH, "look-" + name);
            await("the end of look " + name, SOON,
                    () -> sfn.describeExecution(r -> r.executionArn(execution)).status() != ExecutionStatus.RUNNING);
            return sfn.describeExecution(r -> r.executionArn(execution));
        }
    }

    private static void assertInStep(DescribeExecutionResponse look) {
        assertEquals(ExecutionStatus.SUCCEEDED, look.status(), look::toString);
        var answer = JSON.readTree(look.output());
        assertEquals(1, answer.get("inStep").asInt(), look::toString);
        assertEquals(0, answer.get("told").size(), look::toString);
    }

    /** Calls the alias with the input from the state machine. */
    private static InvokeResponse callWatch() {
        try (var sfn = CLOUD.root("demo").client(SfnClient.builder()); var lambda = CLOUD.root("demo").client(LambdaClient.builder())) {
            var states = JSON.readTree(sfn.describeStateMachine(r -> r.stateMachineArn(machine("demo", WATCH))).definition()).get("States");
            var function = states.at("/Look/Resource").asString().split(":");
            return lambda.invoke(r -> r.functionName(function[6]).qualifier(function[7])
                    .payload(SdkBytes.fromUtf8String(states.at("/Prepare-master/Parameters").toString())));
        }
    }

    /**
     * Waits for the state of the alarm. Alarms are evaluated when something is measured, so each check triggers that. The emulator counts
     * the calls of all functions for each.
     */
    private static void awaitFailedCalls(StateValue... states) {
        var looks = new int[1];
        awaitEvery(Duration.ofSeconds(10), "failed calls of Watch: " + List.of(states),
                () -> List.of(states).contains(alarm("demo", "AWS/Lambda", "Errors", "Watch: calls failed").stateValue()),
                () -> look("for-the-alarm-" + Instant.now().toEpochMilli() + "-" + looks[0]++));
    }

    @Test
    @Order(9)
    void theAlarmOfFailedCallsClears() {
        assertNull(callWatch().functionError());
        awaitFailedCalls(StateValue.OK);
    }

    // ---- dumps and restores that take longer than they may

    @Test
    @Order(3)
    void aDumpThatTakesTooLongIsToldByNoMessageAndItsMapRunSaysWhereItHung() throws Exception {
        String before = CLOUD.master("demo-1");
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = price + 1 WHERE id = 12");
        try (var _ = locked("clinic-1", "REINDEX INDEX master.drug_pkey")) {
            assertEquals(0, CLOUD.lockstep("sync", "--id", "dump-hangs", "--no-wait").exit());
            // the map copies the tables
            await("a part that waits for the lock", SOON,
                    () -> !CLOUD
                            .value("clinic-1",
                                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'COPY%'")
                            .equals("0"));
            assertTrue(tablesThatAreRead("dump-hangs").contains("master.drug"));
            stop("production", Names.dumpMachine(), "dump-hangs");
            endBlocking("clinic-1");
        }
        assertEquals("behind", stateOf("demo-1"));
        assertEquals(before, CLOUD.master("demo-1"), "no target was touched");
        assertRepaired();
        assertFalse(OPERATORS.get("production").received("dump-hangs"));
    }

    /** Returns the tables whose parts the dump's distributed map has started but not finished. */
    private static List<String> tablesThatAreRead(String sync) {
        try (var sfn = CLOUD.root("production").client(SfnClient.builder())) {
            var run = sfn.listMapRuns(r -> r.executionArn(execution("production", Names.dumpMachine(), sync))).mapRuns().getFirst();
            return sfn.listExecutions(r -> r.mapRunArn(run.mapRunArn()).statusFilter(ExecutionStatus.RUNNING)).executions().stream()
                    .map(part -> JSON.readTree(sfn.describeExecution(r -> r.executionArn(part.executionArn())).input()))
                    .flatMap(part -> part.at("/batch/ranges").valueStream()).map(range -> range.get("table").asString()).toList();
        }
    }

    @Test
    @Order(4)
    void aRestoreThatTakesTooLongIsToldByNoMessageAndLeavesStagingTablesUntilTheNextSync() throws Exception {
        String before = CLOUD.master("demo-1");
        // more rows than the manifest itself contains, so that they are staged
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = price + 1 WHERE id <= 2000");
        try (var _ = locked("demo-1", "SELECT FROM master.drug WHERE id = 13 FOR UPDATE")) {
            assertEquals(0, CLOUD.lockstep("sync", "--id", "restore-hangs", "--no-wait").exit());
            awaitWaiting("demo-1");
            stop("demo", Names.restoreMachine(), "restore-hangs");
            assertTrue(lastScheduled("demo", Names.restoreMachine(), "restore-hangs").contains("RestoreShards"));
            assertNotEquals("0", stagingTables("demo-1"));
            assertEquals(before, CLOUD.master("demo-1"));
            assertEquals("behind", stateOf("demo-1"));
            endBlocking("demo-1");
        }
        assertRepaired();
        assertFalse(OPERATORS.get("demo").received("restore-hangs"));
    }

    private static String stagingTables(String shard) {
        return CLOUD.value(shard, "SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'");
    }

    // ---- dead-letter queues

    @Test
    @Order(5)
    void aNotificationThatCouldNotBeHandledIsMovedBackAndStartsItsRestore() {
        String before = CLOUD.master("demo-1");
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = price + 1 WHERE id = 14");
        try (var inbox = Inbox.of("demo", "StartRestore")) {
            int log = emulatorLog().length();
            inbox.whileTriesFollowInSeconds(() -> whileDenied("demo", inbox.role(), "states:StartExecution", () -> {
                assertEquals(0, CLOUD.lockstep("sync", "--id", "not-handled", "--no-wait").exit());
                await("the notification in the dead-letter queue", SOON,
                        () -> inbox.refused().stream().anyMatch(message -> message.contains("\"not-handled\"")));
            }));
            assertTrue(emulatorLog().substring(log).contains("could not start its restore"), "the log of StartRestore");
            assertEquals(before, CLOUD.master("demo-1"));
            assertEquals("behind", stateOf("demo-1"));
            inbox.moveBack();
            Ended sync = CLOUD.lockstep("sync", "--id", "not-handled", "--output", "json", "--timeout", "120");
            assertEquals(0, sync.exit(), sync::toString);
            assertEquals("in-step", stateOf("demo-1"));
            assertSameMasterRows();
            assertFalse(inbox.refused().stream().anyMatch(message -> message.contains("\"not-handled\"")));
        }
    }

    @Test
    @Order(6)
    void aChatThatRefusesIsToldAgainAtItsNewAddress() throws IOException {
        String text = "a trial of the runbook for a chat that refuses";
        var refused = new ConcurrentLinkedQueue<String>();
        var taken = new ConcurrentLinkedQueue<String>();
        var chat = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        chat.createContext("/", exchange -> {
            boolean takes = exchange.getRequestURI().getPath().equals("/new");
            String message = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            if (message.contains(text)) (takes ? taken : refused).add(message);
            exchange.sendResponseHeaders(takes ? 200 : 403, -1);
            exchange.close();
        });
        chat.start();
        String url = "http://127.0.0.1:" + chat.getAddress().getPort();
        try (var inbox = Inbox.of("demo", "Notify"); var secrets = CLOUD.root("demo").client(SecretsManagerClient.builder());
                var sns = CLOUD.root("demo").client(SnsClient.builder())) {
            String secret = secrets.listSecretsPaginator().stream().flatMap(page -> page.secretList().stream()).map(s -> s.name())
                    .filter(name -> name.contains("NotificationsWebhook")).findFirst().orElseThrow();
            String before = secrets.getSecretValue(r -> r.secretId(secret)).secretString();
            try {
                int log = emulatorLog().length();
                secrets.putSecretValue(r -> r.secretId(secret).secretString("{\"url\": \"" + url + "/old\"}"));
                inbox.whileTriesFollowInSeconds(() -> {
                    sns.publish(r -> r.topicArn(Operators.topic("demo")).subject("trial").message(text));
                    await("the message in the dead-letter queue", SOON,
                            () -> inbox.refused().stream().anyMatch(message -> message.contains(text)));
                });
                await("the last of five tries to be refused", SOON, () -> refused.size() >= 5);
                assertEquals(5, refused.size());
                assertTrue(emulatorLog().substring(log).contains("was not posted to the chat: HTTP status 403"), "the log of Notify");
                assertTrue(OPERATORS.get("demo").received(text), "so have others who are told by the topic");
                secrets.putSecretValue(r -> r.secretId(secret).secretString("{\"url\": \"" + url + "/new\"}"));
                inbox.moveBack();
                await("the chat to be told", SOON, () -> !taken.isEmpty());
                assertEquals(List.of(), inbox.refused());
            } finally {
                secrets.putSecretValue(r -> r.secretId(secret).secretString(before));
            }
        } finally {
            chat.stop(0);
        }
    }

    /** A queue that a function reads, and its dead-letter queue. */
    private record Inbox(SqsClient sqs, String queue, String deadLetters, String role) implements AutoCloseable {
        static Inbox of(String account, String function) {
            var sqs = CLOUD.root(account).client(SqsClient.builder());
            try (var lambda = CLOUD.root(account).client(LambdaClient.builder())) {
                var mapping = lambda.listEventSourceMappings().eventSourceMappings().stream()
                        .filter(m -> m.functionArn().contains(function)).findFirst().orElseThrow();
                String queue = url(sqs, mapping.eventSourceArn());
                String redrive = sqs.getQueueAttributes(r -> r.queueUrl(queue).attributeNames(QueueAttributeName.REDRIVE_POLICY))
                        .attributes().get(QueueAttributeName.REDRIVE_POLICY);
                String role = lambda.getFunctionConfiguration(r -> r.functionName(mapping.functionArn().split(":")[6])).role();
                return new Inbox(sqs, queue, url(sqs, JSON.readTree(redrive).get("deadLetterTargetArn").asString()),
                        role.substring(role.lastIndexOf('/') + 1));
            }
        }

        private static String url(SqsClient sqs, String arn) {
            return sqs.getQueueUrl(r -> r.queueName(arn.substring(arn.lastIndexOf(':') + 1))).queueUrl();
        }

        /** Shortens the visibility timeout during the work; nothing else is changed. */
        void whileTriesFollowInSeconds(Runnable work) {
            String before = sqs.getQueueAttributes(r -> r.queueUrl(queue).attributeNames(QueueAttributeName.VISIBILITY_TIMEOUT))
                    .attributes().get(QueueAttributeName.VISIBILITY_TIMEOUT);
            visibility("2");
            try {
                work.run();
            } finally {
                visibility(before);
            }
        }

        private void visibility(String seconds) {
            sqs.setQueueAttributes(r -> r.queueUrl(queue).attributes(Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, seconds)));
        }

        /** Returns the bodies of the messages in the dead-letter queue, which stay there. */
        List<String> refused() {
            return sqs.receiveMessage(r -> r.queueUrl(deadLetters).maxNumberOfMessages(10).visibilityTimeout(0)).messages().stream()
                    .map(m -> m.body()).toList();
        }

        /**
         * Does what {@code start-message-move-task} does, which the emulator does not support: it sends each message to the original queue
         * as a new one.
         */
        void moveBack() {
            while (true) {
                var messages = sqs.receiveMessage(r -> r.queueUrl(deadLetters).maxNumberOfMessages(10)).messages();
                if (messages.isEmpty()) return;
                messages.forEach(message -> {
                    sqs.sendMessage(r -> r.queueUrl(queue).messageBody(message.body()));
                    sqs.deleteMessage(r -> r.queueUrl(deadLetters).receiptHandle(message.receiptHandle()));
                });
            }
        }

        @Override
        public void close() {
            sqs.close();
        }
    }

    // ---- requests that fail

    /** CloudWatch would count the failures in the logs of the proxy and the shard, so the test checks the logs. */
    @Test
    @Order(7)
    void requestsThatFailAreInTheLogsWithTheirCauseAndSucceedWhenItIsMended() throws Exception {
        // an asset of an unknown release, so that each request queries the database
        String path = "/static/trial.0123456789abcdef.css";
        String url = CLOUD.firstHop("qa-demo-1");
        var began = Instant.now();
        int before = lines("shard-qa-demo-1-clinic", "answered", "\"status\":5").size(),
                faults = lines("shard-qa-demo-1-clinic", "SEVERE", "SQLTransientConnectionException").size();
        CLOUD.server("qa").stop();
        try (var people = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<Integer> request = () -> TestingLoad.once(url, path, CLOUD.endpoint(), null).status();
            for (var answer : people.invokeAll(Collections.nCopies(12, request)))
                assertTrue(answer.get() >= 500, "answered " + answer.get());
            await("more than ten in the first hop's log", SOON, () -> lines("qa-demo-proxy-nginx", path, "\"status\":5").size() > 10);
            await("more than ten in the shard's log", SOON,
                    () -> lines("shard-qa-demo-1-clinic", "answered", "\"status\":5").size() > before + 10);
            assertTrue(lines("shard-qa-demo-1-clinic", "SEVERE", "SQLTransientConnectionException").size() > faults, "the cause");
            Ended log = CLOUD.lockstep("log", "--output", "json");
            assertEquals(0, log.exit(), log::toString);
            assertEquals(List.of(),
                    log.json().get("entries").valueStream()
                            .filter(e -> e.get("account").asString().equals("qa") && Instant.parse(e.get("when").asString()).isAfter(began))
                            .toList(),
                    "nothing was deployed");
        } finally {
            CLOUD.server("qa").ensure();
        }
        await("requests to be answered", SOON, () -> TestingLoad.once(url, path, CLOUD.endpoint(), null).status() == 404);
        assertEquals(200, TestingLoad.once(url, CLOUD.endpoint(), null).status());
    }

    private static List<String> lines(String log, String... words) {
        try (var lines = Files.lines(CLOUD.files.log(log), StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> List.of(words).stream().allMatch(line::contains)).toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- releases

    /** The alarm has a threshold and a period of an hour; the test sets a threshold of 0 and a period of ten seconds in one account. */
    @Test
    @Order(8)
    void accountsThatRunDifferentReleasesAreToldAndOneIsRolledBack() {
        succeeds("deploy", "production", "demo");
        succeeds("release", "parity", "--for", "0");
        succeeds("deploy", "demo", "--release", "ahead");
        var alarm = releasesApart();
        put(alarm, 0, 10);
        try {
            Ended apart = CLOUD.lockstep("release", "parity", "--for", "0", "--output", "json");
            assertEquals(1, apart.exit(), apart::toString);
            assertEquals("ahead", apart.json().at("/inForce/demo").asString(), apart::toString);
            assertEquals(CLOUD.landscape.release(), apart.json().at("/inForce/production").asString(), apart::toString);
            assertEquals(StateValue.ALARM, releasesApart().stateValue());
            await("operators to be told", SOON,
                    () -> OPERATORS.get("demo").received("ALARM", "the accounts have not run the same release"));
            succeeds("release", "parity");
            var newest = succeeds("log", "--output", "json").json().get("entries").get(0);
            assertEquals(List.of("deploy", "demo", "ahead"),
                    List.of(newest.get("action").asString(), newest.get("account").asString(), newest.get("release").asString()),
                    newest::toString);

            succeeds("release", "rollback", "demo");
            awaitEvery(Duration.ofSeconds(5), "the alarm to clear", () -> releasesApart().stateValue() == StateValue.OK,
                    () -> succeeds("release", "parity", "--for", "0"));
        } finally {
            put(alarm, alarm.threshold(), alarm.period());
        }
        assertEquals(alarm.threshold(), releasesApart().threshold());
        assertTrue(CLOUD.lockstep("status", "--output", "json").json().get("sameRelease").asBoolean());
    }

    private static Ended succeeds(String... arguments) {
        Ended ended = CLOUD.lockstep(arguments);
        assertEquals(0, ended.exit(), () -> List.of(arguments) + " " + ended);
        return ended;
    }

    private static MetricAlarm releasesApart() {
        return alarm("demo", Names.deliveryMetrics(), Names.RELEASES_APART, "the same release");
    }

    private static MetricAlarm alarm(String account, String namespace, String metric, String description) {
        try (var cloudWatch = CLOUD.root(account).client(CloudWatchClient.builder())) {
            return cloudWatch.describeAlarmsForMetric(r -> r.namespace(namespace).metricName(metric)).metricAlarms().stream()
                    .filter(alarm -> alarm.alarmDescription().contains(description)).findFirst().orElseThrow();
        }
    }

    private static void put(MetricAlarm alarm, double threshold, int period) {
        try (var cloudWatch = CLOUD.root("demo").client(CloudWatchClient.builder())) {
            cloudWatch.putMetricAlarm(r -> r.alarmName(alarm.alarmName()).alarmDescription(alarm.alarmDescription())
                    .actionsEnabled(alarm.actionsEnabled()).alarmActions(alarm.alarmActions())
                    .namespace(alarm.namespace()).metricName(alarm.metricName()).statistic(alarm.statistic()).dimensions(alarm.dimensions())
                    .evaluationPeriods(alarm.evaluationPeriods())
                    .comparisonOperator(alarm.comparisonOperator()).treatMissingData(alarm.treatMissingData()).threshold(threshold)
                    .period(period));
        }
    }

    // ---- helpers

    /** Denies an action to a role during the work, regardless of its other policies. */
    private static void whileDenied(String account, String role, String action, Runnable work) {
        try (var iam = CLOUD.root(account).client(IamClient.builder())) {
            iam.putRolePolicy(r -> r.roleName(role).policyName("trial").policyDocument(
                    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"" + action + "\",\"Resource\":\"*\"}]}"));
            try {
                work.run();
            } finally {
                iam.deleteRolePolicy(r -> r.roleName(role).policyName("trial"));
            }
        }
    }

    /** Opens a transaction in the shard's database that holds a lock. */
    private static Connection locked(String shard, String lock) throws Exception {
        var forgotten = CLOUD.connect(shard);
        forgotten.setAutoCommit(false);
        try (var statement = forgotten.createStatement()) {
            statement.execute(lock);
        }
        return forgotten;
    }

    private static void awaitWaiting(String shard) {
        await("somebody in " + shard + " who waits for the lock", SOON,
                () -> !CLOUD
                        .value(shard,
                                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
                        .equals("0"));
    }

    /**
     * Terminates the blocking backends as the runbook describes, with the rights of the Aurora admin. A waiter may have given up and may
     * wait again shortly.
     */
    private static void endBlocking(String shard) {
        await("an end of what blocks in " + shard, SOON, () -> !CLOUD.value(shard,
                "SELECT count(pg_terminate_backend(holder)) FROM (SELECT DISTINCT unnest(pg_blocking_pids(pid)) AS holder FROM "
                        + "pg_stat_activity"
                        + " WHERE datname = current_database() AND wait_event_type = 'Lock') AS holders")
                .equals("0"));
    }

    private static String machine(String account, String name) {
        return Names.statesArn("eu-central-1", CLOUD.account(account).id(), "stateMachine", name);
    }

    private static String execution(String account, String machine, String name) {
        return Names.statesArn("eu-central-1", CLOUD.account(account).id(), "execution", machine + ":" + Names.execution("master", name));
    }

    /** Stops an execution like its time limit would: no further state is entered, so nobody is notified and nothing is cleaned up. */
    private static void stop(String account, String machine, String name) {
        try (var sfn = CLOUD.root(account).client(SfnClient.builder())) {
            String execution = execution(account, machine, name);
            sfn.stopExecution(r -> r.executionArn(execution).error("States.Timeout").cause("as the time limit of an execution ends it"));
            assertEquals(ExecutionStatus.ABORTED, sfn.describeExecution(r -> r.executionArn(execution)).status());
        }
    }

    /** Returns the resource of the last task in the history. */
    private static String lastScheduled(String account, String machine, String name) {
        try (var sfn = CLOUD.root(account).client(SfnClient.builder())) {
            return sfn.getExecutionHistory(r -> r.executionArn(execution(account, machine, name)).reverseOrder(true).maxResults(1000))
                    .events().stream()
                    .filter(event -> event.type() == HistoryEventType.TASK_SCHEDULED).findFirst().orElseThrow().taskScheduledEventDetails()
                    .resource();
        }
    }

    private static String stateOf(String shard) {
        var shards = succeeds("status", "--output", "json").json().get("shards");
        return shards.valueStream().filter(s -> s.get("shard").asString().equals(shard)).findFirst().orElseThrow().get("state").asString();
    }

    /** Returns the log of the emulator, which includes that of functions. */
    private static String emulatorLog() {
        try {
            return Files.readString(CLOUD.files.log("emulator"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Repeats an action with a pause until a condition holds. */
    private static void awaitEvery(Duration pause, String what, BooleanSupplier reached, Runnable again) {
        var next = new Instant[]{Instant.EPOCH};
        await(what, SOON, () -> {
            if (reached.getAsBoolean()) return true;
            if (Instant.now().isAfter(next[0])) {
                again.run();
                next[0] = Instant.now().plus(pause);
            }
            return false;
        });
    }

    /** Asserts that a new sync succeeds. */
    private static void assertRepaired() {
        Ended next = CLOUD.lockstep("sync", "--output", "json");
        assertEquals(0, next.exit(), next::toString);
        assertSameMasterRows();
        for (String shard : TARGETS) assertEquals("0", stagingTables(shard), shard);
    }

    private static void assertSameMasterRows() {
        String source = CLOUD.master("clinic-1");
        for (String shard : TARGETS) assertEquals(source, CLOUD.master(shard), shard);
    }
}
