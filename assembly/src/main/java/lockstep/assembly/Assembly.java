package lockstep.assembly;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.landscape.Account;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A cloud assembly that the CDK application synthesized, or a copy of one that is being changed. */
public final class Assembly {
    public static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * A stack.
     *
     * @param directory the directory of the assembly
     * @param artifact  its entry in the manifest of the assembly
     * @param assets    its asset manifest
     */
    public record Stack(String name, String accountId, String region, Path directory, JsonNode artifact, JsonNode template,
            JsonNode assets) {
        /** Creates a stack that is in no assembly. */
        public Stack(String name, String accountId, String region, JsonNode template) {
            this(name, accountId, region, Path.of(""), JSON.createObjectNode(), template, JSON.createObjectNode());
        }

        /** Returns the name of the template file. */
        public String file() {
            return artifact.at("/properties/templateFile").asString();
        }

        public boolean terminationProtection() {
            return artifact.at("/properties/terminationProtection").asBoolean(false);
        }

        public JsonNode resources() {
            return template.path("Resources");
        }

        /** Returns the resources of a type by logical id. */
        public Map<String, JsonNode> resources(String type) {
            var found = new TreeMap<String, JsonNode>();
            resources().properties().forEach(resource -> {
                if (resource.getValue().path("Type").asString("").equals(type)) found.put(resource.getKey(), resource.getValue());
            });
            return found;
        }

        /** Returns the construct path of a resource without the stack, such as {@code Database/Writer}. */
        public String place(String logicalId) {
            String path = resources().path(logicalId).at("/Metadata/aws:cdk:path").asString("");
            if (path.isEmpty()) return logicalId.replaceAll("[0-9A-F]{8}$", "");
            String place = path.substring(path.indexOf('/') + 1);
            String shorter = place.replaceAll("/(Resource|Default)$", "");
            boolean unique = resources().valueStream().map(r -> r.at("/Metadata/aws:cdk:path").asString(""))
                    .filter(other -> other.equals(name + "/" + shorter)).findAny().isEmpty();
            return unique ? shorter : place;
        }

        /** Returns the images by the hash that container definitions use. */
        public Map<String, DockerImage> images() {
            var images = new TreeMap<String, DockerImage>();
            assets.path("dockerImages").properties()
                    .forEach(image -> images.put(image.getKey(), new DockerImage(image.getKey(), directory, image.getValue())));
            return images;
        }

        /** Returns the asset files by hash. */
        public Map<String, Path> files() {
            var files = new TreeMap<String, Path>();
            assets.path("files").properties()
                    .forEach(asset -> files.put(asset.getKey(),
                            directory.resolve(asset.getValue().at("/source/path").asString()).normalize()));
            return files;
        }

        /** Returns a digest of everything that would be deployed. The template contains the digests of its assets. */
        public String fingerprint() {
            return ProjectFiles.digest((artifact.toString() + template).getBytes(StandardCharsets.UTF_8));
        }
    }

    /** @param asset its entry in the asset manifest */
    public record DockerImage(String hash, Path directory, JsonNode asset) {
        public Path context() {
            return directory.resolve(asset.at("/source/directory").asString()).normalize();
        }

        /** Returns the build stage; the last stage if empty. */
        public Optional<String> stage() {
            return Optional.ofNullable(asset.at("/source/dockerBuildTarget").asString(null));
        }

        public Optional<String> platform() {
            return Optional.ofNullable(asset.at("/source/platform").asString(null));
        }

        /** Returns its construct and, if set, its build stage. */
        public String name() {
            return asset.path("displayName").asString("image") + stage().map(stage -> " " + stage).orElse("");
        }
    }

    private final Path directory;
    private final List<Stack> stacks;
    private String manifest;

    public Assembly(Path directory) {
        this.directory = directory;
        var content = JSON.readTree(directory.resolve("manifest.json"));
        manifest = content.toString();
        var artifacts = content.path("artifacts").properties();
        artifacts.stream().filter(artifact -> artifact.getValue().path("type").asString("").equals("cdk:cloud-assembly")).findFirst()
                .ifPresent(nested -> {
                    throw new UserFault("the assembly contains the nested assembly " + nested.getKey() + "; write its stacks into the app");
                });
        stacks = artifacts.stream().filter(artifact -> artifact.getValue().path("type").asString("").equals("aws:cloudformation:stack"))
                .map(artifact -> stack(artifact.getKey(), artifact.getValue())).sorted(Comparator.comparing(Stack::name)).toList();
    }

    private Stack stack(String name, JsonNode artifact) {
        var environment = artifact.path("environment").asString("").replaceFirst("^aws://", "").split("/", 2);
        Path template = directory.resolve(artifact.at("/properties/templateFile").asString()), assets = assets(template);
        return new Stack(name, environment[0], environment[1], directory, artifact, JSON.readTree(template),
                Files.exists(assets) ? JSON.readTree(assets) : JSON.createObjectNode());
    }

    private static Path assets(Path template) {
        return template.resolveSibling(template.getFileName().toString().replace(".template.json", ".assets.json"));
    }

    /** Returns the stacks of an account, sorted by name. */
    public List<Stack> stacksOf(Account account) {
        return stacks.stream().filter(stack -> stack.accountId().equals(account.id())).toList();
    }

    public List<Stack> stacks() {
        return stacks;
    }

    /**
     * Writes a stack with another template and with its assets, which may have been changed. The CDK uploads a template under the digest of
     * its content, unless that exists already, so the digest is replaced in both manifests.
     */
    public void write(Stack stack, JsonNode template) {
        Path file = directory.resolve(stack.file());
        byte[] content = pretty(template);
        String before = stack.files().entrySet().stream().filter(asset -> asset.getValue().endsWith(stack.file())).map(Map.Entry::getKey)
                .findFirst().orElseThrow(() -> new UserFault(assets(file).getFileName() + " does not name " + stack.file()));
        String after = ProjectFiles.digest(content);
        manifest = manifest.replace(before, after);
        try {
            Files.write(file, content);
            Files.write(assets(file), pretty(JSON.readTree(stack.assets().toString().replace(before, after))));
            Files.write(directory.resolve("manifest.json"), pretty(JSON.readTree(manifest)));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    private static byte[] pretty(JsonNode content) {
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(content);
    }
}
