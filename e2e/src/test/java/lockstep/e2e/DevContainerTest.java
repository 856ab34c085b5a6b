package lockstep.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Builds the image of the dev container, and runs the commands of the README in a container from it: {@code .devcontainer/test}. */
@Tag("nightly")
// before the shared cloud starts, because two clouds at once need twice the memory
@Order(Integer.MIN_VALUE)
class DevContainerTest {
    @Test
    void theCommandsOfTheReadmeRunInIt() throws Exception {
        if (System.getenv("CI") == null)
            assumeTrue(System.getProperty("user.name").equals("root"),
                    ".devcontainer/test needs root; without it, only the pipeline fails");
        Path project = ProjectFiles.ofLauncher().project();
        Path log = Files.createDirectories(project.resolve("e2e/target")).resolve("dev-container.log");
        int exit = new ProcessBuilder(project.resolve(".devcontainer/test").toString(), "--install").redirectErrorStream(true)
                .redirectOutput(log.toFile()).start().waitFor();
        assertEquals(0, exit, () -> log + ":\n" + lastLines(log));
    }

    private static String lastLines(Path log) {
        try {
            var lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
