package lockstep.cli.console;

import static lockstep.cli.console.TestingOverview.failed;
import static lockstep.cli.console.TestingOverview.overview;
import static lockstep.cli.console.TestingOverview.rolledBack;
import static lockstep.cli.console.TestingOverview.running;
import static lockstep.cli.console.TestingOverview.verified;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests the page in a browser while the test serves a sequence of states. */
@Tag("nightly")
class ConsoleBrowserTest {
    /** The number of refreshes before the next state, enough to take the screenshots. */
    private static final int LOOKS = 6;

    @Test
    void thePageFollowsASyncAFailureAndARollback() throws IOException, InterruptedException {
        var story = List.of(overview(running("d"), verified("a", 1000)), overview(failed("d"), verified("a", 1000)),
                overview(rolledBack("a"), failed("d"), verified("a", 1000)));
        var looks = new AtomicInteger();
        try (var server = new ConsoleServer(0, () -> story.get(Math.min(looks.getAndIncrement() / LOOKS, story.size() - 1)));
                var browser = new ConsoleBrowser("http://127.0.0.1:" + server.port() + "/", "story")) {
            browser.awaitEnd();
        }
    }
}
