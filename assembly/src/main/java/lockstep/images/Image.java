package lockstep.images;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The contents that a container image adds to its base, read from the Dockerfile of its context without building it. RUN is ignored: in
 * this repository it only installs packages and creates directories.
 *
 * @param files            the source in the context of each file, by absolute path in the image
 * @param environment      the variables that ENV sets
 * @param workingDirectory absolute
 * @param entrypoint       empty if there is none
 * @param command          empty if there is none
 * @param user             the argument of USER; empty if there is none
 * @param stopSignal       {@code SIGTERM} unless the image sets another
 * @param volumes          the absolute paths of the directories that a container may write to
 */
public record Image(Map<String, Path> files, Map<String, String> environment, String workingDirectory, List<String> entrypoint,
        List<String> command,
        String user, String stopSignal, List<String> volumes) {
    public Image {
        files = Collections.unmodifiableSortedMap(new TreeMap<>(files));
        environment = Collections.unmodifiableSortedMap(new TreeMap<>(environment));
        entrypoint = List.copyOf(entrypoint);
        command = List.copyOf(command);
        volumes = List.copyOf(volumes);
    }

    /**
     * Reads the image of a stage.
     *
     * @param stage the last stage if empty
     * @throws ImageException if the Dockerfile contains something that lockstep does not support
     */
    public static Image read(Path context, Optional<String> stage) {
        return new ImageReader(context).read(stage);
    }

    /**
     * Copies the files to a directory with the layout of the image. Files that are already up to date are not written. Other files in the
     * directory are deleted, except those in volumes.
     */
    public void materialize(Path directory) {
        try {
            Files.createDirectories(directory);
            deleteOthers(directory);
            for (var file : files.entrySet()) replace(file.getValue(), inside(directory, file.getKey()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the files of an image into " + directory, e);
        }
    }

    private void deleteOthers(Path directory) throws IOException {
        var own = new HashSet<Path>();
        files.keySet().forEach(path -> own.add(inside(directory, path)));
        var kept = volumes.stream().map(path -> inside(directory, path)).toList();
        try (var found = Files.walk(directory)) {
            for (Path path : found.toList()) {
                if (!Files.isDirectory(path) && !own.contains(path) && kept.stream().noneMatch(path::startsWith)) Files.delete(path);
            }
        }
    }

    /** Replaces a file atomically, because it may be a running program. */
    private static void replace(Path source, Path target) throws IOException {
        if (Files.exists(target) && Files.mismatch(source, target) < 0 && Files.isExecutable(source) == Files.isExecutable(target)) return;
        Files.createDirectories(target.getParent());
        Path fresh = target.resolveSibling(target.getFileName() + ".new");
        Files.copy(source, fresh, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
        Files.move(fresh, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private static Path inside(Path directory, String path) {
        return directory.resolve(path.substring(1));
    }
}
