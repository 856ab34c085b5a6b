package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checks all templates with cfn-lint and all state machines with asl-validator, which the launcher installs. */
class LintTest {
    private static final Path PROJECT = Path.of("..").toAbsolutePath().normalize();
    static final Path TOOLS = Path.of(System.getProperty("lockstep.tools", PROJECT.resolve(".lockstep/tools").toString()));

    @TempDir private Path directory;

    /** In one run, because it takes seconds to start. */
    @Test
    void onlyTheWrongTemplateHasFindings() throws Exception {
        var templates = new TreeMap<String, Object>(Assembly.clinic().templates());
        templates.put("wrong", "{\"Resources\": {\"Queue\": {\"Type\": \"AWS::SQS::Queue\", \"Properties\": {\"Delay\": 1}}}}");
        var found = findings(List.of(TOOLS.resolve("python/bin/cfn-lint").toString(), "--config-file",
                Path.of("src/test/resources/cfnlint.yaml").toAbsolutePath().toString(), "--format", "parseable", "--"), "", templates);
        assertEquals(List.of("wrong.json"), found.lines().map(line -> line.substring(0, line.indexOf(':'))).map(Path::of)
                .map(file -> file.getFileName().toString()).distinct().toList(), found);
        assertTrue(found.contains(":E3002:"), found);
    }

    @Test
    void stateMachinesHaveNoFinding() throws Exception {
        assertEquals("", aslValidator(StateMachines.definitions()));
    }

    /** LocalEmu accepts it. */
    @Test
    void aTransitionToNowhereIsFound() throws Exception {
        var found = aslValidator(Map.of("wrong", "{\"StartAt\": \"A\", \"States\": {\"A\": {\"Type\": \"Pass\", \"Next\": \"B\"}}}"));
        assertTrue(found.contains("MISSING_TRANSITION_TARGET"), found);
    }

    private String aslValidator(Map<String, ?> definitions) throws IOException, InterruptedException {
        return findings(List.of(PROJECT.resolve("node_modules/.bin/asl-validator").toString()), "--json-path", definitions);
    }

    /** Runs a tool once with a file for each document, and returns what it prints if it has findings. */
    private String findings(List<String> tool, String option, Map<String, ?> documents) throws IOException, InterruptedException {
        var command = new ArrayList<>(tool);
        for (var document : documents.entrySet()) {
            var file = Files.writeString(directory.resolve(document.getKey() + ".json"), document.getValue().toString());
            Stream.of(option, file.toString()).filter(argument -> !argument.isEmpty()).forEach(command::add);
        }
        var process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
        var printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() == 0 ? "" : printed;
    }
}
