package lockstep.cli.console;

import static lockstep.cli.console.TestingOverview.failed;
import static lockstep.cli.console.TestingOverview.overview;
import static lockstep.cli.console.TestingOverview.rolledBack;
import static lockstep.cli.console.TestingOverview.running;
import static lockstep.cli.console.TestingOverview.verified;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import lockstep.masterdata.engine.Json;
import org.junit.jupiter.api.Test;

/** The page as a person sees it while things happen, which are told here one after the other. */
class ConsoleBrowserTest {
    /** How often the page looks before the next happens: long enough for its pictures. */
    private static final int LOOKS = 6;

    @Test
    void thePageFollowsASyncAFailureAndARollback() throws IOException, InterruptedException {
        String browser = Objects.requireNonNull(System.getenv("LOCKSTEP_BROWSER"), "LOCKSTEP_BROWSER is the path of Chromium");
        var story = List.of(overview(running("d"), verified("a", 1000)), overview(failed("d"), verified("a", 1000)), overview(rolledBack("a"), failed("d"), verified("a", 1000)));
        var looks = new AtomicInteger();
        try (var server = new ConsoleServer(0, () -> story.get(Math.min(looks.getAndIncrement() / LOOKS, story.size() - 1)))) {
            var process = new ProcessBuilder("node", "src/test/browser/console.mjs").redirectErrorStream(true).start();
            try (var in = process.getOutputStream()) {
                in.write(Json.MAPPER.writeValueAsBytes(Map.of("browser", browser, "pages", Path.of("target/pages").toAbsolutePath().toString(), "url", "http://127.0.0.1:" + server.port() + "/")));
            }
            String told = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor(), told);
        }
    }
}
