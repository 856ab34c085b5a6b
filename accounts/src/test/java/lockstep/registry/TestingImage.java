package lockstep.registry;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Creates saved images in the format of {@code docker save}. */
public final class TestingImage {
    private TestingImage() {}

    /** Creates an image with a layer for each text, which contains the text as a file. */
    public static Path saved(Path file, String... contents) {
        var layers = new LinkedHashMap<String, byte[]>();
        for (String content : contents) layers.put("layer-" + layers.size() + ".tar", layer(content));
        return saved(file, layers, Map.of(), layers.values().stream().map(ImageLayout::digest).toList());
    }

    /**
     * @param layers the stored layers by name
     * @param links  symbolic links to layers
     * @param diffs  the digests of the layers' contents in the configuration
     */
    static Path saved(Path file, Map<String, byte[]> layers, Map<String, String> links, List<String> diffs) {
        var names = new ArrayList<>(layers.keySet());
        names.replaceAll(name -> links.entrySet().stream().filter(link -> link.getValue().equals(name)).map(Map.Entry::getKey).findFirst()
                .orElse(name));
        String configuration = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":" + quoted(diffs)
                + "}}";
        var entries = new LinkedHashMap<String, byte[]>();
        entries.put("config.json", configuration.getBytes(StandardCharsets.UTF_8));
        entries.putAll(layers);
        entries.put("manifest.json",
                ("[{\"Config\":\"config.json\",\"RepoTags\":null,\"Layers\":" + quoted(names) + "}]").getBytes(StandardCharsets.UTF_8));
        try (var tar = new TarArchiveOutputStream(Files.newOutputStream(file))) {
            for (var link : links.entrySet()) {
                var entry = new TarArchiveEntry(link.getKey(), TarConstants.LF_SYMLINK);
                entry.setLinkName(link.getValue());
                tar.putArchiveEntry(entry);
                tar.closeArchiveEntry();
            }
            for (var content : entries.entrySet()) put(tar, content.getKey(), content.getValue());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return file;
    }

    static byte[] layer(String content) {
        var bytes = new ByteArrayOutputStream();
        try (var tar = new TarArchiveOutputStream(bytes)) {
            put(tar, "file", content.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    static byte[] compressed(byte[] layer) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(bytes)) {
            out.write(layer);
        }
        return bytes.toByteArray();
    }

    private static void put(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
        var entry = new TarArchiveEntry(name);
        entry.setModTime(0);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private static String quoted(List<String> texts) {
        return texts.stream().map(text -> "\"" + text + "\"").collect(Collectors.joining(",", "[", "]"));
    }
}
