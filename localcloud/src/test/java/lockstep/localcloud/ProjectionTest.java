package lockstep.localcloud;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.zip.ZipFile;
import lockstep.assembly.Assembly;
import lockstep.assembly.Assembly.Stack;
import lockstep.project.ProjectFiles;
import lockstep.release.Cdk;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Tests the projection of infra's synthesized assembly against the features of the installed emulator. */
class ProjectionTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Set<String> SYNC_PATH = Set.of("AWS::StepFunctions::StateMachine", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy",
            "AWS::SNS::Subscription",
            "AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::S3::Bucket",
            "AWS::S3::BucketPolicy",
            "AWS::KMS::Key", "AWS::KMS::Alias", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission", "AWS::SecretsManager::Secret",
            "AWS::SecretsManager::SecretTargetAttachment");

    @TempDir private static Path directory;
    private static ProjectFiles files;
    private static Path synthesized;

    @BeforeAll
    static void synthesizeAndProject() {
        var launcher = ProjectFiles.ofLauncher();
        files = new ProjectFiles(launcher.project(), launcher.tools(), directory.resolve("cloud"));
        files.create();
        synthesized = new Cdk(files, "eu-central-1").synthesize(files.project().resolve("lockstep.yaml"));
        new Projection(JavaFunctions.runtime(files)).project(synthesized, files.assembly());
    }

    @Test
    void everyRewriteIsNeeded() throws IOException {
        var before = resources(synthesized).values();
        for (var rewrite : Projection.REWRITES) {
            assertTrue(switch (rewrite) {
                case Projection.Remove remove -> before.stream().anyMatch(r -> r.get("Type").asString().equals(remove.type()));
                case Projection.RemoveWith remove -> before.stream().anyMatch(r -> Projection.isRemoved(r, remove));
                case Projection.WithoutPolicy policy -> before.stream().anyMatch(r -> Projection.hasPolicy(r, policy.key()));
                case Projection.Trust trust -> before.stream().anyMatch(r -> Projection.isTrusted(r, trust.service()));
                case Projection.Images images -> !ContainerImages.sources(synthesized).isEmpty();
                case Projection.Reference reference -> !unattached(reference).isEmpty();
                case Projection.TaskKeys keys -> before.stream().anyMatch(
                        r -> r.get("Type").asString().equals("AWS::ECS::TaskDefinition") && r.get("Properties").has(keys.property()));
                case Projection.Runtime runtime ->
                        before.stream().anyMatch(r -> r.at("/Properties/Runtime").asString("").equals(runtime.from()));
            }, "nothing is synthesized that " + rewrite + " applies to");
        }
        var supported = supported();
        for (var rewrite : Projection.REWRITES) {
            if (rewrite instanceof Projection.Remove remove) {
                assertFalse(supported.contains(remove.type()), "the emulator has " + remove.type() + " by now: take it off the list");
            }
        }
    }

    @Test
    void theEmulatorStillRefusesMetricMath() throws IOException {
        assertTrue(python("""
                from ministack.services.cloudformation import provisioners
                try:
                    provisioners._cw_metric_alarm_record("a", {"Metrics": [], "EvaluationPeriods": 1, "ComparisonOperator": \
                "LessThanThreshold", "Threshold": 1})
                except ValueError as refused:
                    print(refused)
                """).contains("MetricName and Namespace are required"));
    }

    @Test
    void theEmulatorStillSpellsTasksAsTheTemplateDoes() throws IOException {
        String registered = python("""
                from ministack.services import ecs
                from ministack.services.cloudformation import provisioners
                provisioners._ecs_task_def_create("Task", {"Family": "f", "Volumes": [{"Name": "v"}], "ContainerDefinitions": \
                [{"Secrets": [{"Name": "s"}]}]}, "stack")
                print(ecs._task_defs["f:1"]["containerDefinitions"], ecs._task_defs["f:1"]["volumes"])
                """);
        assertEquals("[{'secrets': [{'Name': 's'}]}] [{'Name': 'v'}]", registered.strip());
    }

    @Test
    void ofTasksOnlyTheSpellingDiffers() throws IOException {
        var before = resources(synthesized);
        resources(files.assembly()).forEach((name, resource) -> {
            if (resource.get("Type").asString().equals("AWS::ECS::TaskDefinition")) {
                assertEquals(before.get(name).toString().toLowerCase(Locale.ROOT),
                        resource.toString().replaceAll("\\{\"Fn::GetAtt\":\\[\"(\\w+)\",\"Id\"]}", "{\"Ref\":\"$1\"}")
                                .toLowerCase(Locale.ROOT),
                        name);
                for (var container : resource.at("/Properties/ContainerDefinitions")) {
                    assertTrue(container.has("name") && container.path("environment").valueStream()
                            .allMatch(variable -> variable.has("name") && variable.has("value")), name);
                }
            }
        });
    }

    @Test
    void aRoleOfATaskIsTrustedByItsAccountAsWellAndByNobodyElse() throws IOException {
        var before = resources(synthesized);
        resources(files.assembly()).forEach((name, resource) -> {
            if (Projection.isTrusted(resource, "ecs-tasks.amazonaws.com")) {
                var statements = (ArrayNode) resource.at("/Properties/AssumeRolePolicyDocument/Statement");
                String added = statements.remove(statements.size() - 1).at("/Principal/AWS").asString();
                String account = name.startsWith("production-") ? "111111111111" : name.startsWith("demo-") ? "222222222222"
                        : "333333333333";
                assertEquals("arn:aws:iam::" + account + ":root", added, name);
                assertEquals(before.get(name), resource, name);
            }
        });
    }

    @Test
    void noImageIsBuilt() throws IOException {
        assertEquals(Map.of(), ContainerImages.sources(files.assembly()));
        for (var source : ContainerImages.sources(synthesized).values()) {
            assertTrue(Files.exists(source.context().resolve("Dockerfile")), source::toString);
            assertFalse(Files.exists(files.assembly().resolve(source.context().getFileName())), "what nobody builds is not copied");
        }
    }

    @Test
    void theEmulatorSupportsAllThatIsLeft() throws IOException {
        var types = resources(files.assembly()).values().stream().map(r -> r.get("Type").asString())
                .collect(Collectors.toCollection(TreeSet::new));
        types.removeAll(supported());
        assertEquals(Set.of(), types);
    }

    /** Only the gradual traffic shift is removed; the alias and its target are unchanged. */
    @Test
    void ofAliasesOnlyTheStepsAreMissing() throws IOException {
        var after = resources(files.assembly());
        var aliases = new TreeSet<String>();
        resources(synthesized).forEach((name, resource) -> {
            if (resource.get("Type").asString().equals("AWS::Lambda::Alias")) {
                assertFalse(after.get(name).has("UpdatePolicy"), name);
                assertEquals(resource.get("Properties"), after.get(name).get("Properties"), name);
                aliases.add(name);
            }
        });
        assertEquals(3 * 3, aliases.size(), aliases::toString);
    }

    @Test
    void theSyncPathIsUntouched() throws IOException {
        var before = resources(synthesized);
        var after = resources(files.assembly());
        // all secrets of the sync have names
        var unattached = Projection.REWRITES.stream().filter(Projection.Reference.class::isInstance)
                .flatMap(r -> unattached((Projection.Reference) r).stream()).toList();
        before.forEach((name, resource) -> {
            if (SYNC_PATH.contains(resource.get("Type").asString()) && !Projection.isTrusted(resource, "ecs-tasks.amazonaws.com")
                    && !refersTo(resource, unattached)) {
                assertEquals(withoutWhatIsRemoved(resource, name, before), after.get(name), name);
            }
        });
    }

    /** The roles of the pipeline depend on the OIDC provider, which the emulator does not support. */
    private static JsonNode withoutWhatIsRemoved(JsonNode resource, String name, Map<String, JsonNode> all) {
        if (!(resource.get("DependsOn") instanceof ArrayNode several)) return resource;
        String template = name.substring(0, name.indexOf('/') + 1);
        var left = (ObjectNode) resource.deepCopy();
        ((ArrayNode) left.get("DependsOn"))
                .removeIf(other -> all.get(template + other.asString()).get("Type").asString().equals("AWS::IAM::OIDCProvider"));
        assertTrue(left.get("DependsOn").size() >= several.size() - 1, name);
        return left;
    }

    @Test
    void ofFunctionsOnlyRuntimeAndCodeDiffer() throws IOException {
        var before = resources(synthesized);
        resources(files.assembly()).forEach((name, resource) -> {
            if (resource.get("Type").asString().equals("AWS::Lambda::Function")) {
                var original = (ObjectNode) before.get(name);
                var projected = (ObjectNode) resource;
                for (var function : new ObjectNode[]{original, projected}) {
                    ((ObjectNode) function.get("Properties")).remove(List.of("Runtime", "SnapStart"));
                    ((ObjectNode) function.at("/Properties/Code")).remove("S3Key");
                }
                // references to secrets may differ: see REWRITES
                assertEquals(original,
                        JSON.readTree(projected.toString().replaceAll("\\{\"Fn::GetAtt\":\\[\"(\\w+)\",\"Id\"]}", "{\"Ref\":\"$1\"}")),
                        name);
            }
        });
    }

    @Test
    void nothingDanglesAndEveryAssetIsThere() throws IOException {
        for (var stack : new Assembly(files.assembly()).stacks()) assertEquals(Set.of(), Projection.dangling(stack), stack.name());
        try (var paths = Files.list(files.assembly())) {
            for (Path path : paths.toList()) {
                if (path.toString().endsWith(".assets.json")) {
                    JSON.readTree(path).get("files")
                            .forEach(asset -> assertTrue(Files.exists(files.assembly().resolve(asset.at("/source/path").asString())),
                                    path + ": " + asset));
                }
            }
        }
    }

    @Test
    void theJarOfTheFunctionsIsTheSame() throws IOException {
        Path zip = withSuffix(files.assembly(), ".zip");
        Path jar = withSuffix(synthesized, ".jar");
        try (var archive = new ZipFile(zip.toFile())) {
            try (var packed = archive.getInputStream(archive.getEntry("lib/functions.jar"))) {
                assertEquals(ProjectFiles.digest(Files.readAllBytes(jar)), ProjectFiles.digest(packed.readAllBytes()));
            }
            try (var bootstrap = archive.getInputStream(archive.getEntry("bootstrap"))) {
                assertTrue(new String(bootstrap.readAllBytes(), StandardCharsets.UTF_8).startsWith("#!/bin/sh\n"));
            }
        }
    }

    @Test
    void referencesOfAllKindsAreFound() {
        var template = JSON.readTree("""
                {"Parameters": {"P": {}}, "Resources": {"A": {"DependsOn": ["Gone1"], "Properties": {"x": {"Ref": "P"}, "y": {"Ref": \
                "AWS::Region"}}},
                 "B": {"DependsOn": "Gone2", "Properties": {"x": {"Fn::GetAtt": ["Gone3", "Arn"]}, "y": {"Fn::GetAtt": "Gone4.Arn"},
                   "z": {"Fn::Sub": "${Gone5}-${A.Arn}-${!Literal}"}, "w": {"Fn::Sub": ["${Own}", {"Own": {"Ref": "Gone6"}}]}}}}}
                """);
        assertEquals(Set.of("Gone1", "Gone2", "Gone3", "Gone4", "Gone5", "Gone6"),
                Projection.dangling(new Stack("stack", "111111111111", "eu-central-1", template)));
    }

    private static Set<String> unattached(Projection.Reference rule) {
        var found = new TreeSet<String>();
        try (var templates = Files.newDirectoryStream(synthesized, "*.template.json")) {
            templates.forEach(template -> found.addAll(Projection.unattached(JSON.readTree(template), rule)));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return found;
    }

    private static boolean refersTo(JsonNode resource, List<String> names) {
        return names.stream().anyMatch(name -> resource.toString().contains("{\"Ref\":\"" + name + "\"}"));
    }

    @Test
    void theEmulatorStillRefersToASecretByItsName() throws IOException {
        assertEquals("given", python("""
                from ministack.services.cloudformation import provisioners
                print(provisioners._sm_secret_create("Secret", {"Name": "given", "SecretString": "x"}, "stack")[0])
                """).strip());
    }

    private static Path withSuffix(Path directory, String suffix) throws IOException {
        try (var paths = Files.list(directory)) {
            return paths.filter(path -> path.toString().endsWith(suffix)).findFirst().orElseThrow();
        }
    }

    private static Map<String, JsonNode> resources(Path assembly) throws IOException {
        var found = new TreeMap<String, JsonNode>();
        try (var templates = Files.list(assembly)) {
            for (Path template : templates.filter(path -> path.toString().endsWith(".template.json")).toList()) {
                JSON.readTree(template).get("Resources").properties()
                        .forEach(r -> found.put(template.getFileName() + "/" + r.getKey(), r.getValue()));
            }
        }
        return found;
    }

    private static Set<String> supported() throws IOException {
        return python(
                "from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS\nprint('\\n'.join(_RESOURCE_HANDLERS))")
                .lines().collect(Collectors.toSet());
    }

    private static String python(String program) throws IOException {
        assertTrue(Files.exists(files.python()), "the emulator is not installed: run the tests by ./lockstep test");
        var process = new ProcessBuilder(files.python().toString(), "-c", program).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
