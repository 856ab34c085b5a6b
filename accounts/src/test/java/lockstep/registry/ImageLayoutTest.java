package lockstep.registry;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

class ImageLayoutTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    @TempDir private Path directory;

    private ImageLayout layout() {
        return new ImageLayout(directory.resolve("layout"));
    }

    @Test
    void everyBlobHasTheDigestThatItIsNamedBy() throws IOException {
        var layout = layout();
        String one = layout.add(TestingImage.saved(directory.resolve("one.tar"), "base", "one"), "one");
        String two = layout.add(TestingImage.saved(directory.resolve("two.tar"), "base", "two"), "two");
        try (var files = Files.list(layout.directory().resolve("blobs/sha256"))) {
            var blobs = files.toList();
            assertEquals(2 + 2 + 3, blobs.size(), "manifests, configurations, and layers of which one is in both");
            for (Path blob : blobs) assertEquals("sha256:" + blob.getFileName(), ImageLayout.digest(Files.readAllBytes(blob)));
        }
        for (var blob : layout.blobs(one)) assertEquals(blob.size(), Files.size(layout.path(blob.digest())));
        try (var layer = new GZIPInputStream(Files.newInputStream(layout.path(layout.blobs(two).getLast().digest())))) {
            assertArrayEquals(TestingImage.layer("two"), layer.readAllBytes());
        }
        var index = JSON.readTree(layout.directory().resolve("index.json")).get("manifests");
        assertEquals(List.of(one, two), index.valueStream().map(entry -> entry.get("digest").asString()).toList());
        assertTrue(Files.notExists(layout.directory().resolve("work")));
    }

    @Test
    void theSameImageIsTheSameDigest() {
        Path saved = TestingImage.saved(directory.resolve("one.tar"), "base", "one");
        assertEquals(layout().add(saved, "one"), new ImageLayout(directory.resolve("another")).add(saved, "another"));
    }

    /** Engines that store pulled images keep layers compressed. */
    @Test
    void whatIsCompressedStaysAsItIs() throws IOException {
        byte[] layer = TestingImage.layer("base");
        byte[] compressed = TestingImage.compressed(layer);
        var layout = layout();
        String digest = layout.add(
                TestingImage.saved(directory.resolve("one.tar"), Map.of("layer", compressed), Map.of(), List.of(ImageLayout.digest(layer))),
                "one");
        assertEquals(ImageLayout.digest(compressed), layout.blobs(digest).getLast().digest());
    }

    @Test
    void aLayerMayBeNamedByALink() {
        byte[] layer = TestingImage.layer("base");
        String linked = layout().add(TestingImage.saved(directory.resolve("linked.tar"), Map.of("layer.tar", layer),
                Map.of("legacy.tar", "layer.tar"), List.of(ImageLayout.digest(layer))), "linked");
        String plain = layout().add(TestingImage.saved(directory.resolve("plain.tar"), "base"), "plain");
        assertEquals(plain, linked);
    }

    @Test
    void whatIsNoImageIsRefused() throws IOException {
        byte[] layer = TestingImage.layer("base");
        byte[] other = TestingImage.layer("other");
        for (byte[] stored : List.of(other, TestingImage.compressed(other))) {
            var forged = TestingImage.saved(directory.resolve("forged.tar"), Map.of("layer", stored), Map.of(),
                    List.of(ImageLayout.digest(layer)));
            assertTrue(assertThrows(IllegalArgumentException.class, () -> layout().add(forged, "forged")).getMessage()
                    .contains("layer is not a layer of its image"));
        }
        var less = TestingImage.saved(directory.resolve("less.tar"), Map.of(), Map.of(), List.of(ImageLayout.digest(layer)));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> layout().add(less, "less")).getMessage()
                .contains("0 layers, but its configuration names 1"));
        Path text = Files.write(directory.resolve("text.tar"), layer);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> layout().add(text, "text")).getMessage()
                .contains("lacks manifest.json"));
        assertTrue(Files.notExists(layout().directory().resolve("index.json")));
    }

    @Test
    void onlyADigestNamesABlob() {
        for (String other : List.of("sha256:../../../etc/passwd", "latest", "sha256:" + "A".repeat(64)))
            assertThrows(IllegalArgumentException.class, () -> layout().path(other));
    }
}
