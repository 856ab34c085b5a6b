package lockstep.valve;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Assembly;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/**
 * The templates of all accounts, with references resolved to the names and ARNs that the resources will have. A name that CloudFormation
 * generates
 * is replaced by the stack name and logical id. A value that cannot be determined is {@link Glob#UNKNOWN}.
 */
public final class Templates {
    private static final Pattern SUBSTITUTION = Pattern.compile("\\$\\{([^!}]+)}");
    private static final JsonNode NOTHING = Assembly.JSON.getNodeFactory().missingNode();

    /**
     * Types whose resources are in no template of the assembly. The empty string stands for entries that are not resources, such as {@code
     * Fn::ForEach}.
     */
    private static final Set<String> UNREADABLE = Set.of("", "AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet",
            "AWS::ServerlessRepo::Application");

    /** @param reference the value of {@code Ref} @param arn its ARN, or a substitute @param properties the resolved properties */
    record Resource(Account account, String stack, String logicalId, String type, String reference, String arn, JsonNode properties) {
        JsonNode property(String name) {
            return properties.path(name);
        }

        String text(String name) {
            return properties.path(name).asString("");
        }

        String id() {
            return stack + "/" + logicalId;
        }
    }

    private final Landscape landscape;
    private final Map<String, Stack> stacks = new TreeMap<>();
    private final Map<String, Map.Entry<Stack, JsonNode>> exports = new HashMap<>();
    private final List<Resource> resources = new ArrayList<>();
    private final Map<String, Resource> byName = new HashMap<>();
    private final Set<String> resolving = new HashSet<>();
    /** Set when a condition could not be decided. */
    private boolean undecided;

    /**
     * @param bootstrap the stacks that exist before the first deployment
     * @throws IllegalArgumentException if the assembly and the landscape have different accounts
     */
    public Templates(Landscape landscape, Assembly assembly, List<Stack> bootstrap) {
        this(landscape, Stream.concat(assembly.stacks().stream(), bootstrap.stream()).toList());
        for (var account : landscape.accounts()) {
            if (!account.shards().isEmpty() && assembly.stacksOf(account).isEmpty())
                throw new IllegalArgumentException("the assembly holds no stack of account %s (%s); synthesize it anew from this landscape"
                        .formatted(account.name(), account.id()));
        }
    }

    public Templates(Landscape landscape, List<Stack> all) {
        this.landscape = landscape;
        all.forEach(stack -> stacks.put(stack.name(), stack));
        stacks.values().forEach(stack -> stack.template().path("Outputs").forEach(output -> {
            String name = output.at("/Export/Name").asString("");
            if (!name.isEmpty()) exports.put(name, Map.entry(stack, output.path("Value")));
        }));
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
                    .filter(resource -> holds(stack,
                            Assembly.JSON.createObjectNode().put("Condition", resource.getValue().path("Condition").asString("")))
                            .orElse(true))
                    .forEach(resource -> resources
                            .add(new Resource(account, stack.name(), resource.getKey(), resource.getValue().path("Type").asString(""),
                                    attribute(stack, resource.getKey(), "Ref"), attribute(stack, resource.getKey(), "Arn"),
                                    resolve(stack, resource.getValue().path("Properties")))));
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
                ("stack %s: what becomes of %s stands in no template, so that nothing can be proven; write its resources into the stack "
                        + "itself")
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

    /** Returns the resource with a resolved reference or ARN. */
    Optional<Resource> named(String reference) {
        return Optional.ofNullable(byName.get(reference));
    }

    private JsonNode resolve(Stack stack, JsonNode value) {
        return switch (value) {
            case ObjectNode object when object.size() == 1 && isFunction(object.propertyNames().iterator().next()) ->
                    function(stack, object);
            // with an undecided condition, an Allow applies and a Deny does not
            case ObjectNode object when object.path("Effect").asString("").equals("Deny") -> {
                undecided = false;
                var denial = object(stack, object);
                yield undecided ? NOTHING : denial;
            }
            case ObjectNode object -> object(stack, object);
            case ArrayNode array -> {
                var resolved = Assembly.JSON.createArrayNode();
                array.forEach(element -> {
                    JsonNode inner = resolve(stack, element);
                    if (element.has("Fn::If")) resolved.addAll(Statement.elements(inner));
                    else if (!inner.isMissingNode()) resolved.add(inner);
                });
                yield resolved;
            }
            default -> value;
        };
    }

    private ObjectNode object(Stack stack, ObjectNode object) {
        var resolved = Assembly.JSON.createObjectNode();
        object.properties().forEach(property -> {
            JsonNode inner = resolve(stack, property.getValue());
            if (!inner.isMissingNode()) resolved.set(property.getKey(), inner);
        });
        return resolved;
    }

    private static boolean isFunction(String name) {
        return name.equals("Ref") || name.startsWith("Fn::");
    }

    private JsonNode function(Stack stack, ObjectNode object) {
        String name = object.propertyNames().iterator().next();
        JsonNode value = object.get(name);
        return switch (name) {
            case "Ref" -> value.asString().equals("AWS::NoValue") ? NOTHING : string(attribute(stack, value.asString(), "Ref"));
            case "Fn::GetAtt" -> {
                String id = value.isArray() ? value.get(0).asString() : value.asString().replaceAll("\\..*", "");
                yield string(
                        attribute(stack, id, value.isArray() ? text(stack, value.get(1)) : value.asString().substring(id.length() + 1)));
            }
            case "Fn::ImportValue" -> Optional.ofNullable(exports.get(text(stack, value)))
                    .map(export -> resolve(export.getKey(), export.getValue())).orElse(string(Glob.UNKNOWN));
            case "Fn::Join" -> {
                var parts = resolve(stack, value.get(1));
                // the default of a list parameter is a single string
                yield string(parts.isString() ? parts.asString()
                        : parts.isArray() ? String.join(value.get(0).asString(), parts.valueStream().map(Templates::flat).toList())
                        : Glob.UNKNOWN);
            }
            case "Fn::Sub" -> {
                JsonNode own = value.isArray() ? value.get(1) : NOTHING;
                yield string(SUBSTITUTION.matcher(value.isArray() ? value.get(0).asString() : value.asString()).replaceAll(match -> {
                    String variable = match.group(1), id = variable.replaceAll("\\..*", "");
                    return Matcher.quoteReplacement(own.has(variable) ? text(stack, own.get(variable))
                            : attribute(stack, id, id.equals(variable) ? "Ref" : variable.substring(id.length() + 1)));
                }).replace("${!", "${"));
            }
            case "Fn::Split" -> {
                var parts = Assembly.JSON.createArrayNode();
                for (String part : text(stack, value.get(1)).split(Pattern.quote(value.get(0).asString()), -1)) parts.add(part);
                yield parts;
            }
            case "Fn::Select" -> {
                var list = resolve(stack, value.get(1));
                int index = value.get(0).asInt(Integer.parseInt(value.get(0).asString("0")));
                yield list.isArray() && index < list.size() ? list.get(index) : string(Glob.UNKNOWN);
            }
            case "Fn::If" -> {
                var holds = holds(stack, Assembly.JSON.createObjectNode().put("Condition", value.path(0).asString()));
                if (holds.isPresent()) yield resolve(stack, value.path(holds.get() ? 1 : 2));
                undecided = true;
                var either = Assembly.JSON.createArrayNode();
                for (int branch = 1; branch <= 2; branch++) either.addAll(Statement.elements(resolve(stack, value.path(branch))));
                yield either;
            }
            case "Fn::ToJsonString" -> string(resolve(stack, value).toString());
            default -> string(Glob.UNKNOWN);
        };
    }

    /** Evaluates a condition of the template with the default parameters; empty if it compares a value that no template contains. */
    private Optional<Boolean> holds(Stack stack, JsonNode condition) {
        String function = condition.isObject() && condition.size() == 1 ? condition.propertyNames().iterator().next() : "";
        JsonNode value = condition.path(function);
        return switch (function) {
            case "Condition" -> Optional.of(stack.template().at("/Conditions/" + value.asString())).filter(named -> !named.isMissingNode())
                    .flatMap(named -> holds(stack, named));
            case "Fn::Not" -> holds(stack, value.path(0)).map(holds -> !holds);
            case "Fn::Equals" -> {
                var sides = List.of(resolve(stack, value.path(0)), resolve(stack, value.path(1)));
                yield sides.toString().contains(Glob.UNKNOWN) ? Optional.empty() : Optional.of(sides.get(0).equals(sides.get(1)));
            }
            case "Fn::And", "Fn::Or" -> {
                var parts = value.valueStream().map(part -> holds(stack, part)).toList();
                boolean decides = function.equals("Fn::Or");
                yield parts.contains(Optional.of(decides)) ? Optional.of(decides)
                        : parts.contains(Optional.<Boolean>empty()) ? Optional.empty() : Optional.of(!decides);
            }
            default -> Optional.empty();
        };
    }

    private String text(Stack stack, JsonNode value) {
        return flat(resolve(stack, value));
    }

    private static String flat(JsonNode value) {
        return value.isValueNode() ? value.asString("") : Glob.UNKNOWN;
    }

    private static JsonNode string(String text) {
        return Assembly.JSON.getNodeFactory().stringNode(text);
    }

    /** Returns an attribute of a resource, parameter or pseudo parameter. */
    private String attribute(Stack stack, String id, String attribute) {
        JsonNode resource = stack.resources().path(id);
        if (resource.isMissingNode()) {
            return switch (id) {
                case "AWS::AccountId" -> stack.accountId();
                case "AWS::Region" -> landscape.region();
                case "AWS::Partition" -> "aws";
                case "AWS::URLSuffix" -> "amazonaws.com";
                case "AWS::StackName" -> stack.name();
                default -> stack.template().at("/Parameters/" + id + "/Default").asString(Glob.UNKNOWN);
            };
        }
        if (!resolving.add(stack.name() + "/" + id + "." + attribute)) return Glob.UNKNOWN; // a circular reference
        try {
            return attribute(stack, id, attribute, resource.path("Type").asString(""), resource.path("Properties"));
        } finally {
            resolving.remove(stack.name() + "/" + id + "." + attribute);
        }
    }

    private String attribute(Stack stack, String id, String attribute, String type, JsonNode properties) {
        String here = ":" + landscape.region() + ":" + stack.accountId() + ":";
        String generatedName = stack.name() + "-" + id;
        boolean arn = attribute.equals("Arn") || attribute.endsWith("Arn");
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
                        : "https://sqs." + landscape.region() + ".amazonaws.com/" + stack.accountId() + "/" + name;
            }
            case "AWS::SNS::Topic" -> {
                String name = propertyOr(stack, properties, "TopicName", generatedName);
                yield attribute.equals("TopicName") ? name : "arn:aws:sns" + here + name;
            }
            case "AWS::SecretsManager::Secret" ->
                    "arn:aws:secretsmanager" + here + "secret:" + propertyOr(stack, properties, "Name", generatedName) + "-000000";
            case "AWS::SecretsManager::SecretTargetAttachment" -> propertyOr(stack, properties, "SecretId", Glob.UNKNOWN);
            case "AWS::Lambda::Function" -> {
                String name = propertyOr(stack, properties, "FunctionName", generatedName);
                yield arn ? "arn:aws:lambda" + here + "function:" + name : name;
            }
            case "AWS::StepFunctions::StateMachine" -> {
                String name = propertyOr(stack, properties, "StateMachineName", generatedName);
                yield attribute.equals("Name") ? name : "arn:aws:states" + here + "stateMachine:" + name;
            }
            case "AWS::Logs::LogGroup" -> {
                String name = propertyOr(stack, properties, "LogGroupName", generatedName);
                yield arn ? "arn:aws:logs" + here + "log-group:" + name + ":*" : name;
            }
            case "AWS::Events::EventBus" -> {
                String name = propertyOr(stack, properties, "Name", generatedName);
                yield arn ? "arn:aws:events" + here + "event-bus/" + name : name;
            }
            case "AWS::DynamoDB::Table" -> {
                String name = propertyOr(stack, properties, "TableName", generatedName);
                yield arn ? "arn:aws:dynamodb" + here + "table/" + name : name;
            }
            case "AWS::ECR::Repository" -> {
                String name = propertyOr(stack, properties, "RepositoryName", generatedName);
                yield arn ? "arn:aws:ecr" + here + "repository/" + name : name;
            }
            default -> arn ? "arn:aws:" + type.replaceAll("^AWS::([^:]*)::.*", "$1").toLowerCase(Locale.ROOT) + here + generatedName
                    // Ref and GroupId of a security group are the same
                    : attribute.equals("Ref") || attribute.equals("GroupId") ? stack.name() + "/" + id
                    : stack.name() + "/" + id + "." + attribute;
        };
    }

    private String propertyOr(Stack stack, JsonNode properties, String name, String otherwise) {
        return properties.has(name) ? text(stack, properties.get(name)) : otherwise;
    }
}
