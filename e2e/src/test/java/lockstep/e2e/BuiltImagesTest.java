package lockstep.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.localcloud.ContainerImages;
import lockstep.localcloud.JavaFunctions;
import lockstep.localcloud.Projection;
import lockstep.assembly.Assembly.DockerImage;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import lockstep.registry.ImageLayout;
import lockstep.registry.TestingImage;
import lockstep.release.BuiltImages;
import lockstep.release.Cdk;
import lockstep.release.ReleaseArchive;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Builds the images of the application's own assembly with a fake engine that returns an image for each source. The real engine is tested
 * by hand.
 */
class BuiltImagesTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Pattern IMAGE = Pattern.compile("\"[^\"]*\\.dkr\\.ecr\\.[^\"]*\"");
    @TempDir private static Path directory;
    private static ProjectFiles files;
    private static Path synthesized;
    private static Path built;
    private static final List<DockerImage> ASKED = new ArrayList<>();

    @BeforeAll
    static void build() {
        var launcher = ProjectFiles.ofLauncher();
        files = new ProjectFiles(launcher.project(), launcher.tools(), directory.resolve("cloud"));
        files.create();
        synthesized = new Cdk(files, "eu-central-1").synthesize(files.project().resolve("lockstep.yaml"));
        built = directory.resolve("built");
        BuiltImages.build(synthesized, built, source -> {
            ASKED.add(source);
            return image(source, "");
        });
    }

    /** @param what additional contents of the image, such as newer packages */
    private static Path image(DockerImage source, String what) {
        return TestingImage.saved(directory.resolve("image.tar"), "base" + what,
                source.context().getFileName() + source.stage().orElse(""));
    }

    private static TreeMap<String, String> texts(Path assembly, String suffix) throws IOException {
        try (var found = Files.list(assembly)) {
            var texts = new TreeMap<String, String>();
            for (Path file : found.filter(f -> f.getFileName().toString().endsWith(suffix)).toList())
                texts.put(file.getFileName().toString(), Files.readString(file));
            return texts;
        }
    }

    @Test
    void eachImageIsBuiltOnce() {
        assertEquals(
                Set.of("Application/Image", "Engine/Image", "Proxy/GatewayImage", "Proxy/NginxImage production", "Proxy/NginxImage demo"),
                BuiltImages.of(built).keySet());
        assertEquals(5, new HashSet<>(BuiltImages.of(built).values()).size());
        assertEquals(5, ASKED.size(), ASKED::toString);
        assertEquals(Set.of(Optional.empty(), Optional.of("production"), Optional.of("demo")),
                ASKED.stream().map(DockerImage::stage).collect(Collectors.toSet()));
        ASKED.forEach(source -> assertEquals(Optional.of("linux/amd64"), source.platform()));
        assertEquals(Map.of(), BuiltImages.of(synthesized));
    }

    /** In every account, templates use digests and no movable tags. */
    @Test
    void templatesNameImagesByDigest() throws IOException {
        var named = new TreeSet<String>();
        int names = 0;
        for (String template : texts(built, ".template.json").values()) {
            for (var image : IMAGE.matcher(template).results().toList()) {
                assertTrue(
                        image.group()
                                .matches("\"\\d{12}\\.dkr\\.ecr\\.eu-central-1\\.\\$\\{AWS::URLSuffix}/[a-z0-9-]+@sha256:[0-9a-f]{64}\""),
                        image.group());
                named.add(image.group().replaceAll(".*@|\"", ""));
                names++;
            }
        }
        assertEquals(new TreeSet<>(BuiltImages.of(built).values()), named);
        assertTrue(names >= 12, "three accounts with three and more: " + names);
        for (String digest : named) assertTrue(new ImageLayout(built.resolve("images")).has(digest));
        // nothing else in the templates is changed
        var before = texts(synthesized, ".template.json");
        texts(built, ".template.json")
                .forEach((name, template) -> assertEquals(withoutImages(before.get(name)), withoutImages(template), name));
    }

    private static JsonNode withoutImages(String template) {
        return JSON.readTree(IMAGE.matcher(template).replaceAll("\"image\""));
    }

    /** The CDK skips images whose tag exists, and templates whose digest exists. */
    @Test
    void manifestsSayWhatTheTemplatesAre() throws IOException {
        var manifest = JSON.readTree(built.resolve("manifest.json")).get("artifacts");
        int changed = 0;
        for (var assets : texts(built, ".assets.json").entrySet()) {
            var json = JSON.readTree(assets.getValue());
            for (var image : json.path("dockerImages").properties()) {
                image.getValue().get("destinations")
                        .forEach(destination -> assertEquals(image.getKey(), destination.get("imageTag").asString()));
                assertTrue(Files.exists(built.resolve(image.getValue().at("/source/directory").asString()).resolve("Dockerfile")),
                        "the local cloud runs from contexts");
            }
            String stack = assets.getKey().replace(".assets.json", "");
            String url = manifest.at("/" + stack + "/properties/stackTemplateAssetObjectUrl").asString();
            var template = json.get("files").properties().stream()
                    .filter(file -> file.getValue().at("/source/path").asString().equals(stack + ".template.json")).findFirst()
                    .orElseThrow();
            template.getValue().get("destinations")
                    .forEach(destination -> assertEquals(template.getKey() + ".json", destination.get("objectKey").asString()));
            assertTrue(url.endsWith("/" + template.getKey() + ".json"), url);
            if (json.path("dockerImages").isEmpty()) continue;
            assertEquals(ProjectFiles.digest(Files.readAllBytes(built.resolve(stack + ".template.json"))), template.getKey(), stack);
            changed++;
        }
        assertTrue(changed >= 6, "stacks with images: " + changed);
    }

    /** Otherwise an account would keep using the image of an earlier release. */
    @Test
    void anotherBuildOfTheSameContextIsAnotherImage() throws IOException {
        Path again = directory.resolve("again");
        BuiltImages.build(synthesized, again, source -> image(source, ""));
        assertTrue(texts(built, ".json").equals(texts(again, ".json")), "what is the same is the same");
        Path later = directory.resolve("later");
        BuiltImages.build(synthesized, later, source -> image(source, " of another day"));
        assertTrue(BuiltImages.of(later).values().stream().noneMatch(BuiltImages.of(built)::containsValue));
        assertNotEquals(texts(built, ".template.json"), texts(later, ".template.json"));
    }

    @Test
    void theReleaseNamesItsImages() {
        var archive = ReleaseArchive.pack(built, files.project().resolve("lockstep.yaml"), "1.0.0", Optional.empty(),
                directory.resolve("1.0.0.zip"));
        assertEquals(BuiltImages.of(built), ReleaseArchive.of(archive.file()).release().images());
        ReleaseArchive.of(archive.file()).release().images().forEach((name, digest) -> assertTrue(digest.startsWith("sha256:"), name));
        Path unpacked = archive.unpack(directory.resolve("unpacked")).assembly();
        assertEquals(BuiltImages.of(built), BuiltImages.of(unpacked));
        BuiltImages.of(unpacked).values().forEach(digest -> assertTrue(new ImageLayout(unpacked.resolve("images")).has(digest)));
    }

    /** The same archive runs in the local cloud, which uses the build contexts. */
    @Test
    void theLocalCloudTakesItToo() throws IOException {
        String named = IMAGE.matcher(texts(built, ".template.json").get("demo-shard-demo-1.template.json")).results().findFirst()
                .orElseThrow().group().replace("\"", "");
        var image = new ContainerImages(built, directory.resolve("laid-out")).layOut(named).image();
        assertTrue(image.command().contains("serve"), image::toString);
        new Projection(JavaFunctions.runtime(files)).project(built, files.assembly());
        assertEquals(Map.of(), ContainerImages.sources(files.assembly()));
        assertFalse(Files.exists(files.assembly().resolve("images")), "what nobody pushes is not copied");
    }

    @Test
    void whatABuildWouldTakeAndLockstepDoesNotKnowIsRefused() throws IOException {
        Path other = directory.resolve("other");
        ProjectFiles.copy(synthesized, other, Set.of());
        Path assets = other.resolve("demo-shard-demo-1.assets.json");
        Files.writeString(assets, Files.readString(assets).replace("\"platform\"", "\"dockerBuildSecrets\": {}, \"platform\""));
        var refused = assertThrows(UserFault.class,
                () -> BuiltImages.build(other, directory.resolve("refused"), source -> image(source, "")));
        assertEquals(
                "demo-shard-demo-1.assets.json: lockstep builds images with directory, dockerBuildTarget, platform and does not support "
                        + "dockerBuildSecrets",
                refused.getMessage());
    }
}
