package lockstep.release;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiFunction;
import lockstep.accounts.AccountAccess;
import lockstep.landscape.Account;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import lockstep.registry.ImageLayout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Builds each image of an assembly once and stores it in the assembly. The templates reference the images by digest, so that every account
 * runs the same
 * images. The asset manifests use the digest as the tag, so that the CDK finds the pushed images and builds none.
 */
public final class BuiltImages {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String LAYOUT = "images";
    /** The supported build properties of an asset manifest. Ignoring another one could produce a different image. */
    private static final Set<String> KNOWN = Set.of("directory", "dockerBuildTarget", "platform");

    private BuiltImages() {}

    /** The inputs of an image build. */
    public record Source(Path context, Optional<String> target, Optional<String> platform) {}

    /**
     * Builds the images of an assembly with the container engine of this machine.
     *
     * @param assembly the assembly, which is not changed
     * @param target   the directory for the assembly with images, which is replaced
     */
    public static void build(ProjectFiles files, Path assembly, Path target) {
        var engine = Engine.ofThisMachine(files);
        Path saved = files.emptyHome().resolve("tmp/image.tar");
        build(assembly, target, (source, asset) -> {
            String name = "lockstep-image:" + asset.substring(0, 16);
            try {
                engine.build(source.context(), source.target(), source.platform(), name);
                Files.deleteIfExists(saved);
                engine.save(name, saved);
                return saved;
            } catch (IOException e) {
                throw new UncheckedIOException("cannot write " + saved, e);
            }
        });
    }

    /** @param engine builds an image from a source and its asset hash, and returns a saved image that is valid until the next call */
    public static void build(Path assembly, Path target, BiFunction<Source, String, Path> engine) {
        try {
            ProjectFiles.deleteTree(target);
            Files.createDirectories(target.getParent());
            ProjectFiles.copy(assembly, target, Set.of());
            var layout = new ImageLayout(target.resolve(LAYOUT));
            var built = new HashMap<Source, String>();
            for (Path file : manifests(target)) {
                var assets = (ObjectNode) JSON.readTree(file);
                if (assets.path("dockerImages").isEmpty()) continue;
                var digests = new TreeMap<String, String>();
                for (var image : assets.get("dockerImages").properties()) {
                    var source = source(assembly, file, image.getValue().get("source"));
                    digests.put(image.getKey(),
                            built.computeIfAbsent(source, s -> layout.add(engine.apply(s, image.getKey()), name(image.getValue()))));
                }
                rename(target, file, assets, digests);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot push images to " + target + ": " + e, e);
        }
    }

    private static Source source(Path assembly, Path manifest, JsonNode source) {
        for (String word : source.propertyNames()) {
            if (!KNOWN.contains(word)) throw new UserFault(manifest.getFileName() + ": lockstep builds images with "
                    + String.join(", ", KNOWN.stream().sorted().toList()) + " and does not support " + word);
        }
        return new Source(assembly.resolve(source.get("directory").asString()),
                Optional.ofNullable(source.path("dockerBuildTarget").asString(null)),
                Optional.ofNullable(source.path("platform").asString(null)));
    }

    /**
     * Replaces asset hashes with image digests in the template and its asset manifest. This changes the digest of the template, so it is
     * replaced there and in the assembly manifest.
     */
    private static void rename(Path assembly, Path assetsFile, ObjectNode assets, Map<String, String> digests) throws IOException {
        String templateName = assetsFile.getFileName().toString().replace(".assets.json", ".template.json");
        Path templateFile = assembly.resolve(templateName);
        String template = Files.readString(templateFile);
        var images = JSON.createObjectNode();
        for (var image : digests.entrySet()) {
            String digest = image.getValue();
            String named = template.replace(":" + image.getKey(), "@" + digest);
            if (named.equals(template)) throw new UserFault(templateName + " does not name the image " + image.getKey() + " of its assets");
            template = named;
            var entry = (ObjectNode) assets.get("dockerImages").get(image.getKey());
            entry.get("destinations").forEach(destination -> ((ObjectNode) destination).put("imageTag", tag(digest)));
            images.set(tag(digest), entry);
        }
        assets.set("dockerImages", images);
        Files.writeString(templateFile, template);
        String before = assets.get("files").properties().stream()
                .filter(file -> file.getValue().at("/source/path").asString("").equals(templateName)).map(Map.Entry::getKey).findFirst()
                .orElseThrow(() -> new UserFault(assetsFile.getFileName() + " does not name " + templateName));
        String after = ProjectFiles.digest(template.getBytes(StandardCharsets.UTF_8));
        Files.writeString(assetsFile, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(assets).replace(before, after));
        Path manifest = assembly.resolve("manifest.json");
        Files.writeString(manifest, Files.readString(manifest).replace(before, after));
    }

    /** Returns the digests of the images of an assembly by name; empty if it was built without images. */
    public static Map<String, String> of(Path assembly) {
        var images = new TreeMap<String, String>();
        if (!Files.exists(layout(assembly))) return images;
        try {
            for (Path file : manifests(assembly)) JSON.readTree(file).path("dockerImages").properties()
                    .forEach(image -> images.put(name(image.getValue()), "sha256:" + image.getKey()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the assets of " + assembly, e);
        }
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
        for (String stack : stacks) {
            for (var image : JSON.readTree(assembly.resolve(stack + ".assets.json")).path("dockerImages").properties()) {
                String digest = "sha256:" + image.getKey();
                if (!layout.has(digest)) throw new UserFault("the release lacks the image " + name(image.getValue()) + " (" + digest + ")");
                for (JsonNode destination : image.getValue().get("destinations")) {
                    String repository = destination.get("repositoryName").asString();
                    if (!pushed.add(repository + "@" + digest)) continue;
                    String role = destination.get("assumeRoleArn").asString().replace("${AWS::Partition}", "aws");
                    try {
                        access.assume(role, "lockstep-images").registry().push(layout, digest, repository,
                                destination.get("imageTag").asString());
                    } catch (IllegalStateException | UncheckedIOException e) {
                        throw new UserFault(
                                "image " + name(image.getValue()) + " was not pushed to account " + account.name() + ": " + e.getMessage(),
                                e);
                    }
                }
            }
        }
    }

    private static List<Path> manifests(Path assembly) throws IOException {
        try (var files = Files.list(assembly)) {
            return files.filter(file -> file.getFileName().toString().endsWith(".assets.json")).sorted().toList();
        }
    }

    private static String tag(String digest) {
        return digest.substring(digest.indexOf(':') + 1);
    }

    /** Returns the name of an image: its construct and, if set, its build stage. */
    private static String name(JsonNode image) {
        return image.path("displayName").asString("image")
                + Optional.ofNullable(image.at("/source/dockerBuildTarget").asString(null)).map(stage -> " " + stage).orElse("");
    }
}
