package lockstep.localcloud;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("nightly")
class JavaFunctionsTest {
    @TempDir private Path directory;

    /** A JVM silently ignores an archive that it cannot use; the options of this test make it exit instead. */
    @Test
    void theClassArchiveIsGoodForWhatTheFunctionsAreStartedWith() throws Exception {
        var launcher = ProjectFiles.ofLauncher();
        var files = new ProjectFiles(launcher.project(), directory.resolve("tools"), directory.resolve("cloud"));
        files.create();
        var archive = JavaFunctions.Archive.of(files);
        archive.make(files);
        assertTrue(archive.exists());
        assertEquals(-1, Files.mismatch(archive.jar(), files.project().resolve("lambdas/target/image/functions.jar")));

        String bootstrap = new String(JavaFunctions.runtime(files).get("bootstrap"), java.nio.charset.StandardCharsets.UTF_8);
        Path task = Files.createDirectories(directory.resolve("task/lib")).getParent();
        Files.copy(archive.jar(), task.resolve("lib/functions.jar"));
        // the complete command line, with another main class
        Path script = Files.writeString(directory.resolve("bootstrap"), bootstrap.replace("-XX:AOTCache", "-XX:AOTMode=on -XX:AOTCache")
                .replaceFirst("com\\.amazonaws\\.services\\.lambda\\.runtime\\.api\\.client\\.AWSLambda .*",
                        "lockstep.masterdata.handler.Priming"));
        var environment = Command.cleanEnvironment(files);
        environment.putAll(java.util.Map.of("LAMBDA_TASK_ROOT", task.toString(), "AWS_ENDPOINT_URL", "https://127.0.0.1:1", "AWS_REGION",
                "eu-central-1", "AWS_ACCESS_KEY_ID", "x",
                "AWS_SECRET_ACCESS_KEY", "x", "AWS_MAX_ATTEMPTS", "1", "JAVA_TOOL_OPTIONS",
                "-XX:+UseSerialGC -Xmx192m -XX:TieredStopAtLevel=1 -Xlog:class+load:file=" + directory.resolve("classes")));
        new Command(List.of("/bin/sh", script.toString()), directory, environment, files.log("start")).run("a start with the archive");
        var loaded = Files.readAllLines(directory.resolve("classes"));
        assertTrue(loaded.stream().filter(l -> l.contains("software.amazon.awssdk") && l.contains("shared objects file")).count() > 500,
                "classes come from the archive");
    }
}
