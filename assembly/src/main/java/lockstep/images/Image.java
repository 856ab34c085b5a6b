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
 * What a container image adds to its base, read from the Dockerfile of its context without building it. RUN is passed over: in this
 * repository it installs packages and makes directories, nothing else.
 *
 * @param files            by absolute path in the image, where each comes from in the context
 * @param environment      as ENV sets it
 * @param workingDirectory absolute
 * @param entrypoint       empty when there is none
 * @param command          empty when there is none
 * @param user             as USER spells it; empty when there is none
 * @param stopSignal       {@code SIGTERM} unless the image says otherwise
 * @param volumes          directories that a container may write to, absolute
 */
public record Image(Map<String, Path> files, Map<String, String> environment, String workingDirectory, List<String> entrypoint, List<String> command,
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
     * @param stage the last one when empty
     * @throws ImageException when the Dockerfile holds something that lockstep does not understand
     */
    public static Image read(Path context, Optional<String> stage) {
        return new ImageReader(context).read(stage);
    }

    /**
     * Lays the files out below a directory as they lie in the image, and leaves alone what is there already. The directory is the
     * image's own: other files in it are deleted, but for those in volumes.
     */
    public void materialize(Path directory) {
        try {
            Files.createDirectories(directory);
            deleteOthers(directory);
            for (var file : files.entrySet()) replace(file.getValue(), inside(directory, file.getKey()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot lay out an image in " + directory, e);
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

    /** In one step, for a program that runs may be among them. */
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
