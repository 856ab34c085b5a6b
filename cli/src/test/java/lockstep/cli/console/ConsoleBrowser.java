package lockstep.cli.console;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.parts.Json;

/** Runs {@code console.mjs} in Chromium, which watches the console page while a sync runs, a shard fails, and one is rolled back. */
public final class ConsoleBrowser implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;

    /**
     * Opens the page and waits until it is open.
     *
     * @param name the prefix of the screenshots
     */
    public ConsoleBrowser(String url, String name) throws IOException {
        String browser = Objects.requireNonNull(System.getenv("LOCKSTEP_BROWSER"), "LOCKSTEP_BROWSER is the path of Chromium");
        process = new ProcessBuilder("node", "../cli/src/test/browser/console.mjs").redirectErrorStream(true).start();
        output = process.inputReader();
        try (var in = process.getOutputStream()) {
            in.write(Json.MAPPER.writeValueAsBytes(
                    Map.of("browser", browser, "pages", Path.of("target/pages").toAbsolutePath().toString(), "name", name, "url", url)));
        }
        awaitState("open");
    }

    /** Waits until the page has shown a state: {@code running}, {@code failed} or {@code rolled-back}. */
    public void awaitState(String what) throws IOException {
        var all = new StringBuilder();
        for (String line = output.readLine(); !what.equals(line); line = output.readLine()) {
            if (line == null) throw new AssertionError("the browser ended before it saw that it is " + what + ":\n" + all);
            all.append(line).append('\n');
        }
    }

    /** Waits until the browser has seen all states and exited. */
    public void awaitEnd() throws InterruptedException {
        String rest = output.lines().collect(Collectors.joining("\n"));
        assertEquals(0, process.waitFor(), rest);
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroy);
        process.destroy();
    }
}
