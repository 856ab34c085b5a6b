package lockstep.assembly;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.landscape.Account;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The cloud assembly that the CDK application synthesized. */
public final class Assembly {
    public static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * A stack.
     *
     * @param file   the template file
     * @param images the Docker images by the hash that container definitions use
     * @param files  the asset files by hash
     */
    public record Stack(String name, String accountId, String file, JsonNode template, boolean terminationProtection,
            Map<String, DockerImage> images, Map<String, Path> files) {
        public JsonNode resources() {
            return template.path("Resources");
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
    }

    /** @param stage the last stage if empty */
    public record DockerImage(String hash, Path context, Optional<String> stage) {}

    private final Path directory;
    private final Map<String, Stack> stacks = new TreeMap<>();

    public Assembly(Path directory) {
        this.directory = directory;
        for (var artifact : JSON.readTree(directory.resolve("manifest.json")).path("artifacts").properties()) {
            if (artifact.getValue().path("type").asString("").equals("aws:cloudformation:stack"))
                stacks.put(artifact.getKey(), stack(artifact.getKey(), artifact.getValue()));
        }
    }

    private Stack stack(String name, JsonNode artifact) {
        var properties = artifact.path("properties");
        String file = properties.path("templateFile").asString();
        Path assetsFile = directory.resolve(file.replace(".template.json", ".assets.json"));
        JsonNode assets = Files.exists(assetsFile) ? JSON.readTree(assetsFile) : JSON.createObjectNode();
        var images = new TreeMap<String, DockerImage>();
        assets.path("dockerImages").properties().forEach(image -> {
            var source = image.getValue().path("source");
            images.put(image.getKey(), new DockerImage(image.getKey(), directory.resolve(source.path("directory").asString()).normalize(),
                    Optional.ofNullable(source.path("dockerBuildTarget").asString(null))));
        });
        var files = new TreeMap<String, Path>();
        assets.path("files").properties()
                .forEach(asset -> files.put(asset.getKey(), directory.resolve(asset.getValue().at("/source/path").asString()).normalize()));
        return new Stack(name, artifact.path("environment").asString("").replaceAll("^aws://([^/]*)/.*", "$1"), file,
                JSON.readTree(directory.resolve(file)),
                properties.path("terminationProtection").asBoolean(false), images, files);
    }

    public List<Stack> stacksOf(Account account) {
        return stacks.values().stream().filter(stack -> stack.accountId().equals(account.id())).toList();
    }

    public List<Stack> stacks() {
        return List.copyOf(stacks.values());
    }

    /** Returns the stack that exports a value with this name. */
    public Optional<Stack> exporting(String export) {
        return Optional.ofNullable(stacks.get(export.replaceAll(":.*", "")));
    }

    List<String> stackNames() {
        return new ArrayList<>(stacks.keySet());
    }
}
