package lockstep.valve;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Assembly;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import tools.jackson.databind.node.ObjectNode;

/**
 * The templates of every account from infra's snapshots, which are fast to read, and the bootstrap templates. Their landscape is that of
 * lockstep.yaml, with syncs that start automatically.
 */
final class SnapshotTemplates {
    private static final Path PROJECT = Path.of(System.getProperty("lockstep.root", "..")).toAbsolutePath().normalize();
    static final Landscape LANDSCAPE = LandscapeReader.read(PROJECT.resolve("lockstep.yaml"));
    private static final Map<String, ObjectNode> TEMPLATES = read();

    private SnapshotTemplates() {}

    private static Map<String, ObjectNode> read() {
        var templates = new TreeMap<String, ObjectNode>();
        try (var files = Files.list(PROJECT.resolve("infra/src/test/resources/snapshots"))) {
            // those of other landscapes begin with the names of other accounts
            for (var file : files.filter(file -> LANDSCAPE.accounts().stream()
                    .anyMatch(account -> file.getFileName().toString().startsWith(account.name() + "-"))).toList()) {
                templates.put(file.getFileName().toString().replace(".json", ""), (ObjectNode) Assembly.JSON.readTree(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Bootstrap.stacks(LANDSCAPE, PROJECT.resolve("node_modules"))
                .forEach(stack -> templates.put(stack.name(), (ObjectNode) stack.template()));
        return templates;
    }

    static Proof proof() {
        return proof(templates -> {});
    }

    /** @param change changes copies of all templates by stack */
    static Proof proof(Consumer<Map<String, ObjectNode>> change) {
        return Proof.of(templates(change));
    }

    static Templates templates(Consumer<Map<String, ObjectNode>> change) {
        var copies = new TreeMap<String, ObjectNode>();
        TEMPLATES.forEach((name, template) -> copies.put(name, template.deepCopy()));
        change.accept(copies);
        return new Templates(LANDSCAPE, copies.entrySet().stream().map(SnapshotTemplates::stack).toList());
    }

    private static Stack stack(Map.Entry<String, ObjectNode> template) {
        String account = template.getKey().replaceAll("-.*", "");
        String id = LANDSCAPE.accounts().stream().filter(known -> known.name().equals(account)).findFirst().orElseThrow().id();
        return new Stack(template.getKey(), id, LANDSCAPE.region(), template.getValue());
    }

    static List<String> stacks() {
        return List.copyOf(TEMPLATES.keySet());
    }
}
