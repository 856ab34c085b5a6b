package lockstep.project;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;

/**
 * The files and directories of the local cloud. Only the owner can read them.
 *
 * @param project the checkout
 * @param tools   what the launcher installed and built; shared by all clouds of the checkout
 * @param home    the state of one cloud; {@code LOCKSTEP_HOME}, or {@code .lockstep/cloud} of the checkout
 */
public record ProjectFiles(Path project, Path tools, Path home) {

    /** Creates the paths from the properties and variables that the launcher sets. */
    public static ProjectFiles ofLauncher() {
        Path project = Path.of(System.getProperty("lockstep.root", ".")).toAbsolutePath().normalize();
        Path tools = Optional.ofNullable(System.getProperty("lockstep.tools")).map(Path::of).orElse(project.resolve(".lockstep/tools"));
        Path home = Optional.ofNullable(System.getenv("LOCKSTEP_HOME")).filter(s -> !s.isBlank()).map(Path::of)
                .orElse(project.resolve(".lockstep/cloud"));
        return new ProjectFiles(project, tools.toAbsolutePath().normalize(), home.toAbsolutePath().normalize());
    }

    public Path state() {
        return home.resolve("state.json");
    }

    public Path certificates() {
        return home.resolve("certificates");
    }

    public Path database(String account) {
        return home.resolve("databases").resolve(account);
    }

    public Path emulator() {
        return home.resolve("emulator");
    }

    /** The projected cloud assembly, which is deployed. */
    public Path assembly() {
        return home.resolve("assembly");
    }

    /** The local replacement for the root directories of container images. */
    public Path images() {
        return home.resolve("images");
    }

    /** The local replacement for the volumes of tasks. The path is short, because a socket path is limited to 107 bytes. */
    public Path volumes() {
        return home.resolve("run");
    }

    /** The nginx that {@code proxy/install-nginx} installs. */
    public Path nginx() {
        return tools.resolve("nginx/nginx-current");
    }

    /** The stream module of nginx; does not exist if it is built in. */
    public Path nginxStream() {
        return tools.resolve("nginx/stream.so");
    }

    /** The home directory of the tools that run for the cloud, so that they find no AWS profile. */
    public Path emptyHome() {
        return home.resolve("home");
    }

    public Path log(String name) {
        return home.resolve("logs").resolve(name + ".log");
    }

    public Path python() {
        return tools.resolve("python/bin/python");
    }

    public Path nodeTools() {
        return project.resolve("node_modules/.bin");
    }

    public void create() {
        try {
            for (Path directory : new Path[]{home, certificates(), emulator().resolve("tmp"), emptyHome().resolve("tmp"),
                    home.resolve("logs"), home.resolve("databases")}) {
                Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx------"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot create " + home, e);
        }
    }

    /** Runs work that only one command may do at a time. It uses an operating system lock, which a crash releases. */
    public void exclusively(Runnable work) {
        create();
        try (var channel = FileChannel.open(home.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var lock = channel.tryLock()) {
            if (lock == null) throw new UserFault("another 'lockstep up' or 'lockstep down' is using " + home + "; wait until it ends");
            work.run();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot lock " + home, e);
        }
    }

    /** Replaces a file atomically. Only the owner can ever read it. */
    public static void writePrivately(Path file, byte[] content) {
        try {
            Path fresh = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".new",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.write(fresh, content);
            Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    /** Deletes a directory and its contents, if it exists. */
    public static void deleteTree(Path directory) {
        if (!Files.exists(directory)) return;
        try (var paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + directory, e);
        }
    }

    /**
     * Copies a directory and its contents.
     *
     * @param excluded directories that are not copied
     */
    public static void copy(Path from, Path to, Set<Path> excluded) throws IOException {
        try (var paths = Files.walk(from)) {
            for (Path path : paths.filter(path -> excluded.stream().noneMatch(path::startsWith)).toList()) {
                Files.copy(path, to.resolve(from.relativize(path).toString()));
            }
        }
    }

    /** Returns the SHA-256 of the content in hexadecimal. */
    public static String digest(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
