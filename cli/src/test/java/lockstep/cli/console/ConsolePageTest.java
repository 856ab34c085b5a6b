package lockstep.cli.console;

import static lockstep.cli.console.TestingOverview.failed;
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

/** The page, from records alone. */
class ConsolePageTest {
    @Test
    void tellsWhatBecameOfEachShard() {
        String page = ConsolePage.report(overview(verified("20260301T115500Z-0001", 300)));
        assertTrue(page.contains("Data set master"), page);
        assertTrue(page.contains("5 min ago"), page);
        assertTrue(page.contains("demo-1"), page);
        assertTrue(page.contains("master.drug"), "which table changed");
        assertTrue(page.contains("1,234"), "how many rows were updated");
        assertTrue(page.contains("preflight 0.5 s"), "time per state");
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
    void drawsHistoryByTimeAndDuration() {
        var history = Plot.history(List.of(verified("c", 0), failed("b"), verified("a", 1000), running("d")));
        assertEquals(3, history.points().size(), "what runs has no end to be drawn");
        assertEquals("2.00%", history.points().getFirst().x());
        assertEquals("98.00%", history.points().getLast().x());
        assertEquals("failed", Plot.looks(history.points().get(1).run()));
        assertEquals("10.0", history.points().getFirst().y(), "the longest is at the top");
    }

    @Test
    void drawsBarsToOneScale() {
        var bars = Plot.bars(verified("a", 0).state());
        assertEquals(List.of("dump", "demo-1"), bars.stream().map(Plot.Bar::subject).toList());
        assertEquals("100.00%", bars.getFirst().segments().getFirst().width());
        assertEquals("12.50%", bars.getLast().segments().getFirst().width());
        assertEquals("12.50%", bars.getLast().segments().get(1).x());
        assertEquals(List.of(), Plot.bars(running("d").state()), "nothing is known yet");
    }

    @Test
    void nothingIsToldOfAnEmptyLandscape() {
        String page = ConsolePage.report(new Overview(TestingOverview.NOW, true, List.of(new Syncs("master", "clinic-1", List.of(), Optional.empty(), List.of(), List.of(), List.of("the shards could not be read: no right")))));
        assertTrue(page.contains("lockstep sync --aws"), page);
        assertTrue(page.contains("no right"), page);
    }

    @Test
    void serverAnswersThisMachineAlone() throws IOException, InterruptedException {
        try (var server = new ConsoleServer(0, () -> overview(running("d"))); var client = HttpClient.newHttpClient()) {
            var page = client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/")).build(), BodyHandlers.ofString());
            assertEquals(200, page.statusCode());
            assertTrue(page.headers().firstValue("Content-Security-Policy").orElse("").contains("default-src 'none'"));
            assertEquals(404, client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/other")).build(), BodyHandlers.ofString()).statusCode());
            try (var elsewhere = new Socket("127.0.0.1", server.port())) {
                elsewhere.getOutputStream().write("GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                assertTrue(new String(elsewhere.getInputStream().readAllBytes(), StandardCharsets.UTF_8).startsWith("HTTP/1.1 421"));
            }
        }
    }
}
