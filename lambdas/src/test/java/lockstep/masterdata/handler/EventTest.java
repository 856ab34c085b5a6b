package lockstep.masterdata.handler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import lockstep.landscape.Hold;
import lockstep.landscape.Keep;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.FunctionTime;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.restore.ShardReport.Rows;
import lockstep.masterdata.watch.Standing;
import lockstep.masterdata.watch.Watcher;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

/** Tests the events that the state machines and the command line send. */
class EventTest {
    private static final String DATA_SET = """
            {"name":"master","source":"clinic-1","tables":[{"name":"m.drug","columns":["id"],"key":["id"]}]}""";

    private static SourceSync source(String input) {
        return Json.MAPPER.readValue("""
                {"syncId":"one","dataSet":%s,"bucket":"b","secretArn":"s","signingKeyArn":"k","release":"1","terms":%s}"""
                .formatted(DATA_SET, input), SourceSync.class);
    }

    private static TargetSync target(String input) {
        return Json.MAPPER.readValue(
                """
                {"syncId":"one","bucket":"b","manifestKey":"m","account":"demo","dataSet":%s,"readerRoleArn":"r","externalId":"e",\
                "signingKeyArn":"k","sourceBucket":"b","terms":%s}"""
                        .formatted(DATA_SET, input),
                TargetSync.class);
    }

    @Test
    void aDumpIsPublishedUnlessItIsADryRun() {
        assertFalse(source("{}").terms().isDryRun());
        assertTrue(source("{\"dryRun\":true}").terms().isDryRun());
        assertFalse(source("{\"dryRun\":true}").terms().readsEveryRow());
        assertTrue(source("{\"rows\":true}").terms().readsEveryRow());
        assertEquals(Keep.DEFAULT, source("{}").dataSet().keep(), "the definition's constant has no such field");
    }

    @Test
    void aNotificationHasNoTermsAndWhoStartsARestoreMay() {
        var notified = target(
                "{\"dataSet\":\"master\",\"syncId\":\"one\",\"bucket\":\"b\",\"manifestKey\":\"m\","
                        + "\"snapshotTime\":\"2026-01-01T00:00:00Z\"}")
                .terms();
        assertEquals(Optional.empty(), notified.mode());
        assertFalse(notified.isDryRun());
        var asked = target("{\"dataSet\":\"master\",\"mode\":\"ROLLBACK\",\"shard\":\"demo-1\",\"dryRun\":true}").terms();
        assertEquals(Optional.of(Mode.ROLLBACK), asked.mode());
        assertTrue(asked.isDryRun());
    }

    @Test
    void aRestoreThatMeantNoShardHasFailed() {
        String event = """
                {"sync":%s,"shards":[{"name":"demo-1","secretArn":"s"}],"outcomes":[%%s]}"""
                .formatted(Json.MAPPER.writeValueAsString(target("{}")));
        var none = new Record().handle(Json.MAPPER.readValue(event.formatted("{\"shard\":\"demo-1\"}"), Record.Event.class), Instant.now());
        assertEquals(1, none.failed());
        assertTrue(none.cause().contains("demo-1"), none.cause());
        assertEquals(0,
                new Record().handle(Json.MAPPER.readValue(
                        event.formatted("{\"shard\":\"demo-1\",\"tables\":[{\"name\":\"m.drug\",\"rows\":1}],\"millis\":3}"),
                        Record.Event.class), Instant.now()).failed());
    }

    @Test
    void theCollectorIsToldWhatToKeep() {
        var event = Json.MAPPER.readValue("""
                {"sync":%s,"keep":{"days":90,"manifests":30}}""".formatted(Json.MAPPER.writeValueAsString(source("{}"))),
                CollectParts.Event.class);
        assertEquals(new Keep(30, 90), event.keep());
    }

    @Test
    void theWatchIsToldAllByItsDefinition() {
        var event = Json.MAPPER.readValue(
                """
                {"account":"demo","checks":[{"expected":"0","name":"none","sql":"SELECT \
                0"}],"dataSet":%s,"every":"PT15M","behind":"PT1H","externalId":"e","operationsTopicArn":"o","readerRoleArn":"r",
                "restoreMachineArn":"m","reportsAtOnce":8,"shards":["demo-1"],"signingKeyArn":"k","sourceBucket":"b"}"""
                        .formatted(DATA_SET),
                Watch.Event.class);
        assertEquals(Duration.ofMinutes(15), event.every());
        // the requests to the shards' functions
        var asked = asked(new ReportStatus.Event("demo-1", event.dataSet(), new ReportStatus.Checks(event.checks())));
        assertEquals(event.dataSet(), asked.dataSet());
        assertEquals(new ReportStatus.Checks(event.checks()), asked.request());
    }

    @Test
    void theWatchTellsWhatIsNotInStep() {
        var good = new Standing(Optional.of(Duration.ofMinutes(2)), Optional.of(Duration.ZERO), Optional.of(List.of()), Optional.empty());
        var bad = new Standing(Optional.of(Duration.ofMinutes(2)), Optional.of(Duration.ZERO), Optional.of(List.of("m.drug")),
                Optional.of(new Standing.Remedy(Mode.REPAIR, "one")));
        var answer = Json.MAPPER.readTree(Json.MAPPER.writeValueAsString(Watch.Answer.of(List.of(
                new Watcher.Seen("a", true, Optional.of(good), Optional.empty(), List.of(), Optional.empty()),
                new Watcher.Seen("b", true, Optional.of(bad), Optional.of("drift-one"), List.of(), Optional.empty())))));
        assertEquals("2 1", answer.get("shards").asInt() + " " + answer.get("inStep").asInt());
        assertEquals("b", answer.at("/told/0/shard").asString());
        assertEquals("PT2M", answer.at("/told/0/standing/age").asString());
    }

    @Test
    void whoStartsSyncsIsToldByTheDefinitionAndTheSchedule() {
        var event = Json.MAPPER.readValue(
                "{\"bucket\":\"b\",\"byClock\":true,\"dataSet\":%s,\"dumpMachineArn\":\"m\",\"every\":\"PT5M\"}".formatted(DATA_SET),
                StartSync.Event.class);
        assertTrue(event.byClock());
        assertEquals(new ReportStatus.Activity(),
                asked(new ReportStatus.Event("demo-1", event.dataSet(), new ReportStatus.Activity())).request());
    }

    @Test
    void aCauseThatShardsShareIsReportedOnceWithTheirNames() {
        var outcomes = java.util.stream.Stream.of("demo-1 5433 frozen", "qa-1 5434 frozen", "qa-2 5435 thawed").map(text -> text.split(" "))
                .map(o -> new Record.Outcome(o[0], Optional.of("Publish"),
                        Optional.of("lockstep.masterdata.engine.Fault$MergeConflict"),
                        Optional.of("{\"errorMessage\":\"database localhost:" + o[1] + "/clinic: " + o[2] + "\"}"), Optional.empty()))
                .toList();
        assertEquals(List.of("demo-1, qa-1 failed in Publish with MergeConflict: the database: frozen",
                "qa-2 failed in Publish with MergeConflict: database localhost:5435/clinic: thawed"), Record.failures(outcomes));
    }

    @Test
    void whoAssessesIsToldTheThresholds() {
        var event = Json.MAPPER.readValue("""
                {"sync":%s,"hold":{"m.drug":{"changed":30,"deleted":5,"emptied":20,"rows":3,"keys":"[0-9]+"}}}"""
                .formatted(Json.MAPPER.writeValueAsString(source("{}"))), Assess.Event.class);
        assertEquals(Map.of("m.drug", new Hold(30, 5, 20, 3, Optional.of("[0-9]+"))), event.hold());
        assertEquals(Optional.empty(), event.token());
    }

    @Test
    void eachRequestForAReportArrivesAsItWasSent() {
        var dataSet = Json.MAPPER.readValue(DATA_SET, lockstep.landscape.DataSet.class);
        for (var request : List.of(new ReportStatus.Report(Rows.DOUBTFUL), new ReportStatus.Progress(), new ReportStatus.Sums(),
                new ReportStatus.Schema(true, "writer"))) {
            assertEquals(new ReportStatus.Event("demo-1", dataSet, request), asked(new ReportStatus.Event("demo-1", dataSet, request)));
        }
    }

    @Test
    void aStepIsHandledByItsClass() {
        var error = assertThrows(Fault.InvalidRequest.class, () -> new RestoreShards().handleRequest(
                new ByteArrayInputStream("{\"step\":\"SealManifest\",\"event\":{}}".getBytes(UTF_8)), new ByteArrayOutputStream(), null));
        assertEquals("RestoreShards has no step 'SealManifest'", error.getMessage());
    }

    private static ReportStatus.Event asked(ReportStatus.Event event) {
        return Json.MAPPER.readValue(Json.MAPPER.writeValueAsString(event), ReportStatus.Event.class);
    }

    /** ECS takes 8 KiB of environment, so the event has only the data set's name. */
    @Test
    void aTaskPutsItsEventTogether() throws IOException {
        var zipped = new ByteArrayOutputStream();
        try (var zip = new GZIPOutputStream(zipped)) {
            zip.write(("{\"master\":" + DATA_SET + "}").getBytes(UTF_8));
        }
        var sync = (ObjectNode) Json.MAPPER.readTree(Json.MAPPER.writeValueAsString(target("{\"dryRun\":true}")));
        sync.putObject("dataSet").put("name", "master");
        var environment = new TreeMap<>(Map.of("STEP", "Publish", "SYNC", sync.toString(), "SHARD", """
                {"name":"demo-1","secretArn":"s"}""", "DATA_SETS", Base64.getEncoder().encodeToString(zipped.toByteArray())));
        var call = EngineTask.call(environment);
        assertEquals("Publish", call.step());
        var event = Json.MAPPER.treeToValue(call.event(), Publish.Event.class);
        assertEquals(target("{\"dryRun\":true}"), event.sync());
        assertEquals(FunctionTime.UNLIMITED, event.sync().functionTime());
        assertEquals(new TargetSync.TargetShard("demo-1", "s"), event.shard());
        assertEquals(target("{}"), Json.MAPPER.treeToValue(EngineTask.call(with(environment, "SYNC", sync.deepCopy()
                .set("terms", Json.MAPPER.createObjectNode()).toString())).event(), Preflight.Event.class).sync());

        var unknown = assertThrows(Fault.InvalidRequest.class,
                () -> EngineTask.call(with(environment, "SYNC", "{\"dataSet\":{\"name\":\"prices\"}}")));
        assertEquals("this task was deployed without data set 'prices'", unknown.getMessage());
        assertThrows(Fault.InvalidRequest.class, () -> EngineTask.call(with(environment, "SYNC", "{")));
    }

    private static Map<String, String> with(Map<String, String> environment, String name, String value) {
        var changed = new TreeMap<>(environment);
        changed.put(name, value);
        return changed;
    }
}
