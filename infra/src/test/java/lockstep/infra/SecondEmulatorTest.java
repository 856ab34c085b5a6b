package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import lockstep.poll.Poll;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Validates the synthesized state machines and runs them, with mocked tasks, in an emulator that stops the branches of a failed Parallel
 * and observes timeouts; the emulator of the local cloud does neither. A task that hangs is an activity that nobody works for.
 */
@Tag("nightly")
class SecondEmulatorTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String NAME = "master.20260301T120000Z-0001";
    @TempDir private static Path directory;
    private static LocalEmu emulator;

    @BeforeAll
    static void start() throws IOException {
        assumeTrue(Files.exists(LocalEmu.PYTHON), "localemu is not installed: ./lockstep test --all installs it if there is a Python 3.13");
        emulator = new LocalEmu(directory);
        emulator.put("parts", "syncs/master/20260301T120000Z-0001/batches.json", "[{\"part\": 1}, {\"part\": 2}]");
    }

    @AfterAll
    static void stop() {
        if (emulator != null) emulator.close();
    }

    @Test
    void everyStateMachineIsValid() {
        StateMachines.definitions().forEach((name, definition) -> assertEquals("OK", validated(definition), name));
        var wrong = dump();
        state(wrong, "CollectParts").remove("Resource");
        assertEquals("FAIL", validated(wrong));
    }

    @Test
    void aDumpIsPublished() {
        var run = new Run("published", dump(), "{}");
        assertEquals("SUCCEEDED", run.ended().get("status").asText());
        assertTrue(run.entered().containsAll(List.of("DumpParts", "SealManifest", "Admit", "PublishManifest", "CollectParts", "Done")));
    }

    @Test
    void aLongSnapshotIsHeldByATask() {
        var run = new Run("tooLong", dump(), "{}");
        assertEquals("SUCCEEDED", run.ended().get("status").asText());
        assertTrue(run.entered().contains("HoldSnapshotInTask"));
    }

    /** The holder's branch hangs for longer than this test waits. */
    @Test
    void aFailedBranchEndsTheOther() {
        var run = new Run("partsFail", hanging(dump(), "HoldSnapshot"), "{}");
        assertEquals("lockstep.masterdata.engine.Fault$ManifestRefused", run.ended().get("error").asText());
        assertTrue(run.entered().containsAll(List.of("ReleaseAfterPartsFailure", "NotifyFailureOfFunction", "NotifyFailure")));
    }

    @Test
    void aHolderThatTimesOutEndsTheOtherBranch() {
        var definition = named(hanging(hanging(dump(), "HoldSnapshot"), "AwaitSnapshot"), "HoldFailed");
        state(definition, "HoldSnapshot").put("TimeoutSeconds", 2);
        var run = new Run("holdTimesOut", definition, "{}");
        assertEquals("HoldFailed", run.ended().get("error").asText());
        assertTrue(run.entered().containsAll(List.of("ReleaseAfterHoldFailure", "NotifyFailureOfService", "NotifyFailure")));
        assertFalse(run.entered().contains("DumpParts"));
    }

    @Test
    void whatNobodyApprovesIsNotAdmitted() {
        var definition = named(hanging(dump(), "WaitForApproval"), "DumpFailed");
        ((ObjectNode) state(definition, "Prepare-master").at("/Parameters/review")).put("longest", 2);
        var run = new Run("nobodyApproves", definition, "{}");
        assertEquals("DumpFailed", run.ended().get("error").asText());
        assertTrue(run.entered().containsAll(List.of("WaitForApproval", "NotifyFailure")));
        assertFalse(run.entered().contains("Admit"));
    }

    @Test
    void theMachinesOwnTimeoutEndsIt() {
        var run = new Run("timesOut", hanging(dump(), "HoldSnapshot").put("TimeoutSeconds", 3), "{}");
        assertEquals("TIMED_OUT", run.ended().get("status").asText());
        assertFalse(run.entered().contains("PublishManifest"));
    }

    @Test
    void anAbortedDumpDoesNothingElse() {
        var definition = dump();
        // localemu does not interrupt an activity
        state(definition, "WaitForApproval").removeAll().put("Type", "Wait").put("Seconds", 600).put("Next", "Admit");
        var run = new Run("aborted", definition, "{}");
        await(() -> run.entered().contains("WaitForApproval"));
        run.call("StopExecution");
        assertEquals("ABORTED", run.ended().get("status").asText());
        assertEquals("WaitForApproval", run.entered().getLast());
    }

    @Test
    void aRestoreBringsAllShardsInStep() {
        assertEquals("SUCCEEDED", new Run("inStep", restore(), RESTORE).ended().get("status").asText());
    }

    @Test
    void aShardThatFailsDoesNotStopTheOther() {
        var run = new Run("oneFails", restore(), RESTORE);
        assertEquals("1 of 2 shards failed", run.ended().get("cause").asText());
        assertTrue(run.entered().containsAll(List.of("PreflightFailed", "Publish", "Record", "NotifyFailure")));
    }

    private static final String RESTORE = """
            {"dataSet": "master", "syncId": "20260301T120000Z-0001", "bucket": "parts", "manifestKey": "1.json"}""";

    private static ObjectNode dump() {
        var definition = StateMachines.definition("production-master-data-source", "Dump");
        ((ObjectNode) state(definition, "Prepare-master").at("/Parameters/sync")).put("bucket", "parts");
        return definition;
    }

    private static ObjectNode restore() {
        return StateMachines.definition("qa-master-data-target", "Restore");
    }

    private static ObjectNode state(ObjectNode definition, String name) {
        return (ObjectNode) definition.findValue(name);
    }

    private static ObjectNode hanging(ObjectNode definition, String state) {
        state(definition, state).put("Resource", emulator.call("CreateActivity", object("name", "nobody")).get("activityArn").asText())
                .remove("Parameters");
        return definition;
    }

    /** Gives a Fail state an error of its own, because localemu ends an execution at one that passes on an error of Step Functions. */
    private static ObjectNode named(ObjectNode definition, String fail) {
        state(definition, fail).put("Error", fail).remove("ErrorPath");
        return definition;
    }

    private static String validated(ObjectNode definition) {
        return emulator.call("ValidateStateMachineDefinition", object("definition", definition.toString())).get("result").asText();
    }

    private static ObjectNode object(String name, String value) {
        return Assembly.JSON.createObjectNode().put(name, value);
    }

    private static void await(BooleanSupplier condition) {
        assertTrue(Poll.within(PATIENCE, condition), "waited for " + PATIENCE);
    }

    /** An execution with the mocks of a case. */
    private static final class Run {
        private final String arn;

        Run(String mocks, ObjectNode definition, String input) {
            var machine = emulator.call("CreateStateMachine", object("name", mocks).put("definition", definition.toString())
                    .put("roleArn", "arn:aws:iam::111111111111:role/any")).get("stateMachineArn").asText();
            arn = emulator.call("StartExecution", object("stateMachineArn", machine + "#mocks").put("name", NAME).put("input", input))
                    .get("executionArn").asText();
        }

        JsonNode call(String operation) {
            return emulator.call(operation, object("executionArn", arn));
        }

        JsonNode ended() {
            await(() -> !call("DescribeExecution").get("status").asText().equals("RUNNING"));
            return call("DescribeExecution");
        }

        List<String> entered() {
            return emulator.call("GetExecutionHistory", object("executionArn", arn).put("maxResults", 1000)).get("events")
                    .findValues("stateEnteredEventDetails").stream().map(details -> details.get("name").asText()).toList();
        }
    }
}
