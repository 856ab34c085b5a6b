package lockstep.diff;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Assembly;
import lockstep.landscape.Landscape;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/** Replaces the intrinsic functions of a template with readable text, such as {@code <Database.Endpoint.Address>} for a reference. */
final class Intrinsics {
    private static final Pattern SUBSTITUTION = Pattern.compile("\\$\\{([^!}]+)}");
    private static final JsonNode NOTHING = Assembly.JSON.getNodeFactory().missingNode();

    private final Assembly assembly;
    private final Side side;
    private final Landscape landscape;
    private final Masks masks;

    Intrinsics(Assembly assembly, Side side, Landscape landscape, Masks masks) {
        this.assembly = assembly;
        this.side = side;
        this.landscape = landscape;
        this.masks = masks;
    }

    /** Resolves a value of a stack; missing if CloudFormation would omit it. A string that contains JSON is parsed. */
    JsonNode resolve(Stack stack, JsonNode value) {
        return switch (value) {
            case ObjectNode object when object.size() == 1 && isFunction(object.propertyNames().iterator().next()) ->
                    function(stack, object);
            case ObjectNode object -> {
                var resolved = Assembly.JSON.createObjectNode();
                object.properties().forEach(property -> {
                    JsonNode inner = resolve(stack, property.getValue());
                    if (!inner.isMissingNode()) resolved.set(property.getKey(), inner);
                });
                yield resolved;
            }
            case ArrayNode array -> {
                var resolved = Assembly.JSON.createArrayNode();
                array.forEach(element -> {
                    JsonNode inner = resolve(stack, element);
                    if (!inner.isMissingNode()) resolved.add(inner);
                });
                yield resolved;
            }
            case StringNode text -> text(text.asString());
            default -> value;
        };
    }

    private static boolean isFunction(String name) {
        return name.equals("Ref") || name.startsWith("Fn::");
    }

    private JsonNode function(Stack stack, ObjectNode object) {
        String name = object.propertyNames().iterator().next();
        JsonNode value = object.get(name);
        return switch (name) {
            case "Ref" -> value.asString().equals("AWS::NoValue") ? NOTHING : string(reference(stack, value.asString()));
            case "Fn::GetAtt" -> string(reference(stack, value.isArray() ? joined(value, ".") : value.asString()));
            case "Fn::ImportValue" -> string(imported(flat(stack, value)));
            case "Fn::Join" -> text(value.get(1).isArray()
                    ? value.get(1).valueStream().map(part -> flat(stack, part)).collect(Collectors.joining(value.get(0).asString()))
                    : flat(stack, value.get(1)));
            case "Fn::Sub" -> text(substituted(stack, value.isArray() ? value.get(0).asString() : value.asString(),
                    value.isArray() ? value.get(1) : NOTHING));
            default -> string("<" + name.substring("Fn::".length()) + " " + flat(stack, value) + ">");
        };
    }

    private String substituted(Stack stack, String template, JsonNode own) {
        return SUBSTITUTION.matcher(template).replaceAll(match -> Matcher.quoteReplacement(
                own.has(match.group(1)) ? flat(stack, own.get(match.group(1))) : reference(stack, match.group(1))));
    }

    /** @param name a logical id, a pseudo parameter, or an attribute such as {@code ID.Arn} */
    private String reference(Stack stack, String name) {
        String id = name.replaceAll("\\..*", "");
        if (stack.resources().has(id)) return "<" + masks.maskPlace(stack.place(id)) + name.substring(id.length()) + ">";
        return switch (name) {
            case "AWS::AccountId" -> masks.mask(stack.accountId());
            case "AWS::Region" -> landscape.region();
            case "AWS::Partition" -> "aws";
            case "AWS::URLSuffix" -> "amazonaws.com";
            case "AWS::StackName" -> masks.mask(stack.name());
            default -> "<" + name + ">";
        };
    }

    private String imported(String export) {
        for (Stack stack : assembly.exporting(export).stream().toList()) {
            for (JsonNode output : stack.template().path("Outputs")) {
                if (output.at("/Export/Name").asString("").equals(export)) {
                    String role = Roles.role(stack.name(), side, landscape).map(known -> known + " ")
                            .orElse(masks.mask(stack.name()) + " ");
                    return flat(stack, output.get("Value")).replaceFirst("^<", "<" + Matcher.quoteReplacement(role));
                }
            }
        }
        return masks.mask(export);
    }

    private String flat(Stack stack, JsonNode value) {
        JsonNode resolved = value.isString() ? value : resolve(stack, value);
        return resolved.isString() ? resolved.asString() : resolved.toString();
    }

    private JsonNode text(String text) {
        if (text.startsWith("{") && text.endsWith("}")) {
            try {
                return resolveText(Assembly.JSON.readTree(text));
            } catch (JacksonException e) {
                return string(masks.mask(text)); // it only looked like JSON
            }
        }
        return string(masks.mask(text));
    }

    private JsonNode resolveText(JsonNode node) {
        return switch (node) {
            case ObjectNode object -> {
                var masked = Assembly.JSON.createObjectNode();
                object.properties().forEach(property -> masked.set(masks.mask(property.getKey()), resolveText(property.getValue())));
                yield masked;
            }
            case ArrayNode array -> {
                var masked = Assembly.JSON.createArrayNode();
                array.forEach(element -> masked.add(resolveText(element)));
                yield masked;
            }
            case StringNode text -> string(masks.mask(text.asString()));
            default -> node;
        };
    }

    private static JsonNode string(String text) {
        return Assembly.JSON.getNodeFactory().stringNode(text);
    }

    private static String joined(JsonNode array, String separator) {
        return array.valueStream().map(JsonNode::asString).collect(Collectors.joining(separator));
    }

    static List<JsonNode> elements(JsonNode node) {
        return node.isArray() ? node.valueStream().toList() : node.isMissingNode() || node.isNull() ? List.of() : List.of(node);
    }
}
