package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import lockstep.landscape.Landscape;
import lockstep.landscape.Product;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awscdk.App;

class ArtefactsTest {
    @TempDir private Path root;

    @Test
    void anImageThatWasNotBuiltIsToldWithItsCommand() throws IOException {
        assertEquals("no Dockerfile in " + root.resolve("lambdas/target/image") + "; create it with: ./lockstep build", failure());
        dockerfile("lambdas/target/image");
        dockerfile("proxy/nginx");
        assertEquals("no Dockerfile in " + root.resolve("proxy/target/image") + "; create it with: proxy/build", failure());
        dockerfile("proxy/target/image");
        assertEquals(root.resolve("proxy/target/image"), Artefacts.of(root).gateway());
        assertEquals(root.resolve("lambdas/target/image/functions.jar"), Artefacts.of(root).functions());
    }

    @Test
    void aProductThatWasNotBuiltIsToldWithItsDirectory() {
        var landscape = new Landscape(TestLandscapes.product("shop", new Product.Built(root)), "1.0.0", "eu-central-1", List.of(),
                List.of(),
                List.of());
        assertEquals("no Dockerfile in " + root + "; create it with: ./lockstep build",
                assertThrows(IllegalArgumentException.class, () -> LockstepApp.assemble(new App(), landscape, TestLandscapes.ARTEFACTS))
                        .getMessage());
    }

    private String failure() {
        return assertThrows(IllegalArgumentException.class, () -> Artefacts.of(root)).getMessage();
    }

    private void dockerfile(String context) throws IOException {
        Files.writeString(Files.createDirectories(root.resolve(context)).resolve("Dockerfile"), "FROM scratch\n");
    }
}
