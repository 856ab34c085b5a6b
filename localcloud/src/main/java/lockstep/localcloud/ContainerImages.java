package lockstep.localcloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import lockstep.images.Image;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import tools.jackson.databind.json.JsonMapper;

/** The images of an assembly, with their files laid out in local directories as in a container. */
public final class ContainerImages {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private final Path directory;
    private final Map<String, Source> sources;
    private final Map<String, LaidOut> laidOut = new ConcurrentHashMap<>();

    /** The build inputs of an image in an asset manifest. */
    record Source(Path context, Optional<String> stage) {}

    /** @param root the directory that replaces the image's root; it is shared and must not be written to */
    public record LaidOut(Image image, Path root) {}

    /** @param directory the parent directory of the images */
    public ContainerImages(Path assembly, Path directory) {
        this.directory = directory;
        this.sources = sources(assembly);
    }

    /** Returns the images of an assembly by the digest in their tag. */
    public static Map<String, Source> sources(Path assembly) {
        var sources = new TreeMap<String, Source>();
        try (var manifests = Files.newDirectoryStream(assembly, "*.assets.json")) {
            for (Path manifest : manifests) {
                JSON.readTree(manifest).path("dockerImages").properties().forEach(image -> sources.put(image.getKey(), new Source(
                        assembly.resolve(image.getValue().at("/source/directory").asString()),
                        Optional.ofNullable(image.getValue().at("/source/dockerBuildTarget").asString(null)))));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the assets of " + assembly, e);
        }
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
