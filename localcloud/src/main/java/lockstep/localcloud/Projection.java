package lockstep.localcloud;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import lockstep.assembly.Assembly;
import lockstep.assembly.Assembly.DockerImage;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Evaluator;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import lockstep.release.BuiltImages;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Copies a synthesized assembly to one that the emulator can deploy. {@link #REWRITES} lists all differences between the two. The
 * CDK application is unaware of them.
 */
public final class Projection {

    /** A difference and its reason. */
    sealed interface Rewrite {
        String reason();
    }

    /** Removes resources of a type that the emulator does not support. */
    record Remove(String type, String reason) implements Rewrite {}

    /** Removes resources of a type that set a property that the emulator refuses. */
    record RemoveWith(String type, String property, String reason) implements Rewrite {}

    /** Replaces a managed runtime that the emulator runs only in a container with one that it runs as a process. */
    record Runtime(String from, String to, String reason) implements Rewrite {}

    /** Lets the account assume roles that otherwise only an AWS service may assume. */
    record Trust(String service, String reason) implements Rewrite {}

    /** Removes the images, so that none are built, uploaded or taken from a release. */
    record Images(String reason) implements Rewrite {}

    /**
     * Changes the case of keys below a property of task definitions. The emulator's CloudFormation passes them on unchanged, but its ECS
     * expects a different case.
     */
    record TaskKeys(String property, String reason) implements Rewrite {}

    /** Removes an update policy that needs something the emulator does not support. */
    record WithoutPolicy(String key, String reason) implements Rewrite {}

    /**
     * Replaces {@code Ref} to secrets by an attribute that has the same value on AWS. Those of created databases are referred to by their
     * attachments.
     */
    record Reference(String type, String attribute, String reason) implements Rewrite {}

    static final List<Rewrite> REWRITES = List.of(
            new Remove("AWS::EC2::FlowLog", "nothing flows through the emulated network"),
            new Remove("AWS::EC2::SecurityGroupIngress", "nothing is filtered in the emulated network"),
            new Remove("AWS::EC2::SecurityGroupEgress", "nothing is filtered in the emulated network"),
            new Remove("AWS::ApplicationAutoScaling::ScalableTarget", "one task of each service runs"),
            new Remove("AWS::ApplicationAutoScaling::ScalingPolicy", "one task of each service runs"),
            new Remove("AWS::WAFv2::WebACLAssociation", "no request passes the emulated load balancer: browsers connect to nginx directly"),
            new Remove("AWS::WAFv2::LoggingConfiguration", "no request passes the emulated firewall"),
            new RemoveWith("AWS::CloudWatch::Alarm", "Metrics",
                    "the emulator has no metrics of load balancers, and no alarms on metric math"),
            new Remove("AWS::IAM::OIDCProvider",
                    "the emulator compares a token's issuer, aud and sub with the role's trust, but verifies no signature"),
            new Remove("AWS::CodeDeploy::Application", "there is no CodeDeploy: an alias moves to a new version at once"),
            new Remove("AWS::CodeDeploy::DeploymentGroup", "there is no CodeDeploy: an alias moves to a new version at once"),
            new WithoutPolicy("CodeDeployLambdaAliasUpdate", "there is no CodeDeploy: an alias moves to a new version at once"),
            new Trust("ecs-tasks.amazonaws.com",
                    "tasks are processes of this machine: the one that starts them assumes their roles, as ECS would"),
            new Images("there is no container engine: a task's processes run from the files that its image would contain"),
            new Reference("AWS::SecretsManager::Secret", "Id",
                    "in the emulator Ref returns its name, but policies and tasks need its ARN"),
            new TaskKeys("ContainerDefinitions", "the emulator's ECS expects secrets, dependsOn, healthCheck and others in lower case"),
            new TaskKeys("Volumes", "the emulator's ECS expects their keys in lower case"),
            new Runtime("java25", "provided.al2023",
                    "managed Java runtimes need a container engine; here the same jar runs on this machine's JDK"));

    private final Map<String, byte[]> runtime;
    /** The digest of the archive by digest of the packed jar; stacks share one jar. */
    private final Map<String, String> packed = new TreeMap<>();

    /** @param runtime the files by path that are added to a Java function in place of the managed runtime */
    public Projection(Map<String, byte[]> runtime) {
        this.runtime = new TreeMap<>(runtime);
    }

    /** Writes the projection of one assembly; the target is replaced. */
    public void project(Path synthesized, Path target) {
        try {
            ProjectFiles.deleteTree(target);
            packed.clear();
            ProjectFiles.copy(synthesized, target,
                    Stream.concat(Stream.of(BuiltImages.layout(synthesized)),
                            ContainerImages.sources(synthesized).values().stream().map(DockerImage::context))
                            .collect(Collectors.toSet()));
            var copy = new Assembly(target);
            for (var stack : copy.stacks()) projectStack(copy, stack);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot project " + synthesized, e);
        }
    }

    private void projectStack(Assembly assembly, Stack stack) throws IOException {
        var template = (ObjectNode) stack.template();
        var assets = (ObjectNode) stack.assets();
        var replaced = new LinkedHashMap<String, String>();
        for (Rewrite rewrite : REWRITES) {
            switch (rewrite) {
                case Remove remove -> remove(template, resource -> isOf(resource, remove.type()));
                case RemoveWith remove -> remove(template, resource -> isRemoved(resource, remove));
                case WithoutPolicy policy -> withoutPolicy(template, policy);
                case Trust trust -> trust(template, trust, stack.accountId());
                case Images images -> assets.putObject("dockerImages");
                case Reference reference -> replaceReferences(template, unattached(template, reference), reference.attribute());
                case TaskKeys keys -> changeKeyCase(template, keys);
                case Runtime runtime -> replaceRuntime(stack.directory(), template, assets, runtime, replaced);
            }
        }
        var dangling = dangling(stack);
        if (!dangling.isEmpty()) {
            throw new UserFault("the projection of " + stack.file() + " removed resources that others refer to: " + dangling);
        }
        assembly.write(stack, template);
    }

    // --- resource types that the emulator lacks ---

    static boolean isRemoved(JsonNode resource, RemoveWith rule) {
        return isOf(resource, rule.type()) && resource.path("Properties").has(rule.property());
    }

    private static boolean isOf(JsonNode resource, String type) {
        return resource.get("Type").asString().equals(type);
    }

    private static void remove(ObjectNode template, Predicate<JsonNode> rule) {
        var resources = (ObjectNode) template.get("Resources");
        var gone = resources.properties().stream()
                .filter(r -> rule.test(r.getValue()))
                .map(Map.Entry::getKey).collect(Collectors.toCollection(TreeSet::new));
        if (gone.isEmpty()) {
            return;
        }
        resources.remove(gone);
        for (JsonNode resource : resources) {
            switch (resource.get("DependsOn")) {
                case ArrayNode several -> several.removeIf(name -> gone.contains(name.asString()));
                case JsonNode one when gone.contains(one.asString()) -> ((ObjectNode) resource).remove("DependsOn");
                case null, default -> {}
            }
        }
    }

    static boolean hasPolicy(JsonNode resource, String key) {
        return resource.path("UpdatePolicy").has(key);
    }

    private static void withoutPolicy(ObjectNode template, WithoutPolicy rule) {
        for (JsonNode resource : template.get("Resources")) {
            if (hasPolicy(resource, rule.key())) {
                var policies = (ObjectNode) resource.get("UpdatePolicy");
                policies.remove(rule.key());
                if (policies.isEmpty()) ((ObjectNode) resource).remove("UpdatePolicy");
            }
        }
    }

    // --- references ---

    static Set<String> unattached(JsonNode template, Reference rule) {
        var resources = template.get("Resources");
        var attached = resources.valueStream().map(resource -> resource.at("/Properties/SecretId/Ref").asString("")).toList();
        return resources.properties().stream()
                .filter(r -> r.getValue().get("Type").asString().equals(rule.type()) && !attached.contains(r.getKey()))
                .map(Map.Entry::getKey).collect(Collectors.toCollection(TreeSet::new));
    }

    private static void replaceReferences(JsonNode node, Set<String> names, String attribute) {
        if (node instanceof ObjectNode object && object.size() == 1 && names.contains(object.path("Ref").asString(""))) {
            String name = object.remove("Ref").asString();
            object.putArray("Fn::GetAtt").add(name).add(attribute);
        } else {
            node.forEach(child -> replaceReferences(child, names, attribute));
        }
    }

    // --- tasks ---

    static boolean isTrusted(JsonNode resource, String service) {
        return resource.get("Type").asString().equals("AWS::IAM::Role")
                && resource.at("/Properties/AssumeRolePolicyDocument/Statement").valueStream()
                        .anyMatch(s -> s.at("/Principal/Service").asString("").equals(service));
    }

    private static void trust(ObjectNode template, Trust rule, String account) {
        for (JsonNode resource : template.get("Resources")) {
            if (isTrusted(resource, rule.service())) {
                var statement = ((ArrayNode) resource.at("/Properties/AssumeRolePolicyDocument/Statement")).addObject();
                statement.put("Action", "sts:AssumeRole").put("Effect", "Allow").putObject("Principal").put("AWS",
                        "arn:aws:iam::" + account + ":root");
            }
        }
    }

    private static void changeKeyCase(ObjectNode template, TaskKeys rule) {
        for (JsonNode resource : template.get("Resources")) {
            if (resource.get("Type").asString().equals("AWS::ECS::TaskDefinition")) {
                resource.at("/Properties/" + rule.property()).forEach(Projection::changeKeyCase);
            }
        }
    }

    /** Makes the first letter of keys lowercase, except in CloudFormation functions and their contents. */
    private static void changeKeyCase(JsonNode node) {
        switch (node) {
            case ObjectNode object when !Evaluator.isFunction(object) -> {
                for (String key : List.copyOf(object.propertyNames())) {
                    JsonNode value = object.remove(key);
                    changeKeyCase(value);
                    object.set(key.substring(0, 1).toLowerCase(Locale.ROOT) + key.substring(1), value);
                }
            }
            case ArrayNode array -> array.forEach(Projection::changeKeyCase);
            default -> {}
        }
    }

    /** Returns the referenced names that do not exist. */
    static Set<String> dangling(Stack stack) {
        var missing = new TreeSet<String>();
        for (JsonNode resource : stack.resources())
            Evaluator.elements(resource.path("DependsOn")).forEach(name -> missing.add(name.asString()));
        missing.removeAll(stack.resources().propertyNames());
        new Evaluator(List.of(stack)) {
            @Override
            protected String parameter(Stack stack, String name) {
                if (!name.startsWith("AWS::") && !stack.template().path("Parameters").has(name)) missing.add(name);
                return name;
            }
        }.resolve(stack, stack.template());
        return missing;
    }

    // --- functions ---

    private void replaceRuntime(Path assembly, ObjectNode template, ObjectNode assets, Runtime rule, Map<String, String> replaced)
            throws IOException {
        for (JsonNode resource : template.get("Resources")) {
            if (!resource.get("Type").asString().equals("AWS::Lambda::Function")
                    || !resource.at("/Properties/Runtime").asString("").equals(rule.from())) {
                continue;
            }
            var properties = (ObjectNode) resource.get("Properties");
            var code = (ObjectNode) properties.get("Code");
            String before = code.get("S3Key").asString().replaceAll("\\..*", "");
            if (!replaced.containsKey(before)) {
                replaced.put(before, replaceAsset(assembly, assets, before));
            }
            properties.put("Runtime", rule.to());
            // only managed runtimes have it
            properties.remove("SnapStart");
            code.put("S3Key", replaced.get(before) + ".zip");
        }
    }

    /** Packs the jar and the bootstrap as a function with a custom runtime. The runtime interface client expects the jar in lib/. */
    private String replaceAsset(Path assembly, ObjectNode assets, String before) throws IOException {
        var files = (ObjectNode) assets.get("files");
        var asset = (ObjectNode) files.remove(before);
        Path jar = assembly.resolve(asset.at("/source/path").asString());
        if (!jar.getFileName().toString().endsWith(".jar")) {
            throw new UserFault("a Java function's asset is a jar, not " + jar.getFileName());
        }
        String after = packed.get(before);
        if (after == null) {
            var entries = new TreeMap<>(runtime);
            entries.put("lib/functions.jar", Files.readAllBytes(jar));
            byte[] archive = pack(entries);
            after = ProjectFiles.digest(archive);
            Files.write(assembly.resolve("asset." + after + ".zip"), archive);
            packed.put(before, after);
        }
        String key = after + ".zip";
        ((ObjectNode) asset.get("source")).put("path", "asset." + key).put("packaging", "file");
        asset.get("destinations").forEach(destination -> ((ObjectNode) destination).put("objectKey", key));
        files.set(after, asset);
        return after;
    }

    private static byte[] pack(SortedMap<String, byte[]> entries) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            zip.setLevel(0);
            for (var entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()).setLastModifiedTime(FileTime.fromMillis(0)));
                zip.write(entry.getValue());
            }
        }
        return bytes.toByteArray();
    }
}
