package lockstep.diff;

import java.util.regex.Matcher;
import lockstep.assembly.Assembly;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Evaluator;
import lockstep.landscape.Landscape;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/** Replaces the intrinsic functions of a template with readable text, such as {@code <Database.Endpoint.Address>} for a reference. */
final class Intrinsics extends Evaluator {
    private final Side side;
    private final Landscape landscape;
    private final Masks masks;

    Intrinsics(Assembly assembly, Side side, Landscape landscape, Masks masks) {
        super(assembly.stacks());
        this.side = side;
        this.landscape = landscape;
        this.masks = masks;
    }

    @Override
    protected JsonNode function(Stack stack, String name, JsonNode value) {
        // a reference is opaque here, so it has no parts to select from
        return name.equals("Fn::Split") || name.equals("Fn::Select") ? unknown(name, resolve(stack, value))
                : super.function(stack, name, value);
    }

    @Override
    protected JsonNode unknown(String function, JsonNode value) {
        return string("<" + function.substring("Fn::".length()) + " " + flat(value) + ">");
    }

    @Override
    protected String reference(Stack stack, String id, String attribute) {
        return "<" + masks.maskPlace(stack.place(id)) + (attribute.equals(REF) ? "" : "." + attribute) + ">";
    }

    @Override
    protected String parameter(Stack stack, String name) {
        String value = super.parameter(stack, name);
        return value.equals(UNKNOWN) ? "<" + name + ">" : masks.mask(value);
    }

    @Override
    protected JsonNode imported(Stack exporting, JsonNode value) {
        String role = Roles.role(exporting.name(), side, landscape).orElseGet(() -> masks.mask(exporting.name()));
        return string(flat(value).replaceFirst("^<", "<" + Matcher.quoteReplacement(role) + " "));
    }

    @Override
    protected String flat(JsonNode value) {
        return value.isString() ? value.asString() : value.toString();
    }

    /** Masks a text. One that contains JSON is parsed, so that its properties are compared. */
    @Override
    protected JsonNode text(String text) {
        if (text.startsWith("{") && text.endsWith("}")) {
            try {
                return masked(Assembly.JSON.readTree(text));
            } catch (JacksonException e) {
                // it only looked like JSON
            }
        }
        return string(masks.mask(text));
    }

    private JsonNode masked(JsonNode node) {
        return switch (node) {
            case ObjectNode object -> {
                var masked = Assembly.JSON.createObjectNode();
                object.properties().forEach(property -> masked.set(masks.mask(property.getKey()), masked(property.getValue())));
                yield masked;
            }
            case ArrayNode array -> {
                var masked = Assembly.JSON.createArrayNode();
                array.forEach(element -> masked.add(masked(element)));
                yield masked;
            }
            case StringNode text -> string(masks.mask(text.asString()));
            default -> node;
        };
    }
}
