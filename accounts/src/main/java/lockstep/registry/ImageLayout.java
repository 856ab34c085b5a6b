package lockstep.registry;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import lockstep.project.ProjectFiles;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A directory of built images in the OCI image layout: blobs by digest and an index. Each layer is compressed once, here, so that every
 * copy has the same digests. A container engine would compress again when it pushes.
 *
 * @see <a href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md">OCI image layout</a>
 */
public record ImageLayout(Path directory) {
    static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    private static final String INDEX = "application/vnd.oci.image.index.v1+json";
    private static final String CONFIGURATION = "application/vnd.oci.image.config.v1+json";
    private static final String LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
    private static final String PREFIX = "sha256:";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** A blob that a manifest references. */
    record Blob(String digest, long size) {}

    public boolean has(String digest) {
        return Files.exists(path(digest));
    }

    /** @param digest {@code sha256:} and 64 digits */
    public Path path(String digest) {
        if (!digest.matches(PREFIX + "[0-9a-f]{64}"))
            throw new IllegalArgumentException("'" + digest + "' is not a digest of an image or of a part of it");
        return directory.resolve("blobs/sha256").resolve(digest.substring(PREFIX.length()));
    }

    /** Returns the configuration and layers of an image, in manifest order. */
    List<Blob> blobs(String digest) {
        var manifest = JSON.readTree(path(digest));
        var blobs = new ArrayList<Blob>();
        blobs.add(blob(manifest.get("config")));
        manifest.get("layers").forEach(layer -> blobs.add(blob(layer)));
        return List.copyOf(blobs);
    }

    private static Blob blob(JsonNode descriptor) {
        return new Blob(descriptor.get("digest").asString(), descriptor.get("size").asLong());
    }

    /**
     * Adds an image.
     *
     * @param saved an archive with one image in the format of {@code docker save}
     * @param name  the name of the image in the index, for information only
     * @return the digest of its manifest
     * @throws IllegalArgumentException if the archive has another format, or its layers do not match its configuration
     */
    public String add(Path saved, String name) {
        Path work = directory.resolve("work");
        try {
            Files.createDirectories(directory.resolve("blobs/sha256"));
            extract(saved, work);
            if (!Files.exists(work.resolve("manifest.json")))
                throw new IllegalArgumentException(saved + " is not a saved image: it lacks manifest.json");
            var images = JSON.readTree(work.resolve("manifest.json"));
            if (images.size() != 1) throw new IllegalArgumentException(saved + " holds " + images.size() + " images, expected one");
            Path configuration = work.resolve(images.get(0).get("Config").asString());
            var layers = images.get(0).get("Layers");
            var contents = JSON.readTree(configuration).at("/rootfs/diff_ids");
            if (layers.size() != contents.size()) throw new IllegalArgumentException(
                    saved + " holds " + layers.size() + " layers, but its configuration names " + contents.size());
            var manifest = JSON.createObjectNode().put("schemaVersion", 2).put("mediaType", MANIFEST);
            describe(manifest.putObject("config"), CONFIGURATION, keep(configuration));
            var described = manifest.putArray("layers");
            for (int i = 0; i < layers.size(); i++)
                describe(described.addObject(), LAYER, layer(work, work.resolve(layers.get(i).asString()), contents.get(i).asString()));
            Path file = Files.write(work.resolve("described"), JSON.writeValueAsBytes(manifest));
            var blob = keep(file);
            index(blob, name);
            return blob.digest();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the image " + saved + ": " + e, e);
        } finally {
            ProjectFiles.deleteTree(work);
        }
    }

    /** Stores a layer, compressed if necessary, after checking it against the configuration. */
    private Blob layer(Path work, Path file, String content) throws IOException {
        if (isCompressed(file)) {
            try (var in = new GZIPInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
                requireContent(file, digest(in), content);
            }
            return keep(Files.copy(file, work.resolve("layer"), StandardCopyOption.REPLACE_EXISTING));
        }
        Path compressed = work.resolve("layer");
        var read = sha256();
        try (var in = new DigestInputStream(Files.newInputStream(file), read);
                var out = new GZIPOutputStream(Files.newOutputStream(compressed), 1 << 16)) {
            in.transferTo(out);
        }
        requireContent(file, PREFIX + HexFormat.of().formatHex(read.digest()), content);
        return keep(compressed);
    }

    private static void requireContent(Path layer, String found, String expected) {
        if (!found.equals(expected)) throw new IllegalArgumentException(
                "layer " + layer.getFileName() + " is not a layer of its image: its content is " + found + ", not " + expected);
    }

    private static boolean isCompressed(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return in.read() == 0x1f && in.read() == 0x8b;
        }
    }

    /** Moves a file to the blobs. Images may share a blob. */
    private Blob keep(Path file) throws IOException {
        String digest;
        try (var in = Files.newInputStream(file)) {
            digest = digest(in);
        }
        long size = Files.size(file);
        Files.move(file, path(digest), StandardCopyOption.REPLACE_EXISTING);
        return new Blob(digest, size);
    }

    private void index(Blob manifest, String name) throws IOException {
        Path file = directory.resolve("index.json");
        ObjectNode index = Files.exists(file) ? (ObjectNode) JSON.readTree(file)
                : JSON.createObjectNode().put("schemaVersion", 2).put("mediaType", INDEX);
        var entry = (index.has("manifests") ? (ArrayNode) index.get("manifests") : index.putArray("manifests")).addObject();
        describe(entry, MANIFEST, manifest);
        entry.putObject("annotations").put("org.opencontainers.image.ref.name", name);
        Files.write(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(index));
        Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    }

    private static void describe(ObjectNode into, String type, Blob blob) {
        into.put("mediaType", type).put("digest", blob.digest()).put("size", blob.size());
    }

    /** Extracts a saved image. Engines before Docker 25, and others compatible with them, contain a layer twice, once as a link. */
    private static void extract(Path archive, Path into) throws IOException {
        ProjectFiles.deleteTree(into);
        Files.createDirectories(into);
        try (var tar = new TarArchiveInputStream(new BufferedInputStream(Files.newInputStream(archive)))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path target = into.resolve(entry.getName()).normalize();
                if (!target.startsWith(into))
                    throw new IllegalArgumentException(archive + " holds " + entry.getName() + ", a path outside the archive");
                if (entry.isDirectory()) continue;
                Files.createDirectories(target.getParent());
                if (entry.isSymbolicLink()) Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
                else Files.copy(tar, target);
            }
        }
    }

    /** Returns {@code sha256:} and the hexadecimal digest. */
    static String digest(byte[] content) {
        return PREFIX + HexFormat.of().formatHex(sha256().digest(content));
    }

    private static String digest(InputStream in) throws IOException {
        var digest = sha256();
        in.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
        return PREFIX + HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
