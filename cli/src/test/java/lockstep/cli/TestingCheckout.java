package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import lockstep.project.ProjectFiles;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A checkout in which gitlab-ci-local reads the pipeline, and validates it against GitLab's published schema. No jobs are run. */
record TestingCheckout(Path directory, Map<String, String> environment) {
    static final Path PROJECT = ProjectFiles.ofLauncher().project();
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Pattern LOCKSTEP = Pattern.compile("(?m)(?:^|[ /])lockstep ([^>|&\n]+)");

    record Ended(int exit, String out, String err) {}

    /** Commits the files of the directory to the branch main of a new repository. */
    static TestingCheckout commit(Path directory, String project, Map<String, String> environment) {
        var checkout = new TestingCheckout(directory, environment);
        for (var arguments : List.of(List.of("init", "-q", "-b", "main"), List.of("add", "-A"),
                List.of("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"),
                List.of("remote", "add", "origin", "https://gitlab.example.com/" + project + ".git"))) {
            var line = new ArrayList<>(List.of("git"));
            line.addAll(arguments);
            assertEquals(0, checkout.run(line).exit(), line::toString);
        }
        return checkout;
    }

    Ended run(List<String> line) {
        try {
            Path err = directory.resolveSibling(directory.getFileName() + ".err");
            var builder = new ProcessBuilder(line).directory(directory.toFile()).redirectError(ProcessBuilder.Redirect.to(err.toFile()));
            // use the project's Node.js, because the machine's may be too old
            builder.environment().merge("PATH", PROJECT.resolve("node_modules/.bin").toString(), (path, node) -> node + ":" + path);
            builder.environment().putAll(environment);
            var process = builder.start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Ended(process.waitFor(), out, Files.readString(err));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    Ended gitlab(String... arguments) {
        return run(
                Stream.concat(Stream.of(PROJECT.resolve("node_modules/.bin/gitlab-ci-local").toString()), Stream.of(arguments)).toList());
    }

    /** Returns the pipeline with everything that jobs inherit. */
    JsonNode preview() {
        var preview = gitlab("--preview");
        assertEquals(0, preview.exit(), preview::toString);
        return JSON.valueToTree(new Load(LoadSettings.builder().build()).loadFromString(preview.out()));
    }

    static Map<String, JsonNode> jobsOf(JsonNode preview) {
        var jobs = new TreeMap<String, JsonNode>();
        preview.properties().stream().filter(entry -> entry.getValue().has("script") && !entry.getKey().startsWith("."))
                .forEach(entry -> jobs.put(entry.getKey(), entry.getValue()));
        return jobs;
    }

    static String script(JsonNode job) {
        return job.get("script").isString() ? job.get("script").asString()
                : String.join("\n", job.get("script").valueStream().map(JsonNode::asString).toList());
    }

    /**
     * Parses the command lines of all jobs. Otherwise an unknown option would be noticed only in the first pipeline.
     *
     * @return how many there were, except those that the launcher handles itself
     */
    static int parsed(JsonNode preview) {
        int lines = 0;
        for (var job : jobsOf(preview).values()) {
            Matcher matcher = LOCKSTEP.matcher(script(job));
            while (matcher.find()) {
                var words = List.of(matcher.group(1).strip().replace("\"", "")
                        .replace("$LOCKSTEP_LANDSCAPE", "lockstep.yaml").replace("$LOCKSTEP_PLACE", "--aws").replace("$release", "1")
                        .replaceAll("\\$ACCOUNTS?", "qa").split("\\s+"));
                if (List.of("build", "test", "compile").contains(words.getFirst())) continue;
                var parsed = new CommandLine(new Main()).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(words.toArray(String[]::new));
                assertTrue(parsed.hasSubcommand(), words::toString);
                lines++;
            }
        }
        return lines;
    }
}
