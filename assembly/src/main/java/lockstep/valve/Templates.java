package lockstep.valve;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Assembly;
import lockstep.assembly.Evaluator;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The templates of all accounts, with references resolved to the names and ARNs that the resources will have. A name that CloudFormation
 * generates is replaced by the stack name and logical id. A value that cannot be determined is {@link Glob#UNKNOWN}.
 */
public final class Templates {
    /**
     * Types whose resources are in no template of the assembly. The empty string stands for entries that are not resources, such as {@code
     * Fn::ForEach}.
     */
    private static final Set<String> UNREADABLE = Set.of("", "AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet",
            "AWS::ServerlessRepo::Application");

    /** The property with a resource's name, its ARN after {@code arn:aws:}, and the attribute with the name if {@code Ref} is the ARN. */
    private record Naming(String property, String arn, String nameAttribute) {}

    private static final Map<String, Naming> NAMED = Map.of(
            "AWS::Lambda::Function", new Naming("FunctionName", "lambda%sfunction:%s", ""),
            "AWS::Logs::LogGroup", new Naming("LogGroupName", "logs%slog-group:%s:*", ""),
            "AWS::Events::EventBus", new Naming("Name", "events%sevent-bus/%s", ""),
            "AWS::DynamoDB::Table", new Naming("TableName", "dynamodb%stable/%s", ""),
            "AWS::ECR::Repository", new Naming("RepositoryName", "ecr%srepository/%s", ""),
            "AWS::SNS::Topic", new Naming("TopicName", "sns%s%s", "TopicName"),
            "AWS::StepFunctions::StateMachine", new Naming("StateMachineName", "states%sstateMachine:%s", "Name"));

    /** @param reference the value of {@code Ref} @param arn its ARN, or a substitute @param properties the resolved properties */
    record Resource(Account account, String stack, String logicalId, String type, String reference, String arn, JsonNode properties) {
        JsonNode property(String name) {
            return properties.path(name);
        }

        String text(String name) {
            return properties.path(name).asString("");
        }

        /** Returns the texts at a path of property names, through lists. */
        List<String> texts(String path) {
            var nodes = List.of(properties);
            for (String name : path.split("\\."))
                nodes = nodes.stream().flatMap(node -> Evaluator.elements(node).stream()).map(node -> node.path(name)).toList();
            return nodes.stream().flatMap(node -> Statement.strings(node).stream()).toList();
        }

        String id() {
            return stack + "/" + logicalId;
        }
    }

    private final Landscape landscape;
    private final Map<String, Stack> stacks = new TreeMap<>();
    private final List<Resource> resources = new ArrayList<>();
    private final Map<String, Resource> byName = new HashMap<>();
    private final Resolver resolver;

    /**
     * @param bootstrap the stacks that exist before the first deployment
     * @throws IllegalArgumentException if the assembly and the landscape have different accounts
     */
    public Templates(Landscape landscape, Assembly assembly, List<Stack> bootstrap) {
        this(landscape, Stream.concat(assembly.stacks().stream(), bootstrap.stream()).toList());
        for (var account : landscape.accounts()) {
            if (!account.shards().isEmpty() && assembly.stacksOf(account).isEmpty())
                throw new IllegalArgumentException("the assembly has no stack of account %s (%s); synthesize it again from this landscape"
                        .formatted(account.name(), account.id()));
        }
    }

    public Templates(Landscape landscape, List<Stack> all) {
        this.landscape = landscape;
        all.forEach(stack -> stacks.put(stack.name(), stack));
        resolver = new Resolver(stacks.values());
        for (Stack stack : stacks.values()) {
            var account = landscape.accounts().stream().filter(known -> known.id().equals(stack.accountId())).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            "stack %s is for account %s, which the landscape does not name".formatted(stack.name(), stack.accountId())));
            if (stack.template().has("Transform")) throw unreadable(stack, "Transform");
            stack.resources().properties().stream().filter(resource -> UNREADABLE.contains(resource.getValue().path("Type").asString("")))
                    .findFirst().ifPresent(resource -> {
                        throw unreadable(stack, resource.getKey());
                    });
            stack.resources().properties().stream()
                    .filter(resource -> resolver.holds(stack, resource.getValue().path("Condition").asString("")).orElse(true))
                    .forEach(resource -> resources
                            .add(new Resource(account, stack.name(), resource.getKey(), resource.getValue().path("Type").asString(""),
                                    resolver.reference(stack, resource.getKey(), "Ref"),
                                    resolver.reference(stack, resource.getKey(), "Arn"),
                                    resolver.resolve(stack, resource.getValue().path("Properties")))));
        }
        for (Resource resource : resources) {
            // an attachment has the reference of the secret it is attached to
            if (resource.type().equals("AWS::SecretsManager::SecretTargetAttachment")) continue;
            byName.putIfAbsent(resource.reference(), resource);
            byName.putIfAbsent(resource.arn(), resource);
        }
    }

    private static IllegalArgumentException unreadable(Stack stack, String what) {
        return new IllegalArgumentException(
                "stack %s: what %s creates is in no template, so nothing can be proven; define the resources in the stack itself"
                        .formatted(stack.name(), what));
    }

    Landscape landscape() {
        return landscape;
    }

    int stackCount() {
        return stacks.size();
    }

    List<Resource> resources() {
        return resources;
    }

    Stream<Resource> ofType(String type) {
        return resources.stream().filter(resource -> resource.type().equals(type));
    }

    /** Returns the resource with a resolved reference or ARN, or with an attribute such as {@code STACK/ID.VpcId}. */
    Optional<Resource> named(String reference) {
        return Optional.ofNullable(byName.getOrDefault(reference, byName.get(reference.replaceFirst("^([^:/]+/\\w+)\\.\\w+$", "$1"))));
    }

    /** Resolves references to the names and ARNs that the resources will have. */
    private final class Resolver extends Evaluator {
        private final Set<String> resolving = new HashSet<>();
        /** Set when a condition could not be decided. */
        private boolean undecided;

        Resolver(Collection<Stack> stacks) {
            super(stacks);
        }

        /** With an undecided condition, an Allow applies and a Deny does not. */
        @Override
        protected JsonNode object(Stack stack, ObjectNode object) {
            if (!object.path("Effect").asString("").equals("Deny")) return super.object(stack, object);
            undecided = false;
            var denial = super.object(stack, object);
            return undecided ? NOTHING : denial;
        }

        @Override
        protected JsonNode unknown(String function, JsonNode value) {
            if (!function.equals("Fn::If")) return super.unknown(function, value);
            undecided = true;
            var either = Assembly.JSON.createArrayNode();
            value.valueStream().skip(1).flatMap(branch -> elements(branch).stream())
                    .filter(branch -> !branch.path("Effect").asString("").equals("Deny")).forEach(either::add);
            return either;
        }

        @Override
        protected String reference(Stack stack, String id, String attribute) {
            String key = stack.name() + "/" + id + "." + attribute;
            if (!resolving.add(key)) return UNKNOWN; // a circular reference
            try {
                var resource = stack.resources().path(id);
                return attribute(stack, id, attribute, resource.path("Type").asString(""), resource.path("Properties"));
            } finally {
                resolving.remove(key);
            }
        }
    }

    private String attribute(Stack stack, String id, String attribute, String type, JsonNode properties) {
        String here = ":" + stack.region() + ":" + stack.accountId() + ":";
        String generatedName = stack.name() + "-" + id;
        boolean arn = attribute.equals("Arn") || attribute.endsWith("Arn");
        var naming = NAMED.get(type);
        if (naming != null) {
            String name = propertyOr(stack, properties, naming.property(), generatedName);
            boolean isName = naming.nameAttribute().isEmpty() ? !arn : attribute.equals(naming.nameAttribute());
            return isName ? name : "arn:aws:" + naming.arn().formatted(here, name);
        }
        return switch (type) {
            case "AWS::S3::Bucket" -> {
                String name = propertyOr(stack, properties, "BucketName", generatedName.toLowerCase(Locale.ROOT));
                yield arn ? "arn:aws:s3:::" + name : name;
            }
            case "AWS::IAM::Role", "AWS::IAM::User" -> {
                String name = propertyOr(stack, properties, type.endsWith("Role") ? "RoleName" : "UserName", generatedName);
                yield arn ? "arn:aws:iam::" + stack.accountId() + ":" + (type.endsWith("Role") ? "role" : "user")
                        + propertyOr(stack, properties, "Path", "/") + name : name;
            }
            case "AWS::IAM::ManagedPolicy" -> "arn:aws:iam::" + stack.accountId() + ":policy" + propertyOr(stack, properties, "Path", "/")
                    + propertyOr(stack, properties, "ManagedPolicyName", generatedName);
            case "AWS::IAM::OIDCProvider" -> "arn:aws:iam::" + stack.accountId() + ":oidc-provider/"
                    + propertyOr(stack, properties, "Url", generatedName).replace("https://", "");
            case "AWS::KMS::Key", "AWS::KMS::ReplicaKey" -> arn ? "arn:aws:kms" + here + "key/" + generatedName : generatedName;
            case "AWS::KMS::Alias" -> propertyOr(stack, properties, "AliasName", generatedName);
            case "AWS::SQS::Queue" -> {
                String name = propertyOr(stack, properties, "QueueName", generatedName);
                yield arn ? "arn:aws:sqs" + here + name : attribute.equals("QueueName") ? name
                        : "https://sqs." + stack.region() + ".amazonaws.com/" + stack.accountId() + "/" + name;
            }
            case "AWS::SecretsManager::Secret" ->
                    "arn:aws:secretsmanager" + here + "secret:" + propertyOr(stack, properties, "Name", generatedName) + "-000000";
            case "AWS::SecretsManager::SecretTargetAttachment" -> propertyOr(stack, properties, "SecretId", Glob.UNKNOWN);
            default -> arn ? "arn:aws:" + type.replaceAll("^AWS::([^:]*)::.*", "$1").toLowerCase(Locale.ROOT) + here + generatedName
                    // Ref and GroupId of a security group are the same
                    : attribute.equals("Ref") || attribute.equals("GroupId") ? stack.name() + "/" + id
                    : stack.name() + "/" + id + "." + attribute;
        };
    }

    private String propertyOr(Stack stack, JsonNode properties, String name, String otherwise) {
        return properties.has(name) ? resolver.textOf(stack, properties.get(name)) : otherwise;
    }
}
