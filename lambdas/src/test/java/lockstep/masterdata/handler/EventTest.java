package lockstep.masterdata.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Optional;
import lockstep.landscape.Keep;
import lockstep.masterdata.engine.Json;
import lockstep.masterdata.engine.Preflight.Mode;
import org.junit.jupiter.api.Test;

/** Events as the state machines and the command line write them. */
class EventTest {
    private static final String DATA_SET = """
            {"name":"master","source":"clinic-1","tables":[{"name":"m.drug","columns":["id"],"key":["id"]}]}""";

    private static SourceSync source(String input) {
        return Json.MAPPER.readValue("""
                {"syncId":"one","dataSet":%s,"bucket":"b","secretArn":"s","signingKeyArn":"k","release":"1","terms":%s}""".formatted(DATA_SET, input), SourceSync.class);
    }

    private static TargetSync target(String input) {
        return Json.MAPPER.readValue("""
                {"syncId":"one","bucket":"b","manifestKey":"m","account":"demo","dataSet":%s,"readerRoleArn":"r","externalId":"e","signingKeyArn":"k","sourceBucket":"b","terms":%s}"""
                .formatted(DATA_SET, input), TargetSync.class);
    }

    @Test
    void aDumpIsPublishedUnlessItIsADryRun() {
        assertFalse(source("{}").terms().isDryRun());
        assertTrue(source("{\"dryRun\":true}").terms().isDryRun());
        assertEquals(Keep.DEFAULT, source("{}").dataSet().keep(), "the definition's constant has no such field");
    }

    @Test
    void aNotificationHasNoTermsAndWhoStartsARestoreMay() {
        var notified = target("{\"dataSet\":\"master\",\"syncId\":\"one\",\"bucket\":\"b\",\"manifestKey\":\"m\",\"snapshotTime\":\"2026-01-01T00:00:00Z\"}").terms();
        assertEquals(Optional.empty(), notified.mode());
        assertFalse(notified.isDryRun());
        var asked = target("{\"dataSet\":\"master\",\"mode\":\"ROLLBACK\",\"shard\":\"demo-1\",\"dryRun\":true}").terms();
        assertEquals(Optional.of(Mode.ROLLBACK), asked.mode());
        assertTrue(asked.isDryRun());
    }

    @Test
    void aRestoreThatMeantNoShardHasFailed() {
        String event = """
                {"sync":%s,"shards":[{"name":"demo-1","secretArn":"s"}],"outcomes":[%%s]}""".formatted(Json.MAPPER.writeValueAsString(target("{}")));
        var none = new Record().handle(Json.MAPPER.readValue(event.formatted("{\"shard\":\"demo-1\"}"), Record.Event.class), Instant.now());
        assertEquals(1, none.failed());
        assertTrue(none.cause().contains("demo-1"), none.cause());
        assertEquals(0, new Record().handle(Json.MAPPER.readValue(event.formatted("{\"shard\":\"demo-1\",\"tables\":[{\"name\":\"m.drug\",\"rows\":1}],\"millis\":3}"), Record.Event.class), Instant.now()).failed());
    }

    @Test
    void theCollectorIsToldWhatToKeep() {
        var event = Json.MAPPER.readValue("""
                {"sync":%s,"keep":{"days":90,"manifests":30}}""".formatted(Json.MAPPER.writeValueAsString(source("{}"))), CollectParts.Event.class);
        assertEquals(new Keep(30, 90), event.keep());
    }

    @Test
    void statusIsAskedForWithAndWithoutTheCheckBySql() {
        assertEquals(Optional.empty(), Json.MAPPER.readValue("{\"dataSet\":%s,\"progressOnly\":false}".formatted(DATA_SET), ReportStatus.Event.class).sqlCheck());
        assertEquals(Optional.of(true), Json.MAPPER.readValue("{\"dataSet\":%s,\"progressOnly\":false,\"sqlCheck\":true}".formatted(DATA_SET), ReportStatus.Event.class).sqlCheck());
    }
}
