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

/** The images of an assembly, laid out on this machine as they would lie in a container. */
public final class ContainerImages {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private final Path directory;
    private final Map<String, Source> sources;
    private final Map<String, LaidOut> laidOut = new ConcurrentHashMap<>();

    /** What an asset manifest says of an image. */
    record Source(Path context, Optional<String> stage) {}

    /** @param root stands for the image's root directory; shared, so not to be written to */
    public record LaidOut(Image image, Path root) {}

    /** @param directory where they are laid out */
    public ContainerImages(Path assembly, Path directory) {
        this.directory = directory;
        this.sources = sources(assembly);
    }

    /** By the digest that tags each. */
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

    /** @param image as a task definition names it: repository and tag */
    public LaidOut layOut(String image) {
        String tag = image.substring(image.lastIndexOf(':') + 1);
        return laidOut.computeIfAbsent(tag, digest -> {
            var source = Optional.ofNullable(sources.get(digest)).orElseThrow(() -> new UserFault("the assembly holds no image " + image));
            var read = Image.read(source.context(), source.stage());
            Path root = directory.resolve(digest.substring(0, 16));
            read.materialize(root);
            return new LaidOut(read, root);
        });
    }

    /** Deletes those that were laid out before and are not among these. */
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
