package lockstep.valve;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import lockstep.assembly.Assembly;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A change of the templates in broken.yaml or harmless.yaml.
 *
 * @param claim  the claim that it breaks; empty in harmless.yaml
 * @param find   the words of a step of the attack: party, action, resource, statement
 */
record Mutation(String name, List<JsonNode> changes, String claim, List<String> find) {
    static List<Mutation> read(String file) {
        try (var stream = Mutation.class.getResourceAsStream("/valve/" + file)) {
            var mutations = new ArrayList<Mutation>();
            JsonNode list = Assembly.JSON.valueToTree(new Load(LoadSettings.builder().setLabel(file).build()).loadFromInputStream(stream));
            list.forEach(node -> mutations.add(
                    new Mutation(node.get("name").asString(), node.get("change").valueStream().toList(), node.path("claim").asString(""),
                            node.path("find").valueStream().map(JsonNode::asString).toList())));
            return mutations;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void apply(Map<String, ObjectNode> templates) {
        for (JsonNode change : changes) {
            if (change.has("add")) change.get("add").properties().forEach(resource -> {
                var resources = (ObjectNode) templates.get(change.get("stack").asString()).get("Resources");
                if (resources.has(resource.getKey()))
                    throw new IllegalArgumentException(name + ": there is a resource " + resource.getKey());
                resources.set(resource.getKey(), resource.getValue().deepCopy());
            });
            else apply(resource(templates, change.get("at").asString()), change);
        }
    }

    private ObjectNode resource(Map<String, ObjectNode> templates, String at) {
        var found = templates.entrySet().stream().flatMap(template -> template.getValue().get("Resources").properties().stream()
                .filter(resource -> (template.getKey() + "/" + resource.getKey()).matches(at))
                .map(resource -> (ObjectNode) resource.getValue().get("Properties"))).toList();
        if (found.size() != 1) throw new IllegalArgumentException("%s: %d resources are %s".formatted(name, found.size(), at));
        return found.getFirst();
    }

    private void apply(ObjectNode properties, JsonNode change) {
        change.path("remove").forEach(pointer -> {
            var at = JsonPointer.compile(pointer.asString());
            JsonNode parent = properties.at(at.head());
            JsonNode removed = parent instanceof ArrayNode array ? array.remove(at.last().getMatchingIndex())
                    : ((ObjectNode) parent).remove(at.last().getMatchingProperty());
            if (removed == null) throw new IllegalArgumentException(name + ": there is no " + pointer.asString());
        });
        change.path("set").properties().forEach(entry -> {
            var at = JsonPointer.compile(entry.getKey());
            JsonNode parent = properties.at(at.head());
            if (parent instanceof ArrayNode array) array.set(at.last().getMatchingIndex(), entry.getValue().deepCopy());
            else((ObjectNode) parent).set(at.last().getMatchingProperty(), entry.getValue().deepCopy());
        });
        change.path("append").properties().forEach(entry -> {
            if (!(properties.at(entry.getKey()) instanceof ArrayNode list))
                throw new IllegalArgumentException(name + ": there is no list " + entry.getKey());
            list.add(entry.getValue().deepCopy());
        });
    }

    @Override
    public String toString() {
        return name;
    }
}
