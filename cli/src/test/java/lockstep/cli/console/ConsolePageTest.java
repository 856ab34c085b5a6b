package lockstep.cli.console;

import static lockstep.cli.console.TestingOverview.failed;
import static lockstep.cli.console.TestingOverview.held;
import static lockstep.cli.console.TestingOverview.overview;
import static lockstep.cli.console.TestingOverview.running;
import static lockstep.cli.console.TestingOverview.verified;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import lockstep.cli.console.Overview.Syncs;
import org.junit.jupiter.api.Test;

/** Tests the page with handwritten records. */
class ConsolePageTest {
    @Test
    void tellsWhatBecameOfEachShard() {
        String page = ConsolePage.report(overview(verified("20260301T115500Z-0001", 300)));
        assertTrue(page.contains("Data set master"), page);
        assertTrue(page.contains("5 min ago"), page);
        assertTrue(page.contains("demo-1"), page);
        assertTrue(page.contains("master.drug"), "which table changed");
        assertTrue(page.contains("1,234"), "how many rows were updated");
        assertTrue(page.contains("preflight 0.5 s, staging 1.0 s, publish 0.5 s"), "time per state");
        assertTrue(page.contains("lockstep rollback --to 20260301T115500Z-0001"), "how to go back");
    }

    @Test
    void tellsWhyAShardFailed() {
        String page = ConsolePage.report(overview(failed("20260301T115500Z-0002")));
        assertTrue(page.contains("failed in Publish with MergeConflict"), page);
        assertTrue(page.contains("trigger &lt;b&gt;refused&lt;/b&gt; it"), "the cause, as text and not as a part of the page");
        assertTrue(page.contains("connection refused"), "why a shard can't be asked");
    }

    @Test
    void tellsHowToAnswerASyncThatIsHeld() {
        String page = ConsolePage.fragment(overview(held("20260301T115830Z-0004")));
        assertTrue(page.contains("A sync is held until somebody approves or rejects it"), page);
        assertTrue(page.contains("master.drug had 30000 rows and would have none"), page);
        for (String command : List.of("approve 20260301T115830Z-0004 --dry-run", "approve 20260301T115830Z-0004",
                "reject 20260301T115830Z-0004"))
            assertTrue(page.contains("<code>lockstep " + command + "</code>"), command);
        assertFalse(page.contains("data-running=\"yes\""), "it may wait for days");
    }

    @Test
    void looksAgainSoonWhileASyncRuns() {
        assertTrue(ConsolePage.fragment(overview(running("20260301T115955Z-0003"))).contains("data-running=\"yes\""));
        assertFalse(ConsolePage.fragment(overview(verified("20260301T115500Z-0001", 300))).contains("data-running=\"yes\""));
    }

    @Test
    void reportStandsAlone() {
        String report = ConsolePage.report(overview(verified("20260301T115500Z-0001", 300)));
        assertFalse(report.contains("<script"), "nobody answers a report");
        assertFalse(report.contains("href=\"http") || report.contains("src="), "it loads nothing");
        assertTrue(ConsolePage.live(overview()).contains("<script"));
    }

    @Test
    void drawsHistoryByDuration() {
        var history = Plot.history(List.of(verified("c", 0), failed("b"), verified("a", 1000), running("d")));
        assertEquals(List.of("a", "b", "c"), history.columns().stream().map(c -> c.run().id()).toList(),
                "what runs has no end to be drawn");
        assertEquals(List.of("sync", "failed", "sync"), history.columns().stream().map(c -> Plot.looks(c.run())).toList());
        assertEquals(List.of("", "2 s", "4 s", "6 s", "8 s"), history.lines().stream().map(Plot.Line::label).toList());
        assertEquals(history.lines().getLast().y(), history.columns().getFirst().y(), "8 s reach the line of 8 s");
    }

    @Test
    void drawsBarsToOneScale() {
        var state = verified("a", 0).state();
        double scale = Plot.scale(state);
        assertEquals(4.0, scale);
        assertEquals(List.of("100.00%"), Plot.bar(state.dump(), scale).segments().stream().map(Plot.Segment::width).toList());
        var shard = Plot.bar(state.shards().getFirst(), scale).segments();
        assertEquals(List.of("12.50%", "25.00%", "12.50%"), shard.stream().map(Plot.Segment::width).toList());
        assertEquals(List.of("0.00%", "12.50%", "37.50%"), shard.stream().map(Plot.Segment::x).toList());
        assertEquals(0, Plot.scale(running("d").state()), "nothing is known yet");
    }

    @Test
    void whatShardsHeldBeforeARunIsNotToldAsIfItWereNow() {
        assertEquals("qa-1 can't be reached, qa-demo-1 is behind", Words.headline(overview(verified("a", 300)).dataSets().getFirst()));
        assertEquals("Reading the shards", Words.headline(overview(verified("a", 10)).dataSets().getFirst()),
                "who were asked before it ended");
        assertEquals("A sync is running: 0 of 3 shards verified", Words.headline(overview(running("a")).dataSets().getFirst()));
    }

    @Test
    void oneIsNotMany() {
        assertEquals("1 sync", Words.count(1, "sync"));
        assertEquals("1,200 syncs", Words.count(1200, "sync"));
    }

    @Test
    void shardsToWhichTheSameHappenedAreToldOfTogether() {
        var changes = Words.changes(verified("a", 0).state());
        assertEquals(List.of(List.of("clinic-2", "qa-1", "qa-demo-1"), List.of("demo-1")),
                changes.stream().map(Words.Changes::shards).toList());
        assertEquals(List.of("master.drug"), changes.getFirst().tables().stream().map(t -> t.name()).toList(), "the others did not change");
    }

    @Test
    void nothingIsToldOfAnEmptyLandscape() {
        String page = ConsolePage.report(new Overview(TestingOverview.NOW, true, Optional.empty(), List.of(new Syncs("master", "clinic-1",
                List.of(), Optional.empty(), List.of(), List.of(), List.of("the shards could not be read: no right")))));
        assertTrue(page.contains("lockstep sync --aws"), page);
        assertTrue(page.contains("no right"), page);
    }

    @Test
    void serverAnswersThisMachineAlone() throws IOException, InterruptedException {
        try (var server = new ConsoleServer(0, () -> overview(running("d"))); var client = HttpClient.newHttpClient()) {
            var page = client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/")).build(),
                    BodyHandlers.ofString());
            assertEquals(200, page.statusCode());
            assertTrue(page.headers().firstValue("Content-Security-Policy").orElse("").contains("default-src 'none'"));
            assertEquals(404, client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/other")).build(),
                    BodyHandlers.ofString()).statusCode());
            try (var elsewhere = new Socket("127.0.0.1", server.port())) {
                elsewhere.getOutputStream().write(
                        "GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                assertTrue(new String(elsewhere.getInputStream().readAllBytes(), StandardCharsets.UTF_8).startsWith("HTTP/1.1 421"));
            }
        }
    }
}
