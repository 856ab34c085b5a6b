package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.StreamSupport;
import lockstep.infra.Assembly.Resource;
import lockstep.landscape.DataSet;
import lockstep.landscape.Keep;
import lockstep.landscape.Table;
import lockstep.landscape.Triggers;
import org.junit.jupiter.api.Test;

class WorkflowTest {
    private static final Assembly CLINIC = Assembly.clinic();
    private static final Map<String, JsonNode> DUMP = states("production-master-data-source");
    private static final Map<String, JsonNode> RESTORE = states("qa-master-data-target");

    @Test
    void handlersAreToldWhatTriggersDo() {
        var tables = List.of(new Table("m.drug", List.of("id"), List.of("id"), Optional.empty()));
        assertEquals("DISABLE", Workflow.constant(new DataSet("master", "s", tables, Keep.DEFAULT, Triggers.DISABLE)).get("triggers"));
        assertFalse(Workflow.constant(new DataSet("master", "s", tables)).containsKey("triggers"), "what is usual is not said");
    }

    @Test
    void dumpGoesItsWay() {
        assertEquals("DataSet?", DUMP.get("Named").get("Next").asText());
        assertEquals("{\"dataSet.$\":\"States.ArrayGetItem(States.StringSplit($$.Execution.Name, '.'), 0)\","
                + "\"id.$\":\"States.ArrayGetItem(States.StringSplit($$.Execution.Name, '.'), 1)\",\"terms.$\":\"$\"}",
                DUMP.get("Named").get("Parameters").toString());
        assertEquals("Snapshot", DUMP.get("Prepare-master").get("Next").asText());
        assertEquals("$.id", DUMP.get("Prepare-master").at("/Parameters/sync/syncId.$").asText());
        assertEquals("DryRun?", DUMP.get("Snapshot").get("Next").asText());
        assertEquals("Assess", DUMP.get("DryRun?").get("Default").asText());
        assertEquals("Held?", DUMP.get("Assess").get("Next").asText());
        assertEquals("Admit", DUMP.get("Held?").get("Default").asText());
        assertEquals("PublishManifest", DUMP.get("Admit").get("Next").asText());
        assertEquals("Done", DUMP.get("DryRun?").at("/Choices/0/Next").asText());
        assertEquals("{\"Variable\":\"$.sync.terms.dryRun\",\"BooleanEquals\":true}",
                DUMP.get("DryRun?").at("/Choices/0/And/1").toString());
        assertEquals("$.terms", DUMP.get("Prepare-master").at("/Parameters/sync/terms.$").asText());
        assertEquals(List.of("HoldSnapshot", "AwaitSnapshot"), StreamSupport
                .stream(DUMP.get("Snapshot").get("Branches").spliterator(), false).map(b -> b.get("StartAt").asText()).toList());
        assertEquals("DumpParts", DUMP.get("AwaitSnapshot").get("Next").asText());
        assertEquals("SealManifest", DUMP.get("DumpParts").get("Next").asText());
        assertTrue(DUMP.get("SealManifest").get("End").asBoolean(), "which releases the snapshot itself");
        assertEquals("CollectParts", DUMP.get("PublishManifest").get("Next").asText());
        assertEquals("{\"days\":90,\"manifests\":30}", DUMP.get("Prepare-master").at("/Parameters/review/keep").toString());
        assertEquals("$.review.keep", DUMP.get("CollectParts").at("/Parameters/event/keep.$").asText());
        assertEquals("Done", DUMP.get("CollectParts").get("Next").asText());
        assertEquals(Set.of("bucket.$", "dataSet.$", "manifestKey.$", "snapshotTime.$", "syncId.$"),
                names(DUMP.get("PublishManifest").at("/Parameters/Message")));
    }

    @Test
    void whatIsAboveItsThresholdsIsToldAndWaitedFor() {
        assertEquals(
                "{\"master.disease\":{\"changed\":100,\"deleted\":50,\"emptied\":50,\"rows\":10},\"master.drug\":{\"changed\":100,"
                        + "\"deleted\":50,\"emptied\":50,\"rows\":10}}",
                DUMP.get("Prepare-master").at("/Parameters/review/hold").toString());
        assertEquals("$.review.hold", DUMP.get("Assess").at("/Parameters/event/hold.$").asText());
        assertEquals("NotifyHeld", DUMP.get("Held?").at("/Choices/0/Next").asText());
        assertEquals("$.assessment.held", DUMP.get("Held?").at("/Choices/0/Variable").asText());
        assertEquals("WaitForApproval", DUMP.get("NotifyHeld").get("Next").asText());
        var wait = DUMP.get("WaitForApproval");
        assertTrue(wait.get("Resource").asText().endsWith(":states:::lambda:invoke.waitForTaskToken"), wait::toString);
        assertEquals("$$.Task.Token", wait.at("/Parameters/Payload/event/token.$").asText());
        int longest = DUMP.get("Prepare-master").at("/Parameters/review/longest").asInt();
        assertEquals(3 * 24 * 3600, longest);
        assertEquals("$.review.longest", wait.get("TimeoutSecondsPath").asText());
        assertEquals("Admit", wait.get("Next").asText());
        // a sync that was rejected or timed out is not admitted
        for (var state : List.of("Assess", "NotifyHeld", "WaitForApproval", "Admit")) {
            assertEquals("NotifyFailure?", caught(DUMP, state));
        }
        var machine = definition(CLINIC.resources("production-master-data-source", "AWS::StepFunctions::StateMachine").getFirst());
        assertTrue(machine.get("TimeoutSeconds").asInt() >= longest + 7200,
                "the machine's own time includes it");
        assertEquals("PT72H", DUMP.get("Prepare-master").at("/Parameters/review/held").asText());
    }

    /** Otherwise the Parallel would wait forever for the other branch. */
    @Test
    void whateverFailsInABranchReleasesTheSnapshotFirst() {
        assertEquals("ReleaseAfterHoldFailure", caught(DUMP, "HoldSnapshot"));
        for (var state : List.of("AwaitSnapshot", "DumpParts", "SealManifest")) {
            assertEquals("ReleaseAfterPartsFailure", caught(DUMP, state));
        }
        for (var branch : List.of("Hold", "Parts")) {
            var release = DUMP.get("ReleaseAfter" + branch + "Failure");
            assertEquals("$.failure.Cause", release.at("/Parameters/event/reason.$").asText());
            assertEquals(branch + "Failed", release.get("Next").asText());
            assertEquals(branch + "Failed", caught(DUMP, "ReleaseAfter" + branch + "Failure"));
            assertEquals("$.failure.Cause", DUMP.get(branch + "Failed").get("CausePath").asText());
            assertEquals("$.failure.Error", DUMP.get(branch + "Failed").get("ErrorPath").asText());
        }
    }

    @Test
    void aFailedDumpIsTold() {
        assertEquals("NotifyFailure?", caught(DUMP, "Snapshot"));
        assertEquals("NotifyFailure?", caught(DUMP, "PublishManifest"));
        assertEquals("lockstep.*", DUMP.get("NotifyFailure?").at("/Choices/0/StringMatches").asText(), "our functions throw JSON");
        assertEquals("NotifyFailureOfFunction", DUMP.get("NotifyFailure?").at("/Choices/0/Next").asText());
        assertEquals("NotifyFailureOfService", DUMP.get("NotifyFailure?").get("Default").asText());
        for (var state : List.of("NotifyFailureOfFunction", "NotifyFailureOfService"))
            assertEquals("NotifyFailure", DUMP.get(state).get("Next").asText());
        assertEquals("DumpFailed", DUMP.get("NotifyFailure").get("Next").asText());
        assertEquals("DumpFailed", caught(DUMP, "NotifyFailure"));
        assertEquals("$.failure.Cause", DUMP.get("DumpFailed").get("CausePath").asText());
    }

    /** The sync has succeeded even if collecting old parts fails. */
    @Test
    void whatIsNotCollectedIsToldAndNoFailure() {
        assertEquals("NotifyNotCollected?", caught(DUMP, "CollectParts"));
        assertEquals("Done", DUMP.get("NotifyNotCollected").get("Next").asText());
        assertEquals("Done", caught(DUMP, "NotifyNotCollected"));
    }

    @Test
    void restoreGoesItsWay() {
        assertEquals("Shards", RESTORE.get("Prepare-master").get("Next").asText());
        assertEquals("RestoreShards", RESTORE.get("Shards").get("Next").asText());
        assertEquals(List.of("qa-1", "qa-demo-1"),
                StreamSupport.stream(RESTORE.get("Shards").at("/Parameters/shards").spliterator(), false)
                        .map(shard -> shard.get("name").asText()).toList());
        assertEquals("Selected?", RESTORE.get("RestoreShards").at("/ItemProcessor/StartAt").asText());
        assertEquals("Preflight", RESTORE.get("Selected?").at("/Choices/0/Next").asText());
        assertEquals("{\"Variable\":\"$.sync.dataSet.source\",\"StringEqualsPath\":\"$.shard.name\"}",
                RESTORE.get("Selected?").at("/Choices/0/And/0/Not").toString(), "never the source, even if it receives another data set");
        assertEquals(
                "[{\"Variable\":\"$.sync.terms.shard\",\"IsPresent\":false},{\"Variable\":\"$.sync.terms.shard\","
                        + "\"StringEqualsPath\":\"$.shard.name\"}]",
                RESTORE.get("Selected?").at("/Choices/0/And/1/Or").toString());
        assertEquals(Set.of("shard.$"), names(RESTORE.get(RESTORE.get("Selected?").get("Default").asText()).get("Parameters")),
                "an outcome without an error");
        assertEquals("StageParts", RESTORE.get("Preflight").get("Next").asText());
        assertEquals("Publish", RESTORE.get("StageParts").get("Next").asText());
        assertEquals("Record", RESTORE.get("RestoreShards").get("Next").asText());
        assertEquals("AllInStep?", RESTORE.get("Record").get("Next").asText());
        assertEquals("NotifyFailure", RESTORE.get("AllInStep?").at("/Choices/0/Next").asText());
        assertEquals("Done", RESTORE.get("AllInStep?").get("Default").asText());
        assertEquals("$.record.cause", RESTORE.get("RestoreFailed").get("CausePath").asText());
    }

    /** The outcomes of a thousand shards must fit into the data passed between states. */
    @Test
    void aShardsOutcomeIsShort() {
        assertEquals("{\"shard.$\":\"$.shard\",\"tables\":[]}", RESTORE.get("Publish").get("ResultSelector").toString());
        assertEquals(40, RESTORE.get("RestoreShards").get("MaxConcurrency").asInt());
    }

    /** Restores the account's shards, but never the source. */
    @Test
    void sourceShardIsNeverRestored() {
        var shards = states("production-master-data-target").get("Shards").at("/Parameters/shards");
        assertEquals("[clinic-2]",
                StreamSupport.stream(shards.spliterator(), false).map(shard -> shard.get("name").asText()).toList().toString());
    }

    @Test
    void aShardThatFailsIsAnOutcome() {
        Map.of("Preflight", "PreflightFailed", "StageParts", "StageFailed", "Publish", "PublishFailed").forEach((state, outcome) -> {
            assertEquals(outcome, caught(RESTORE, state));
            assertEquals(state, RESTORE.get(outcome).at("/Parameters/state").asText());
            assertEquals(Set.of("cause.$", "error.$", "shard.$", "state"), names(RESTORE.get(outcome).get("Parameters")));
            assertTrue(RESTORE.get(outcome).get("End").asBoolean());
        });
        for (var publishing : List.of("Publish", "PublishInTask")) {
            var next = new TreeMap<String, String>();
            RESTORE.get(publishing).get("Catch").forEach(
                    caught -> caught.get("ErrorEquals").forEach(error -> next.put(error.asText(), caught.get("Next").asText())));
            assertEquals("Preflight", next.get(Workflow.DRIFTED));
            assertEquals("StageFailed", next.get(Workflow.BATCH_FAILED));
            assertEquals("PublishFailed", next.get("States.ALL"));
        }
        assertEquals("Unexpected", caught(RESTORE, "RestoreShards"));
        assertEquals("Unexpected", caught(RESTORE, "Record"));
    }

    @Test
    void aBatchThatFailsIsAnOutcome() {
        assertEquals("BatchFailed", caught(DUMP, "DumpBatch"));
        assertEquals("BatchFailed", caught(RESTORE, "StageBatch"));
        for (var states : List.of(DUMP, RESTORE)) {
            assertEquals(Set.of("cause.$", "error.$"), names(states.get("BatchFailed").get("Parameters")));
        }
        for (var map : List.of(DUMP.get("DumpParts"), RESTORE.get("StageParts"))) {
            assertEquals("DISTRIBUTED", map.at("/ItemProcessor/ProcessorConfig/Mode").asText());
            assertEquals(4, map.get("MaxConcurrency").asInt());
        }
    }

    @Test
    void everyFunctionIsRetriedOnWhatMayPassAndEveryFailureIsCaught() {
        for (var states : List.of(DUMP, RESTORE)) {
            states.forEach((name, state) -> {
                if (state.get("Type").asText().equals("Task") && isOfFunction(state)) {
                    var errors = new TreeSet<String>();
                    state.get("Retry").forEach(retry -> retry.get("ErrorEquals").forEach(error -> errors.add(error.asText())));
                    var expected = new TreeSet<>(name.equals("HoldSnapshot")
                            ? List.of(Workflow.DATABASE_UNAVAILABLE) : Workflow.TRANSIENT);
                    expected.addAll(Workflow.NOT_READY);
                    expected.addAll(Workflow.THROTTLED);
                    if (name.equals("AwaitSnapshot")) expected.add(Workflow.SNAPSHOT_PENDING);
                    if (name.equals("Publish")) {
                        expected.add(Workflow.BUSY);
                    }
                    assertEquals(expected, errors, name);
                    assertFalse(caught(states, name).isEmpty());
                    assertTrue(state.has("TimeoutSeconds"), name);
                }
            });
        }
    }

    /** A step that is too long for a function is done by a task. What comes next is the same. */
    @Test
    void whatIsTooLongForAFunctionIsDoneInATask() {
        Map.of("HoldSnapshot", DUMP, "Preflight", RESTORE, "Publish", RESTORE).forEach((step, states) -> {
            var function = states.get(step);
            var task = states.get(step + "InTask");
            var tooLong = StreamSupport.stream(function.get("Catch").spliterator(), false)
                    .filter(caught -> caught.get("ErrorEquals").toString().equals("[\"" + Workflow.TOO_LONG + "\"]")).toList();
            assertEquals(step + "InTask", tooLong.getFirst().get("Next").asText());
            for (var field : List.of("Next", "End", "ResultPath", "ResultSelector"))
                assertEquals(function.get(field), task.get(field), step + ": " + field);
            assertEquals(caught(states, step), caught(states, step + "InTask"));
            assertEquals(300, task.get("HeartbeatSeconds").asInt());
            var errors = new TreeSet<String>();
            task.get("Retry").forEach(retry -> retry.get("ErrorEquals").forEach(error -> errors.add(error.asText())));
            assertTrue(errors.containsAll(Workflow.NO_TASK) && errors.contains(Workflow.DATABASE_UNAVAILABLE), errors::toString);
            var environment = task.at("/Parameters/Overrides/ContainerOverrides/0/Environment");
            var variables = new TreeMap<String, String>();
            environment
                    .forEach(variable -> variables.put(variable.get("Name").asText(), variable.has("Value") ? variable.get("Value").asText()
                            : variable.get("Value.$").asText()));
            var expected = new TreeMap<>(Map.of("STEP", step, "SYNC", "States.JsonToString($.task)", "TASK_TOKEN", "$$.Task.Token"));
            if (states == RESTORE) expected.put("SHARD", "States.JsonToString($.shard)");
            assertEquals(expected, variables);
        });
    }

    /** The task reads the data set's definition from its own deployment, and has all the time it needs. */
    @Test
    void aTaskIsGivenOnlyTheNameOfTheDataSet() {
        for (var states : List.of(DUMP, RESTORE)) {
            var prepared = states.get("Prepare-master").get("Parameters");
            var task = ((com.fasterxml.jackson.databind.node.ObjectNode) prepared.get("sync")).deepCopy();
            assertEquals(5, task.remove("functionMinutes").asInt());
            task.putObject("dataSet").put("name", "master");
            assertEquals(task, prepared.get("task"));
        }
    }

    private static boolean isOfFunction(JsonNode state) {
        return state.path("Resource").asText().matches("<(ReadSource|ManageManifests|RestoreShards)CurrentVersion\\w+>");
    }

    @Test
    void machinesInvokeTheirFunctionsAlone() {
        for (var stack : List.of("production-master-data-source", "demo-master-data-target")) {
            var machine = CLINIC.resources(stack, "AWS::StepFunctions::StateMachine").getFirst();
            var named = new TreeSet<String>();
            states(stack).values().forEach(state -> {
                if (isOfFunction(state)) named.add(state.get("Resource").asText().replaceAll("[<>]", ""));
                if (state.path("Resource").asText().endsWith("lambda:invoke.waitForTaskToken")) named.add(
                        state.at("/Parameters/FunctionName").asText().replaceAll("[<>]", ""));
            });
            var role = machine.property("RoleArn").at("/Fn::GetAtt/0").asText();
            var invoked = new TreeSet<String>();
            for (var policy : CLINIC.resources(stack, "AWS::IAM::Policy")) {
                if (policy.property("Roles").at("/0/Ref").asText().equals(role)) {
                    for (var statement : policy.property("PolicyDocument").get("Statement")) {
                        if (statement.get("Action").asText().equals("lambda:InvokeFunction")) {
                            statement.get("Resource").findValues("Ref").forEach(version -> invoked.add(version.asText()));
                        }
                    }
                }
            }
            assertEquals(named, invoked);
        }
    }

    @Test
    void machinesLogAreTracedAndEnd() {
        for (var machine : CLINIC.resources("AWS::StepFunctions::StateMachine")) {
            assertEquals("ALL", machine.property("LoggingConfiguration").get("Level").asText());
            assertTrue(machine.property("TracingConfiguration").get("Enabled").asBoolean());
            assertTrue(definition(machine).has("TimeoutSeconds"));
        }
        CLINIC.resources("AWS::Logs::LogGroup").stream().filter(
                group -> group.id().contains("DumpLogs") || group.id().contains("RestoreLogs") && !group.id().contains("StartRestore"))
                .forEach(group -> assertTrue(group.property("LogGroupName").asText().startsWith("/aws/vendedlogs/states/lockstep-"),
                        group::toString));
    }

    @Test
    void inboxKeepsWhatCannotBeHandled() {
        for (var account : List.of("production", "demo", "qa")) {
            var stack = account + "-master-data-target";
            var inbox = CLINIC.resource(stack, "AWS::SQS::Queue", "Inbox");
            assertEquals(3, inbox.property("RedrivePolicy").get("maxReceiveCount").asInt());
            assertEquals(CLINIC.resource(stack, "AWS::SQS::Queue", "Refused").id(),
                    inbox.property("RedrivePolicy").at("/deadLetterTargetArn/Fn::GetAtt/0").asText());
            var starter = CLINIC.resource(stack, "AWS::Lambda::Function", "StartRestore");
            assertEquals(2 * starter.property("Timeout").asInt(), inbox.property("VisibilityTimeout").asInt());
            var mapping = CLINIC.resources(stack, "AWS::Lambda::EventSourceMapping").getFirst();
            assertEquals(10, mapping.property("BatchSize").asInt());
            assertEquals("[\"ReportBatchItemFailures\"]", mapping.property("FunctionResponseTypes").toString());
            assertTrue(CLINIC.resources(stack, "AWS::SNS::Subscription").getFirst().property("RawMessageDelivery").asBoolean());
        }
    }

    @Test
    void everyAlarmIsTold() {
        // delivery 3 and in qa 2, source 6, targets 10, production's first hop 12, the demo's 8, shards 2
        assertEquals(2 * 3 + 2 + 6 + 3 * 10 + 2 * 12 + 2 * 8 + 5 * 2, CLINIC.resources("AWS::CloudWatch::Alarm").size());
        for (var alarm : CLINIC.resources("AWS::CloudWatch::Alarm")) {
            assertTrue(alarm.property("AlarmActions").toString().contains("Operations"), alarm::toString);
        }
    }

    /** The period is two intervals, because one may contain no data point. Before the first sync there is no data and no alarm. */
    @Test
    void eachDataSetHasTwoAlarmsInEachTarget() {
        for (var account : List.of("production", "demo", "qa")) {
            var alarms = new TreeMap<String, String>();
            for (var alarm : CLINIC.resources(account + "-master-data-target", "AWS::CloudWatch::Alarm").stream()
                    .filter(alarm -> alarm.property("Namespace").asText().equals("Lockstep/master")).toList()) {
                alarms.put(alarm.property("MetricName").asText(),
                        alarm.property("Threshold").asInt() + " " + alarm.property("TreatMissingData").asText());
                assertEquals("Maximum 1800", alarm.property("Statistic").asText() + " " + alarm.property("Period").asInt());
                assertTrue(alarm.property("Dimensions").isMissingNode(), alarm::toString);
            }
            assertEquals(Map.of("Freshness", "604800 missing", "OutOfStep", "0 notBreaching"), alarms);
        }
    }

    /** The schedule's role can start only this machine, and the machine can start only dumps. */
    @Test
    void syncsStartByThemselves() {
        var stack = "production-master-data-source";
        var machine = CLINIC.resources(stack, "AWS::StepFunctions::StateMachine").stream()
                .filter(m -> m.property("StateMachineName").asText().equals("lockstep-start")).findFirst().orElseThrow();
        var schedules = new TreeMap<String, String>();
        for (var rule : CLINIC.resources(stack, "AWS::Events::Rule")) {
            assertEquals(machine.id(), rule.property("Targets").at("/0/Arn/Ref").asText());
            schedules.put(rule.property("ScheduleExpression").asText(), rule.property("Targets").at("/0/Input").asText());
        }
        assertEquals(Map.of("cron(0 4 * * ? *)", "{\"byClock\":true,\"dataSet\":\"master\"}", "rate(5 minutes)",
                "{\"byClock\":false,\"dataSet\":\"master\"}"), schedules);
        var start = definition(machine).at("/States/Prepare-master/Parameters");
        assertEquals(Set.of("bucket", "byClock.$", "dataSet", "dumpMachineArn", "every"), names(start));
        assertEquals("PT5M", start.get("every").asText());
    }

    @Test
    void shardsAreWatchedBySchedule() {
        for (var account : List.of("production", "demo", "qa")) {
            var stack = account + "-master-data-target";
            var rule = CLINIC.resources(stack, "AWS::Events::Rule").getFirst();
            assertEquals("rate(15 minutes)", rule.property("ScheduleExpression").asText());
            var machine = CLINIC.resources(stack, "AWS::StepFunctions::StateMachine").getLast();
            assertEquals("lockstep-watch", machine.property("StateMachineName").asText());
            assertEquals(machine.id(), rule.property("Targets").at("/0/Arn/Ref").asText());
            var look = definition(machine).at("/States/Look");
            assertTrue(look.get("End").asBoolean());
            assertFalse(look.has("Parameters"), "its event is the whole input");
            var prepared = definition(machine).at("/States/Prepare-master/Parameters");
            assertEquals(Set.of("account", "behind", "checks", "dataSet", "every", "externalId", "operationsTopicArn", "readerRoleArn",
                    "reportsAtOnce", "restoreMachineArn", "rows", "shards", "signingKeyArn", "sourceBucket"), names(prepared));
            assertEquals("PT15M", prepared.at("/every").asText());
        }
        assertEquals("[\"qa-1\",\"qa-demo-1\"]",
                definition(CLINIC.resources("qa-master-data-target", "AWS::StepFunctions::StateMachine").getLast())
                        .at("/States/Prepare-master/Parameters/shards").toString());
    }

    /** Lambda may have to recreate network interfaces, which takes a minute or two, also for HoldSnapshot. */
    @Test
    void whoWaitsForAFunctionThatSleptWaitsLongEnough() {
        for (var states : List.of(DUMP, RESTORE)) {
            states.values().stream().filter(state -> isOfFunction(state)).forEach(state -> {
                var wait = 0.0;
                var retry = StreamSupport.stream(state.get("Retry").spliterator(), false)
                        .filter(r -> r.get("ErrorEquals").toString().contains("NotReady")).findFirst().orElseThrow();
                for (var attempt = 0; attempt < retry.get("MaxAttempts").asInt(); attempt++) {
                    wait += Math.min(retry.get("MaxDelaySeconds").asInt(),
                            retry.get("IntervalSeconds").asInt() * Math.pow(retry.get("BackoffRate").asDouble(), attempt));
                }
                assertTrue(wait > 300, state::toString);
                assertTrue(DUMP.get("AwaitSnapshot").get("TimeoutSeconds").asInt() > wait, "the holder may take as long");
            });
        }
    }

    /** Functions that read or write every row of a shard have the maximum timeout and a full CPU. */
    @Test
    void workersHaveAllThatAFunctionCan() {
        for (var function : CLINIC.resources("AWS::Lambda::Function")) {
            var options = function.property("Environment").at("/Variables/JAVA_TOOL_OPTIONS").asText();
            var worker = function.property("Handler").asText()
                    .matches(".*\\.(ReadSource|RestoreShards|ReportStatus|ImportTable)::handleRequest");
            assertEquals(worker ? 1769 : 512, function.property("MemorySize").asInt(), function::toString);
            assertTrue(options.endsWith(worker ? "TieredStopAtLevel=4" : "TieredStopAtLevel=1"), function::toString);
            assertTrue(!worker || function.property("Timeout").asInt() == 900, function::toString);
        }
    }

    private static String caught(Map<String, JsonNode> states, String name) {
        var catches = states.get(name).path("Catch");
        var last = catches.path(catches.size() - 1);
        assertEquals("[\"States.ALL\"]", last.path("ErrorEquals").toString(), name);
        return last.get("Next").asText();
    }

    private static Set<String> names(JsonNode object) {
        return object.properties().stream().map(Map.Entry::getKey).collect(TreeSet::new, TreeSet::add, TreeSet::addAll);
    }

    /** All states of the stack's machine by name, including those in branches and Maps. */
    private static Map<String, JsonNode> states(String stack) {
        var states = new TreeMap<String, JsonNode>();
        for (var group : definition(CLINIC.resources(stack, "AWS::StepFunctions::StateMachine").getFirst()).findValues("States")) {
            collect(group, states);
        }
        return states;
    }

    private static void collect(JsonNode group, Map<String, JsonNode> states) {
        for (var state : group.properties()) {
            states.put(state.getKey(), state.getValue());
            state.getValue().findValues("States").forEach(inner -> collect(inner, states));
        }
    }

    /** The definition of the stack's machine whose id contains the text. */
    static JsonNode machine(String stack, String id) {
        return definition(CLINIC.resource(stack, "AWS::StepFunctions::StateMachine", id));
    }

    /** The definition, with {@code <LogicalId>} in place of each reference. */
    static JsonNode definition(Resource machine) {
        var text = new StringBuilder();
        for (var piece : machine.property("DefinitionString").at("/Fn::Join/1")) {
            text.append(
                    piece.isTextual() ? piece.asText() : "<" + piece.path("Fn::GetAtt").path(0).asText(piece.path("Ref").asText()) + ">");
        }
        try {
            return Assembly.JSON.readTree(text.toString());
        } catch (JsonProcessingException e) {
            throw new AssertionError(text.toString(), e);
        }
    }
}
