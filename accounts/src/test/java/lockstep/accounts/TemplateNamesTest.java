package lockstep.accounts;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.handler.Steps;
import org.junit.jupiter.api.Test;

/** The templates name handlers and faults as text. Each name belongs to a class of {@code lambdas}, and each handler is deployed. */
class TemplateNamesTest {
    private static final Path SNAPSHOTS = Path.of("../infra/src/test/resources/snapshots");
    private static final String HANDLER_PACKAGE = "lockstep.masterdata.handler.";
    private static final Path HANDLERS = Path.of("../lambdas/src/main/java/lockstep");
    private static final Pattern HANDLER = Pattern.compile("\"(lockstep\\.[\\w.]+)::(\\w+)\"");
    /** In a machine's definition: the function of a state, and the step that the state names. */
    private static final Pattern STEP = Pattern.compile(
            "\"Ref\": *\"([A-Za-z]+?)CurrentVersion\\w+\"\\s*},\\s*\"[^\n]*?\\\\\"step\\\\\":\\\\\"(\\w+)\\\\\"");
    private static final Pattern FAULT = Pattern.compile("(lockstep\\.[\\w.]+\\$\\w+)");

    @Test
    void eachHandlerIsAFunctionAndEachFunctionIsDeployed() throws IOException {
        var named = new TreeSet<String>();
        HANDLER.matcher(templates()).results().forEach(match -> {
            var type = assertDoesNotThrow(() -> Class.forName(match.group(1)));
            assertTrue(Arrays.stream(type.getMethods()).anyMatch(method -> method.getName().equals(match.group(2))), match.group());
            named.add(match.group(1));
        });
        try (var sources = Files.walk(HANDLERS)) {
            var functions = sources.filter(file -> file.toString().endsWith(".java") && isFunction(file))
                    .map(file -> HANDLERS.getParent().relativize(file).toString().replaceAll("\\.java$", "").replace('/', '.'))
                    .collect(Collectors.toCollection(TreeSet::new));
            named.addAll(steps());
            assertEquals(functions, named);
        }
    }

    /** Returns the classes of all steps, each of which belongs to the function that the state invokes. */
    private static TreeSet<String> steps() throws IOException {
        var classes = new TreeSet<String>();
        STEP.matcher(templates()).results().forEach(match -> {
            var function = assertDoesNotThrow(
                    () -> (Steps) Class.forName(HANDLER_PACKAGE + match.group(1)).getConstructor().newInstance());
            assertTrue(function.names().contains(match.group(2)), match.group(1) + " has no step " + match.group(2));
            classes.add(HANDLER_PACKAGE + match.group(2));
        });
        return classes;
    }

    @Test
    void eachFaultIsOneThatTheEngineThrows() throws IOException {
        var named = FAULT.matcher(templates()).results().map(match -> match.group(1)).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(named.size() >= 4, named::toString);
        for (String name : named) assertTrue(assertDoesNotThrow(() -> Fault.class.isAssignableFrom(Class.forName(name))), name);
    }

    private static boolean isFunction(Path file) {
        try {
            return Files.readString(file)
                    .matches("(?s).*public final class \\w+ (extends (JsonFunction|Steps)|implements Request(Stream)?Handler)\\b.*");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String templates() throws IOException {
        var all = new StringBuilder();
        try (var snapshots = Files.list(SNAPSHOTS)) {
            for (Path snapshot : snapshots.sorted().toList()) all.append(Files.readString(snapshot));
        }
        return all.toString();
    }
}
