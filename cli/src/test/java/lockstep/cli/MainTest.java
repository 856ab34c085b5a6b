package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
    /** Exit code 1 would mean that rows differ. */
    @Test
    void aVerificationThatFailsIsNoDifference(@TempDir Path directory) throws Exception {
        Path broken = Files.writeString(directory.resolve("lockstep.yaml"), "nothing: here");
        assertEquals(3, Main.run("--landscape", broken.toString(), "verify"));
        assertEquals(1, Main.run("--landscape", broken.toString(), "status"));
    }
}
