package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Tests the pipeline with gitlab-ci-local, which validates it against GitLab's published schema. No jobs are run. */
class PipelineTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Path PROJECT = ProjectFiles.ofLauncher().project();
    private static final Pattern LOCKSTEP = Pattern.compile("\\./lockstep ([^>|&\n]+)");

    @TempDir private Path checkout;

    private record Ended(int exit, String out) {}

    @BeforeEach
    void aCheckout() throws IOException {
        Files.copy(PROJECT.resolve(".gitlab-ci.yml"), checkout.resolve(".gitlab-ci.yml"));
        for (var arguments : List.of(List.of("init", "-q", "-b", "main"), List.of("add", "-A"),
                List.of("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"),
                List.of("remote", "add", "origin", "https://gitlab.example.com/clinic/lockstep.git"))) {
            var line = new ArrayList<>(List.of("git"));
            line.addAll(arguments);
            assertEquals(0, run(line).exit(), line::toString);
        }
    }

    private Ended run(List<String> line) {
        try {
            var builder = new ProcessBuilder(line).directory(checkout.toFile())
                    .redirectError(ProcessBuilder.Redirect.to(checkout.resolve("../err.txt").toFile()));
            // use the project's Node.js, because the machine's may be too old
            builder.environment().merge("PATH", PROJECT.resolve("node_modules/.bin").toString(), (path, node) -> node + ":" + path);
            var process = builder.start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Ended(process.waitFor(), out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private Ended gitlab(String... arguments) {
        return run(
                Stream.concat(Stream.of(PROJECT.resolve("node_modules/.bin/gitlab-ci-local").toString()), Stream.of(arguments)).toList());
    }

    /** Returns the jobs of a pipeline and when each runs. */
    private Map<String, String> jobs(String source, String branch, String place, String... more) {
        var listed = gitlab(Stream.concat(Stream.of(more), Stream.of("--list-csv", "--variable", "CI_PIPELINE_SOURCE=" + source,
                "--variable", "CI_COMMIT_BRANCH=" + branch, "--variable", "LOCKSTEP_PLACE=" + place)).toArray(String[]::new));
        assertEquals(0, listed.exit(), listed::toString);
        var jobs = new LinkedHashMap<String, String>();
        listed.out().lines().dropWhile(line -> !line.startsWith("name;stage")).skip(1).map(line -> line.split(";"))
                .forEach(job -> jobs.put(job[0], job[2] + (job[2].equals("manual") && job[3].equals("false") ? ", blocking" : "")));
        return jobs;
    }

    private static Set<String> automatic(Map<String, String> jobs) {
        return jobs.entrySet().stream().filter(job -> job.getValue().equals("on_success")).map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    @Test
    void aMergeRequestIsBuiltTestedAndLookedAt() {
        assertEquals(Set.of("build", "test", "editions", "valve", "schema", "cost", "advisories", "advisories-images", "changes"),
                automatic(jobs("merge_request_event", "", "--aws")));
    }

    @Test
    void theBranchGoesToQaAndAPersonLetsItGoOn() {
        var jobs = jobs("push", "main", "--aws");
        assertEquals(Set.of("build", "test", "editions", "valve", "schema", "cost", "advisories", "advisories-images", "deploy-qa",
                "deploy-production", "deploy-demo"), automatic(jobs));
        assertEquals("manual, blocking", jobs.get("approve"));
        for (String any : List.of("sync", "rollback-qa", "rollback-production-and-demo", "log", "parity", "nightly"))
            assertEquals("manual", jobs.get(any), any);
        var stages = texts(preview().get("stages"));
        assertTrue(stages.indexOf("gate") < stages.indexOf("qa") && stages.indexOf("qa") < stages.indexOf("approve")
                && stages.indexOf("approve") < stages.indexOf("production"), stages::toString);
        assertEquals(List.of("approve"), inStage("approve"));
        assertEquals(List.of("deploy-demo", "deploy-production"), inStage("production"), "side by side");
    }

    @Test
    void aScheduleSyncsAndDoesNothingElse() {
        assertEquals(Map.of("sync", "on_success"), jobs("schedule", "main", "--aws"));
        for (String named : List.of("parity", "nightly"))
            assertEquals(Map.of(named, "on_success"), jobs("schedule", "main", "--aws", "--variable", "LOCKSTEP_SCHEDULE=" + named));
    }

    @Test
    void shardsComeAndGoByHandWhereThereIsACommandForIt() {
        var local = jobs("push", "main", "");
        assertEquals(List.of("manual", "manual"), List.of(local.get("qa-demo-shard-up"), local.get("qa-demo-shard-down")));
    }

    /** The release is built once. Every deployment uses that file and nothing from the job's own checkout. */
    @Test
    void everyAccountGetsTheSameFile() {
        int deployments = 0;
        for (var job : jobsOf(preview()).entrySet()) {
            String script = script(job.getValue());
            assertEquals(job.getKey().equals("build"), script.contains("release build"), job.getKey());
            if (job.getKey().equals("build")) assertTrue(script.contains("$LOCKSTEP_PLACE"), "with the images that accounts of AWS get");
            if (script.contains("lockstep deploy")) {
                assertTrue(script.contains("--from release.zip"), job.getKey());
                deployments++;
            }
        }
        assertEquals(4, deployments);
        assertEquals("[\"release.zip\"]", preview().at("/build/artifacts/paths").toString());
    }

    /** Only the parameters differ. */
    @Test
    void accountsAreDeployedByTheSameLine() {
        var preview = preview();
        assertEquals(1, Stream.of("qa", "production", "demo").map(account -> script(preview.get("deploy-" + account))).distinct().count());
        for (String account : List.of("qa", "production", "demo")) {
            assertEquals(account, preview.at("/deploy-" + account + "/variables/ACCOUNT").asString());
            assertEquals(account, preview.at("/deploy-" + account + "/environment/name").asString());
        }
    }

    @Test
    void jobsShowATokenAndNoKeyIsStored() throws IOException {
        for (var job : jobsOf(preview()).entrySet()) {
            // the build job does not access accounts
            boolean worksInAccounts = script(job.getValue()).contains("$LOCKSTEP_PLACE") && !job.getKey().equals("build");
            assertEquals(worksInAccounts ? "{\"LOCKSTEP_ID_TOKEN\":{\"aud\":\"lockstep\"}}" : "",
                    job.getValue().path("id_tokens").isMissingNode() ? "" : job.getValue().get("id_tokens").toString(), job.getKey());
        }
        assertFalse(Files.readString(PROJECT.resolve(".gitlab-ci.yml")).matches("(?s).*(AWS_|SECRET|PASSWORD|PRIVATE|vault).*"));
    }

    /** Otherwise an unknown option would be noticed only in the first pipeline. */
    @Test
    void theCommandLineKnowsEveryLine() {
        int lines = 0;
        for (var job : jobsOf(preview()).entrySet()) {
            var matcher = LOCKSTEP.matcher(script(job.getValue()));
            while (matcher.find()) {
                var words = new ArrayList<>(List.of(matcher.group(1).strip().replace("\"", "")
                        .replace("$LOCKSTEP_LANDSCAPE", "lockstep.yaml").replace("$LOCKSTEP_PLACE", "--aws").replace("$release", "1")
                        .replaceAll("\\$ACCOUNTS?", "qa").replace("$SHARD", "qa-demo-extra").split("\\s+")));
                if (List.of("build", "test").contains(words.getFirst())) continue;
                var parsed = new CommandLine(new Main()).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(words.toArray(String[]::new));
                assertTrue(parsed.hasSubcommand(), words::toString);
                lines++;
            }
        }
        assertEquals(16, lines);
    }

    /** GitLab keeps a ref for each deployment to an environment. */
    @Test
    void schemasAreComparedWithWhatProductionRuns() throws IOException {
        var script = texts(preview().at("/schema/script"));
        assertTrue(script.getLast().contains("--previous"), script::toString);
        String ask = String.join("\n", script.subList(0, script.size() - 1)) + "\necho \"${previous:-HEAD~1}\"";
        run(List.of("git", "remote", "set-url", "origin", checkout.resolve("gitlab").toString()));
        assertEquals("HEAD~1", run(List.of("sh", "-ec", ask)).out().strip(), "nothing was deployed yet");
        run(List.of("git", "clone", "-q", "--bare", ".", "gitlab"));
        for (String deployment : List.of("9", "10"))
            run(List.of("git", "-C", "gitlab", "update-ref", "refs/environments/production/deployments/" + deployment, "main"));
        assertEquals("refs/production/10", run(List.of("sh", "-ec", ask)).out().strip());
    }

    /** Checks that the validation against the published schema finds errors. */
    @ParameterizedTest
    @ValueSource(strings = {"stage: build → stag: build", "id_tokens: → id_token:", "{aud: lockstep} → {audience: lockstep}",
            "when: manual → when: by-hand", "action: stop → action: halt",
            "stages: [build → stage: [build"})
    void aMistakeIsFound(String mistake) throws IOException {
        var sides = mistake.split(" → ");
        String pipeline = Files.readString(checkout.resolve(".gitlab-ci.yml"));
        String edited = pipeline.replaceFirst(Pattern.quote(sides[0]), sides[1]);
        assertNotEquals(pipeline, edited);
        Files.writeString(checkout.resolve(".gitlab-ci.yml"), edited);
        assertNotEquals(0, gitlab("--list").exit(), mistake);
    }

    private List<String> inStage(String stage) {
        return jobsOf(preview()).entrySet().stream().filter(job -> job.getValue().path("stage").asString("").equals(stage))
                .map(Map.Entry::getKey).sorted().toList();
    }

    /** Returns the pipeline with everything that jobs inherit. */
    private JsonNode preview() {
        var preview = gitlab("--preview");
        assertEquals(0, preview.exit(), preview::toString);
        return JSON.valueToTree(new Load(LoadSettings.builder().build()).loadFromString(preview.out()));
    }

    private static Map<String, JsonNode> jobsOf(JsonNode preview) {
        var jobs = new TreeMap<String, JsonNode>();
        preview.properties().stream().filter(entry -> entry.getValue().has("script") && !entry.getKey().startsWith("."))
                .forEach(entry -> jobs.put(entry.getKey(), entry.getValue()));
        return jobs;
    }

    private static String script(JsonNode job) {
        return job.get("script").isString() ? job.get("script").asString() : String.join("\n", texts(job.get("script")));
    }

    private static List<String> texts(JsonNode array) {
        return array.valueStream().map(JsonNode::asString).toList();
    }
}
