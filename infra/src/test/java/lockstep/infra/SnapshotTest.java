package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares each stack of each account with its snapshot, ignoring asset hashes. {@code mvn test -Dsnapshots.update=true} updates them. */
class SnapshotTest {
    private static final Path SNAPSHOTS = Path.of("src", "test", "resources", "snapshots");
    private static final boolean UPDATE = Boolean.getBoolean("snapshots.update");

    static Stream<String> stacks() {
        return templates().keySet().stream();
    }

    private static Map<String, String> templates() {
        var templates = new TreeMap<>(Assembly.clinic().templates());
        templates.putAll(Assembly.existing().templates());
        return templates;
    }

    @ParameterizedTest
    @MethodSource("stacks")
    void asItWas(String stack) throws IOException {
        var file = SNAPSHOTS.resolve(stack + ".json");
        var template = masked(templates().get(stack)) + "\n";
        if (UPDATE) {
            Files.createDirectories(SNAPSHOTS);
            Files.writeString(file, template);
        }
        assertEquals(Files.readString(file), template, "if the change is intended: mvn test -Dsnapshots.update=true");
    }

    @Test
    void noSnapshotIsOfAStackThatIsGone() throws IOException {
        try (var files = Files.list(SNAPSHOTS)) {
            assertEquals(new TreeSet<>(stacks().toList()),
                    files.map(file -> file.getFileName().toString().replace(".json", "")).collect(TreeSet::new, TreeSet::add,
                            TreeSet::addAll));
        }
    }

    private static String masked(String template) {
        return template.replaceAll("[0-9a-f]{64}", "<asset>");
    }
}
