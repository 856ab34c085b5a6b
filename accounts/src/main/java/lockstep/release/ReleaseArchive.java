package lockstep.release;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.Deflater;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.apache.commons.compress.archivers.zip.ZipFile;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A release in a single file: the synthesized assembly with its assets, the landscape that it was built from, and a description. The
 * same content always gives the same bytes. A release is identified by its SHA-256.
 */
public record ReleaseArchive(Path file, Release release) {
    static final String ASSEMBLY = "assembly";
    static final String LANDSCAPE = "lockstep.yaml";
    private static final String DESCRIPTION = "release.json";
    /**
     * CDK files with the source location of each resource. They differ in each synthesis and are not needed for a deployment, but the
     * manifest references them.
     */
    private static final String METADATA = ".metadata.json";
    /** A CDK file that nothing references. Its findings failed the synthesis or were accepted. */
    private static final String REPORT = "validation-report.json";
    /** CDK files that list the assets to publish before a deployment. The source of an asset is a file or the output of a program. */
    private static final String ASSETS = ".assets.json";
    private static final byte[] NOTHING = "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int EXECUTABLE = 0100755;
    private static final int PLAIN = 0100644;

    /** @param commit the commit of the checkout; empty outside a checkout */
    public static ReleaseArchive pack(Path assembly, Path landscape, String name, Optional<String> commit, Path file) {
        try {
            Path fresh = file.resolveSibling(file.getFileName() + "." + ProcessHandle.current().pid());
            var description = JSON.createObjectNode().put("release", name);
            commit.ifPresent(id -> description.put("commit", id));
            var images = BuiltImages.of(assembly);
            if (!images.isEmpty()) images.forEach(description.putObject("images")::put);
            try (var zip = new ZipArchiveOutputStream(fresh)) {
                zip.setLevel(Deflater.BEST_SPEED);
                add(zip, DESCRIPTION, PLAIN, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(description));
                add(zip, LANDSCAPE, PLAIN, Files.readAllBytes(landscape));
                for (Path content : filesBelow(assembly)) {
                    String path = assembly.relativize(content).toString().replace('\\', '/');
                    if (path.equals(REPORT)) continue;
                    if (path.endsWith(METADATA) && !path.contains("/")) add(zip, ASSEMBLY + "/" + path, PLAIN, NOTHING);
                    else add(zip, ASSEMBLY + "/" + path, Files.isExecutable(content) ? EXECUTABLE : PLAIN, content);
                }
            }
            Files.move(fresh, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            return of(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    /**
     * Reads an existing archive.
     *
     * @throws IllegalArgumentException if the file is not a release
     */
    public static ReleaseArchive of(Path file) {
        if (!Files.isRegularFile(file))
            throw new IllegalArgumentException("there is no file " + file + "; to build it: lockstep release build " + file.getFileName());
        try (var zip = ZipFile.builder().setPath(file).get()) {
            var entry = zip.getEntry(DESCRIPTION);
            if (entry == null || zip.getEntry(LANDSCAPE) == null)
                throw new IllegalArgumentException(file + " is not a release: it lacks " + (entry == null ? DESCRIPTION : LANDSCAPE));
            JsonNode description = JSON.readTree(zip.getInputStream(entry));
            var images = new TreeMap<String, String>();
            description.path("images").properties().forEach(image -> images.put(image.getKey(), image.getValue().asString()));
            return new ReleaseArchive(file, new Release(description.path("release").asString(""), digest(file), Files.size(file),
                    Optional.ofNullable(description.path("commit").asString(null)), images));
        } catch (java.util.zip.ZipException e) {
            throw new IllegalArgumentException(file + " is not a release: it is not a zip file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    /** Extracts the archive to a directory, which is replaced. */
    public Unpacked unpack(Path directory) {
        try (var zip = ZipFile.builder().setPath(file).get()) {
            ProjectFiles.deleteTree(directory);
            for (ZipArchiveEntry entry : java.util.Collections.list(zip.getEntries())) {
                Path target = directory.resolve(entry.getName()).normalize();
                if (!target.startsWith(directory) || entry.isUnixSymlink())
                    throw new UserFault(file + " holds " + entry.getName() + ", a path outside the archive: it was not built by lockstep");
                Files.createDirectories(target.getParent());
                try (InputStream in = zip.getInputStream(entry)) {
                    Files.copy(in, target);
                }
                if (entry.getName().endsWith(ASSETS) && JSON.readTree(Files.readAllBytes(target)).findValue("executable") != null) {
                    throw new UserFault(file + " holds " + entry.getName()
                            + ", which runs a program when it is deployed: it was not built by lockstep");
                }
                if ((entry.getUnixMode() & 0100) != 0 && !target.toFile().setExecutable(true, false))
                    throw new IOException("cannot make " + target + " executable");
            }
            return new Unpacked(directory.resolve(ASSEMBLY), directory.resolve(LANDSCAPE), release);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot unpack " + file, e);
        }
    }

    /** @param landscape the landscape that the release was built from */
    public record Unpacked(Path assembly, Path landscape, Release release) {}

    static String digest(Path file) {
        try (var in = new DigestInputStream(new BufferedInputStream(Files.newInputStream(file, StandardOpenOption.READ)),
                MessageDigest.getInstance("SHA-256"))) {
            in.transferTo(java.io.OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(in.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    private static void add(ZipArchiveOutputStream zip, String name, int mode, byte[] content) throws IOException {
        begin(zip, name, mode);
        zip.write(content);
        zip.closeArchiveEntry();
    }

    private static void add(ZipArchiveOutputStream zip, String name, int mode, Path content) throws IOException {
        begin(zip, name, mode);
        Files.copy(content, zip);
        zip.closeArchiveEntry();
    }

    private static void begin(ZipArchiveOutputStream zip, String name, int mode) throws IOException {
        var entry = new ZipArchiveEntry(name);
        entry.setTime(0);
        entry.setUnixMode(mode);
        zip.putArchiveEntry(entry);
    }

    private static List<Path> filesBelow(Path directory) throws IOException {
        try (var paths = Files.walk(directory)) {
            var found = paths.filter(path -> !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)).sorted().toList();
            for (Path path : found) {
                // a link would point to a different file on another machine
                if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) throw new IOException(path + " is not a file");
            }
            return found;
        }
    }
}
