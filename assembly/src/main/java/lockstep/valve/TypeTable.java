package lockstep.valve;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.assembly.Assembly;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** What is known of each resource type: the contents of types.yaml, which describes the sections. */
record TypeTable(List<Harmless> harmless, List<Exposed> exposed, Map<String, Pattern> addresses, Map<String, Map<String, Pattern>> networks,
        Map<String, Flow> data) {
    static final TypeTable TABLE = read();
    /** The types of the table. */
    static final Set<String> KNOWN = Stream.of(TABLE.harmless.stream().flatMap(entry -> entry.types().stream()),
            TABLE.exposed.stream().flatMap(entry -> entry.types().stream()), TABLE.networks.keySet().stream(), TABLE.data.keySet().stream())
            .flatMap(types -> types).collect(Collectors.toUnmodifiableSet());

    record Harmless(String because, List<String> types) {}

    /** @param unless the pattern of each property that closes a resource; empty if it is always open */
    record Exposed(String exposes, Map<String, Pattern> unless, List<String> types) {
        Exposed {
            unless = unless == null ? Map.of() : unless;
        }
    }

    /** @param ends the properties that name the other end, each with the pattern of values that are harmless */
    record Flow(String does, Map<String, Pattern> ends) {
        Flow {
            ends = ends == null ? Map.of() : ends;
        }
    }

    /** @param pattern null stands for the pattern of the empty text, as Jackson reads it */
    static boolean matches(Pattern pattern, String value) {
        return pattern == null ? value.isEmpty() : pattern.matcher(value).matches();
    }

    private static TypeTable read() {
        try (var stream = TypeTable.class.getResourceAsStream("/lockstep/valve/types.yaml")) {
            return Assembly.JSON.convertValue(
                    new Load(LoadSettings.builder().setLabel("types.yaml").build()).loadFromInputStream(stream), TypeTable.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
