package lockstep.release;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import lockstep.accounts.AccountAccess;
import lockstep.assembly.Assembly;
import lockstep.assembly.Assembly.DockerImage;
import lockstep.assembly.Assembly.Stack;
import lockstep.landscape.Account;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import lockstep.registry.ImageLayout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Builds each image of an assembly once and stores it in the assembly. The templates reference the images by digest, so that every account
 * runs the same images. The asset manifests use the digest as the tag, so that the CDK finds the pushed images and builds none.
 */
public final class BuiltImages {
    private static final String LAYOUT = "images";
    /** The supported build properties of an asset manifest. Ignoring another one could produce a different image. */
    private static final Set<String> KNOWN = Set.of("directory", "dockerBuildTarget", "platform");

    private BuiltImages() {}

    /**
     * Builds the images of an assembly with the container engine of this machine.
     *
     * @param assembly the assembly, which is not changed
     * @param target   the directory for the assembly with images, which is replaced
     */
    public static void build(ProjectFiles files, Path assembly, Path target) {
        var engine = Engine.ofThisMachine(files);
        Path saved = files.emptyHome().resolve("tmp/image.tar");
        build(assembly, target, image -> {
            String name = "lockstep-image:" + image.hash().substring(0, 16);
            try {
                engine.build(image.context(), image.stage(), image.platform(), name);
                Files.deleteIfExists(saved);
                engine.save(name, saved);
                return saved;
            } catch (IOException e) {
                throw new UncheckedIOException("cannot write " + saved, e);
            }
        });
    }

    /** @param engine builds an image, and returns it as a saved image that is valid until the next call */
    public static void build(Path assembly, Path target, Function<DockerImage, Path> engine) {
        try {
            ProjectFiles.deleteTree(target);
            Files.createDirectories(target.getParent());
            ProjectFiles.copy(assembly, target, Set.of());
            var layout = new ImageLayout(target.resolve(LAYOUT));
            var digests = new HashMap<String, String>();
            var copy = new Assembly(target);
            for (var stack : new Assembly(assembly).stacks()) {
                if (stack.images().isEmpty()) continue;
                String template = stack.template().toString();
                var entries = Assembly.JSON.createObjectNode();
                for (var image : stack.images().values()) {
                    refuseUnknown(image, stack);
                    String digest = digests.computeIfAbsent(image.hash(), hash -> layout.add(engine.apply(image), image.name()));
                    String named = template.replace(":" + image.hash(), "@" + digest);
                    if (named.equals(template))
                        throw new UserFault(stack.file() + " does not name the image " + image.hash() + " of its assets");
                    template = named;
                    image.asset().get("destinations").forEach(destination -> ((ObjectNode) destination).put("imageTag", tag(digest)));
                    entries.set(tag(digest), image.asset());
                }
                ((ObjectNode) stack.assets()).set("dockerImages", entries);
                copy.write(stack, Assembly.JSON.readTree(template));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot push images to " + target + ": " + e, e);
        }
    }

    private static void refuseUnknown(DockerImage image, Stack stack) {
        for (String word : image.asset().path("source").propertyNames()) {
            if (!KNOWN.contains(word)) throw new UserFault(stack.file().replace(".template.", ".assets.") + ": lockstep builds images with "
                    + String.join(", ", KNOWN.stream().sorted().toList()) + " and does not support " + word);
        }
    }

    /** Returns the digests of the images of an assembly by name; empty if it was built without images. */
    public static Map<String, String> of(Path assembly) {
        var images = new TreeMap<String, String>();
        if (Files.exists(layout(assembly))) for (var stack : new Assembly(assembly).stacks())
            stack.images().values().forEach(image -> images.put(image.name(), "sha256:" + image.hash()));
        return images;
    }

    /** Returns the image directory of an assembly, which need not exist. */
    public static Path layout(Path assembly) {
        return assembly.resolve(LAYOUT);
    }

    /** Pushes the images of the stacks to the account's registry, using the CDK's image publishing role. */
    static void push(Account account, Path assembly, List<String> stacks, AccountAccess access) {
        var layout = new ImageLayout(layout(assembly));
        var pushed = new TreeSet<String>();
        for (var stack : new Assembly(assembly).stacksOf(account)) {
            if (!stacks.contains(stack.name())) continue;
            for (var image : stack.images().values()) {
                String digest = "sha256:" + image.hash();
                if (!layout.has(digest)) throw new UserFault("the release lacks the image " + image.name() + " (" + digest + ")");
                for (JsonNode destination : image.asset().get("destinations")) {
                    String repository = destination.get("repositoryName").asString();
                    if (!pushed.add(repository + "@" + digest)) continue;
                    String role = destination.get("assumeRoleArn").asString().replace("${AWS::Partition}", "aws");
                    try {
                        access.assume(role, "lockstep-images").registry().push(layout, digest, repository,
                                destination.get("imageTag").asString());
                    } catch (IllegalStateException | UncheckedIOException e) {
                        throw new UserFault(
                                "image " + image.name() + " was not pushed to account " + account.name() + ": " + e.getMessage(), e);
                    }
                }
            }
        }
    }

    private static String tag(String digest) {
        return digest.substring(digest.indexOf(':') + 1);
    }
}
