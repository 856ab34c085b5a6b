package lockstep.assembly;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly.Stack;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/**
 * Evaluates the intrinsic functions of templates. A reference to a resource becomes its logical id, or {@code ID.ATTRIBUTE}; subclasses
 * interpret references and unknown values in another way. All ARNs become those of the partition {@code aws}: a landscape is in one
 * partition, so what its templates mean does not depend on which.
 */
public class Evaluator {
    /** Stands for a value that the templates do not determine; it can be anything. */
    public static final String UNKNOWN = "\uFFFD";
    /** The attribute that {@code Ref} returns. */
    protected static final String REF = "Ref";
    protected static final JsonNode NOTHING = Assembly.JSON.getNodeFactory().missingNode();
    private static final Pattern SUBSTITUTION = Pattern.compile("\\$\\{([^!}]+)}");

    private record Export(Stack stack, JsonNode value) {}

    private final Map<String, Export> exports = new HashMap<>();

    /** @param stacks the stacks whose exports can be imported */
    public Evaluator(Collection<Stack> stacks) {
        for (Stack stack : stacks)
            for (JsonNode output : stack.template().path("Outputs"))
                if (output.has("Export")) exports.put(output.at("/Export/Name").asString(""), new Export(stack, output.path("Value")));
    }

    /** Returns a value of a stack with all functions evaluated; missing if CloudFormation would omit it. */
    public JsonNode resolve(Stack stack, JsonNode value) {
        return switch (value) {
            case ObjectNode object when isFunction(object) -> {
                String name = object.propertyNames().iterator().next();
                yield function(stack, name, object.get(name));
            }
            case ObjectNode object -> object(stack, object);
            case ArrayNode array -> {
                var resolved = Assembly.JSON.createArrayNode();
                array.forEach(element -> {
                    JsonNode inner = resolve(stack, element);
                    if (element.has("Fn::If")) resolved.addAll(elements(inner));
                    else if (!inner.isMissingNode()) resolved.add(inner);
                });
                yield resolved;
            }
            case StringNode text -> text(canonical(text.asString()));
            default -> value;
        };
    }

    public static boolean isFunction(JsonNode node) {
        return node.isObject() && node.size() == 1
                && node.propertyNames().stream().allMatch(name -> name.equals("Ref") || name.startsWith("Fn::"));
    }

    protected JsonNode object(Stack stack, ObjectNode object) {
        var resolved = Assembly.JSON.createObjectNode();
        object.properties().forEach(property -> {
            JsonNode inner = resolve(stack, property.getValue());
            if (!inner.isMissingNode()) resolved.set(property.getKey(), inner);
        });
        return resolved;
    }

    protected JsonNode function(Stack stack, String name, JsonNode value) {
        return switch (name) {
            case "Ref" -> value.asString().equals("AWS::NoValue") ? NOTHING : string(value(stack, value.asString(), REF));
            case "Fn::GetAtt" -> string(value.isArray() ? value(stack, value.get(0).asString(), textOf(stack, value.get(1)))
                    : value(stack, value.asString()));
            case "Fn::ImportValue" -> {
                var export = exports.get(textOf(stack, value));
                yield export == null ? unknown(name, resolve(stack, value))
                        : imported(export.stack(), resolve(export.stack(), export.value()));
            }
            case "Fn::Join" -> {
                var list = value.get(1).isArray() ? value.get(1) : resolve(stack, value.get(1));
                // the default of a list parameter is a single string
                yield text(list.isArray()
                        ? list.valueStream().map(part -> textOf(stack, part)).collect(Collectors.joining(value.get(0).asString()))
                        : flat(list));
            }
            case "Fn::Sub" -> {
                JsonNode own = value.path(1);
                yield text(SUBSTITUTION.matcher((value.isArray() ? value.get(0) : value).asString())
                        .replaceAll(match -> Matcher.quoteReplacement(own.has(match.group(1)) ? textOf(stack, own.get(match.group(1)))
                                : value(stack, match.group(1))))
                        .replace("${!", "${"));
            }
            case "Fn::Split" -> {
                var parts = Assembly.JSON.createArrayNode();
                for (String part : textOf(stack, value.get(1)).split(Pattern.quote(value.get(0).asString()), -1)) parts.add(part);
                yield parts;
            }
            case "Fn::Select" -> {
                var list = resolve(stack, value.get(1));
                int index = value.get(0).asInt(Integer.parseInt(value.get(0).asString("0")));
                yield list.isArray() && index < list.size() ? list.get(index) : unknown(name, list);
            }
            case "Fn::If" -> holds(stack, value.path(0).asString()).map(holds -> resolve(stack, value.path(holds ? 1 : 2)))
                    .orElseGet(() -> unknown(name, resolve(stack, value)));
            case "Fn::ToJsonString" -> string(resolve(stack, value).toString());
            default -> unknown(name, resolve(stack, value));
        };
    }

    /** @param name a name, or a name with an attribute such as {@code ID.Arn} */
    private String value(Stack stack, String name) {
        int dot = name.indexOf('.');
        return dot < 0 ? value(stack, name, REF) : value(stack, name.substring(0, dot), name.substring(dot + 1));
    }

    private String value(Stack stack, String id, String attribute) {
        return stack.resources().has(id) ? reference(stack, id, attribute) : parameter(stack, id);
    }

    /** Returns the value of a pseudo parameter, or the default of a parameter. */
    protected String parameter(Stack stack, String name) {
        return switch (name) {
            case "AWS::AccountId" -> stack.accountId();
            case "AWS::Region" -> stack.region();
            case "AWS::Partition" -> "aws";
            case "AWS::URLSuffix" -> "amazonaws.com";
            case "AWS::StackName" -> stack.name();
            default -> stack.template().path("Parameters").path(name).path("Default").asString(UNKNOWN);
        };
    }

    /** Evaluates a condition of the template with the default parameters; empty if it compares a value that no template contains. */
    public final Optional<Boolean> holds(Stack stack, String condition) {
        return holds(stack, stack.template().path("Conditions").path(condition));
    }

    private Optional<Boolean> holds(Stack stack, JsonNode condition) {
        String function = condition.isObject() && condition.size() == 1 ? condition.propertyNames().iterator().next() : "";
        JsonNode value = condition.path(function);
        return switch (function) {
            case "Condition" -> holds(stack, value.asString());
            case "Fn::Not" -> holds(stack, value.path(0)).map(holds -> !holds);
            case "Fn::Equals" -> {
                var sides = List.of(resolve(stack, value.path(0)), resolve(stack, value.path(1)));
                yield sides.toString().contains(UNKNOWN) ? Optional.empty() : Optional.of(sides.get(0).equals(sides.get(1)));
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

    /** Returns an evaluated value as text; the text itself is not interpreted. */
    public final String textOf(Stack stack, JsonNode value) {
        return value.isString() ? canonical(value.asString()) : flat(resolve(stack, value));
    }

    /** Returns a text with ARNs and domains of the partition {@code aws}. */
    public static String canonical(String text) {
        return text.replace("arn:aws-cn:", "arn:aws:").replace("arn:aws-us-gov:", "arn:aws:").replace("amazonaws.com.cn", "amazonaws.com");
    }

    // --- interpretations ---

    /** Returns the value of a text. */
    protected JsonNode text(String text) {
        return string(text);
    }

    /** Returns an evaluated value as a part of a text. */
    protected String flat(JsonNode value) {
        return value.isValueNode() ? value.asString("") : UNKNOWN;
    }

    /** @param attribute {@link #REF} or an attribute such as {@code Endpoint.Address} */
    protected String reference(Stack stack, String id, String attribute) {
        return attribute.equals(REF) ? id : id + "." + attribute;
    }

    /** @param value the evaluated value, which another stack exports */
    protected JsonNode imported(Stack exporting, JsonNode value) {
        return value;
    }

    /** Returns the value of a function that can't be evaluated. @param value its evaluated argument */
    protected JsonNode unknown(String function, JsonNode value) {
        return string(UNKNOWN);
    }

    protected static JsonNode string(String text) {
        return Assembly.JSON.getNodeFactory().stringNode(text);
    }

    /** Returns the elements of a list, or a single value as its only element. */
    public static List<JsonNode> elements(JsonNode node) {
        return node.isArray() ? node.valueStream().toList() : node.isMissingNode() || node.isNull() ? List.of() : List.of(node);
    }
}
