package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the launcher in a separate checkout, with a fake Maven that only counts its calls. */
class LauncherTest {
    @TempDir private Path checkout;
    private Path commands;

    record Ended(int exit, String out, String err) {}

    @BeforeEach
    void checkout() throws IOException {
        Files.copy(ProjectFiles.ofLauncher().project().resolve("lockstep"), checkout.resolve("lockstep"));
        for (String module : new String[]{"cli", "infra"}) {
            Files.createDirectories(checkout.resolve(module + "/src/main/java"));
            Files.createDirectories(checkout.resolve(module + "/src/test/java"));
            Files.writeString(checkout.resolve(module + "/pom.xml"), "");
        }
        Files.writeString(checkout.resolve("pom.xml"), "");
        commands = Files.createDirectories(checkout.resolve("commands"));
        command("mvn", """
                echo called >> "$PWD/calls"
                sleep 1
                [ ! -f "$PWD/broken" ] || { echo "[ERROR] Broken.java:[1,1] is broken"; exit 1; }
                for module in cli infra; do mkdir -p $module/target; touch $module/target/classpath; done
                """);
    }

    @Test
    void buildsOnceAndThenOnlyWhatChanged() throws Exception {
        assertBuilds(1);
        assertBuilds(1);
        Files.writeString(checkout.resolve("cli/src/test/java/Some.java"), "");
        assertBuilds(1);
        Path source = Files.writeString(checkout.resolve("cli/src/main/java/Some.java"), "");
        assertBuilds(2);
        assertBuilds(2);
        Files.delete(source);
        assertBuilds(3);
    }

    @Test
    void twoAtATimeBuildOnce() throws Exception {
        var first = start(Map.of());
        var second = start(Map.of());
        assertEquals(0, first.waitFor());
        assertEquals(0, second.waitFor());
        assertEquals(1, calls());
    }

    @Test
    void aFailedBuildTellsWhyAndIsTriedAgain() throws Exception {
        Files.writeString(checkout.resolve("broken"), "");
        var failed = run(Map.of());
        assertEquals(1, failed.exit());
        assertEquals("", failed.out());
        assertTrue(failed.err().contains("Broken.java:[1,1] is broken"), failed.err());
        assertTrue(failed.err().contains(".lockstep/tools/build.log"), failed.err());
        Files.delete(checkout.resolve("broken"));
        assertEquals(0, run(Map.of()).exit());
    }

    @Test
    void aMissingToolIsNamedWithHowToGetIt() throws Exception {
        Files.delete(commands.resolve("mvn"));
        for (String tool : new String[]{"sh", "sed", "dirname", "readlink", "find", "head", "mkdir", "flock", "date", "java"}) {
            Path real = Path.of("/usr/bin", tool);
            if (Files.exists(real)) {
                Files.createSymbolicLink(commands.resolve(tool), real);
            }
        }
        var failed = run(Map.of("PATH", commands.toString()));
        assertEquals(1, failed.exit());
        assertTrue(failed.err().contains("mvn is required") && failed.err().contains("apt install maven"), failed.err());
    }

    @Test
    void aJavaThatIsTooOldDoesNotMatter() throws Exception {
        Path old = Files.createDirectories(checkout.resolve("jdk-17/bin"));
        Files.copy(Path.of("/bin/true"), old.resolve("javac"));
        Files.writeString(old.resolveSibling("release"), "JAVA_VERSION=\"17.0.1\"\n");
        command("mvn",
                "echo \"$JAVA_HOME\" > \"$PWD/java-home\"; for module in cli infra; do mkdir -p $module/target; touch "
                        + "$module/target/classpath; done");
        assertEquals(0, run(Map.of("JAVA_HOME", old.getParent().toString(), "PATH",
                Path.of(System.getProperty("java.home"), "bin") + ":" + commands + ":/usr/bin:/bin")).exit());
        assertFalse(Files.readString(checkout.resolve("java-home")).contains("jdk-17"));
    }

    private void assertBuilds(int expected) throws Exception {
        var ended = run(Map.of());
        assertEquals(0, ended.exit(), ended.err());
        assertEquals(expected, calls(), ended.err());
    }

    private long calls() throws IOException {
        return Files.readAllLines(checkout.resolve("calls")).size();
    }

    private void command(String name, String script) throws IOException {
        Path file = Files.writeString(commands.resolve(name), "#!/bin/sh\n" + script);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Process start(Map<String, String> environment) throws IOException {
        // every command runs 'compile' first
        var builder = new ProcessBuilder("sh", checkout.resolve("lockstep").toString(), "compile")
                .redirectOutput(checkout.resolve("out").toFile()).redirectError(checkout.resolve("err").toFile());
        builder.environment().remove("LOCKSTEP_BUILT");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("PATH", commands + ":" + System.getenv("PATH"));
        builder.environment().putAll(environment);
        return builder.start();
    }

    private Ended run(Map<String, String> environment) throws Exception {
        int exit = start(environment).waitFor();
        return new Ended(exit, Files.readString(checkout.resolve("out")), Files.readString(checkout.resolve("err")));
    }
}
