package lockstep.registry;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageRegistryTest {
    @TempDir private static Path programs;
    private static Path program;
    @TempDir private Path directory;
    private ImageLayout layout;
    private String image;

    @BeforeAll
    static void build() throws IOException, InterruptedException {
        program = TestingRegistry.build(programs);
    }

    @BeforeEach
    void anImage() {
        layout = new ImageLayout(directory.resolve("layout"));
        image = layout.add(TestingImage.saved(directory.resolve("image.tar"), "base", "x".repeat(3_000_000)), "image");
    }

    private static String tag(String digest) {
        return digest.replace("sha256:", "");
    }

    /** Two accounts get exactly the same image with the same digest. */
    @Test
    void everyAccountHasTheSameDigest() throws IOException, InterruptedException {
        try (var qa = new TestingRegistry(program, "one"); var production = new TestingRegistry(program, "two")) {
            for (var account : List.of(qa, production)) {
                account.open().push(layout, image, "assets", tag(image));
                assertEquals(List.of(tag(image)), account.tags("assets"));
                var manifest = account.get("/v2/assets/manifests/" + image);
                assertEquals(200, manifest.statusCode());
                assertEquals(image, manifest.headers().firstValue("Docker-Content-Digest").orElseThrow());
                assertArrayEquals(Files.readAllBytes(layout.path(image)), manifest.body());
                for (var blob : layout.blobs(image)) assertArrayEquals(Files.readAllBytes(layout.path(blob.digest())),
                        account.get("/v2/assets/blobs/" + blob.digest()).body());
            }
        }
    }

    /** Layers that a registry has are not sent. Here they could not be sent, because they were deleted. */
    @Test
    void whatIsThereIsNotSentAgain() throws IOException {
        try (var account = new TestingRegistry(program, "one")) {
            account.open().push(layout, image, "assets", tag(image));
            String next = layout.add(TestingImage.saved(directory.resolve("next.tar"), "base", "y"), "next");
            Files.delete(layout.path(layout.blobs(next).get(1).digest()));
            account.open().push(layout, next, "assets", tag(next));
            Files.delete(layout.path(next));
            account.open().push(layout, next, "assets", tag(next));
        }
    }

    @Test
    void whatTheRegistryRefusesIsTold() throws IOException {
        try (var account = new TestingRegistry(program, "one")) {
            var stranger = assertThrows(IllegalStateException.class,
                    () -> account.open("guessed").push(layout, image, "assets", tag(image)));
            assertTrue(stranger.getMessage().contains("401"), stranger::getMessage);
            // a blob that does not match its digest, as on a damaged disk
            Files.writeString(layout.path(layout.blobs(image).getLast().digest()), "damaged");
            var damaged = assertThrows(IllegalStateException.class, () -> account.open().push(layout, image, "assets", tag(image)));
            assertTrue(damaged.getMessage().contains("refuses " + layout.blobs(image).getLast().digest()), damaged::getMessage);
            assertEquals(java.util.Optional.empty(), account.open().digestOf("assets", tag(image)));
        }
    }
}
