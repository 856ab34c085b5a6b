package lockstep.cli.schema;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import lockstep.project.UserFault;
import tools.jackson.databind.json.JsonMapper;

/** Lints migrations with squawk from node_modules. It finds its rules in the {@code .squawk.toml} of a directory above the migrations. */
public final class Linter {
    /** @param line the line number, starting at 1 */
    record Warning(String file, int line, String rule, String message, String help) {}

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private final Path program;

    public Linter(Path nodeTools) {
        program = nodeTools.resolve("squawk");
        if (!Files.isExecutable(program)) {
            throw new UserFault("there is no " + program + ": run 'lockstep build'");
        }
    }

    List<Warning> lint(Path directory, Migrations migrations) {
        if (migrations.files().isEmpty()) {
            return List.of();
        }
        var line = new ArrayList<>(List.of(program.toString(), "--reporter", "json"));
        migrations.files().keySet().forEach(line::add);
        try {
            var builder = new ProcessBuilder(line).directory(directory.toFile())
                    .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
            builder.environment().merge("PATH", program.getParent().toString(), (path, node) -> node + ":" + path);
            var errors = Files.createTempFile("squawk", ".log");
            var process = builder.redirectError(errors.toFile()).start();
            String answer = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            int exit = process.waitFor();
            if (exit > 1 || answer.isBlank()) {
                throw new UserFault("squawk could not lint (exit code " + exit + ")", errors);
            }
            Files.delete(errors);
            // squawk counts lines from 0
            return JSON.readTree(answer).valueStream()
                    .map(warning -> new Warning(warning.path("file").asString(), warning.path("line").asInt() + 1,
                            warning.path("rule_name").asString(),
                            warning.path("message").asString(), warning.path("help").asString("")))
                    .toList();
        } catch (IOException e) {
            throw new UserFault("cannot run squawk: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserFault("the schema gate was interrupted", e);
        }
    }
}
