package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArtefactsTest {
    @TempDir private Path root;

    @Test
    void anImageThatWasNotBuiltIsToldWithItsCommand() throws IOException {
        assertEquals("no Dockerfile in " + root.resolve("clinic/target/image") + "; create it with: mvn package -pl clinic -am", failure());
        dockerfile("clinic/target/image");
        dockerfile("proxy/nginx");
        assertEquals("no Dockerfile in " + root.resolve("proxy/target/image") + "; create it with: proxy/build", failure());
        dockerfile("proxy/target/image");
        assertEquals(root.resolve("proxy/target/image"), Artefacts.of(root).gateway());
    }

    private String failure() {
        return assertThrows(IllegalArgumentException.class, () -> Artefacts.of(root)).getMessage();
    }

    private void dockerfile(String context) throws IOException {
        Files.writeString(Files.createDirectories(root.resolve(context)).resolve("Dockerfile"), "FROM scratch\n");
    }
}
