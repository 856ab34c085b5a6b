package lockstep.localcloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly;
import lockstep.assembly.Assembly.DockerImage;
import lockstep.images.Image;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;

/** The images of an assembly, with their files laid out in local directories as in a container. */
public final class ContainerImages {
    private final Path directory;
    private final Map<String, DockerImage> sources;
    private final Map<String, LaidOut> laidOut = new ConcurrentHashMap<>();

    /** @param root the directory that replaces the image's root; it is shared and must not be written to */
    public record LaidOut(Image image, Path root) {}

    /** @param directory the parent directory of the images */
    public ContainerImages(Path assembly, Path directory) {
        this.directory = directory;
        this.sources = sources(assembly);
    }

    /** Returns the images of an assembly by the digest in their tag. */
    public static Map<String, DockerImage> sources(Path assembly) {
        var sources = new TreeMap<String, DockerImage>();
        new Assembly(assembly).stacks().forEach(stack -> sources.putAll(stack.images()));
        return sources;
    }

    /** @param image the image of a task definition: repository and tag */
    public LaidOut layOut(String image) {
        String tag = image.substring(image.lastIndexOf(':') + 1);
        return laidOut.computeIfAbsent(tag, digest -> {
            var source = Optional.ofNullable(sources.get(digest)).orElseThrow(() -> new UserFault("the assembly has no image " + image));
            var read = Image.read(source.context(), source.stage());
            Path root = directory.resolve(digest.substring(0, 16));
            read.materialize(root);
            return new LaidOut(read, root);
        });
    }

    /**
     * Writes a script for each image that has an entry point, named as the image's tag. It starts the entry point in the image's directory,
     * with this machine's Java. The emulator runs tasks of state machines with it.
     *
     * @param trustStore the authority of the emulator and of the local databases
     */
    void writeStarters(Path scripts, Path trustStore) {
        sources.keySet().forEach(tag -> {
            var image = layOut(tag);
            if (image.image().entrypoint().isEmpty()) return;
            String script = """
                    #!/bin/sh
                    cd '%s' || exit 1
                    export PATH='%s/bin':"$PATH" JAVA_TOOL_OPTIONS='-Djavax.net.ssl.trustStore=%s -Djavax.net.ssl.trustStoreType=PKCS12'
                    exec %s "$@"
                    """.formatted(image.root().resolve(image.image().workingDirectory().substring(1)), System.getProperty("java.home"),
                    trustStore, image.image().entrypoint().stream().map(word -> "'" + word + "'").collect(Collectors.joining(" ")));
            try {
                Files.createDirectories(scripts);
                ProjectFiles.writePrivately(scripts.resolve(tag), script.getBytes(StandardCharsets.UTF_8));
                Files.setPosixFilePermissions(scripts.resolve(tag), PosixFilePermissions.fromString("rwx------"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** Deletes the directories of images that this assembly does not use. */
    void deleteOthers() {
        if (!Files.exists(directory)) {
            return;
        }
        try (var found = Files.newDirectoryStream(directory)) {
            for (Path other : found) {
                if (laidOut.values().stream().noneMatch(known -> known.root().equals(other))) {
                    ProjectFiles.deleteTree(other);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
