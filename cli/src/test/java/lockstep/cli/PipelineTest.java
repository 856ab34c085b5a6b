package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Tests the pipeline with gitlab-ci-local, which validates it against GitLab's published schema. No jobs are run. */
class PipelineTest {
    private static final Path PROJECT = TestingCheckout.PROJECT;

    @TempDir private Path directory;
    private TestingCheckout checkout;

    @BeforeEach
    void commit() throws IOException {
        Path project = Files.createDirectory(directory.resolve("lockstep"));
        Files.copy(PROJECT.resolve(".gitlab-ci.yml"), project.resolve(".gitlab-ci.yml"));
        ProjectFiles.copy(PROJECT.resolve("templates"), project.resolve("templates"), Set.of());
        checkout = TestingCheckout.commit(project, "clinic/lockstep", Map.of());
    }

    /** Returns the jobs of a pipeline and when each runs. */
    private Map<String, String> jobs(String source, String branch, String place, String... more) {
        var listed = checkout.gitlab(Stream.concat(Stream.of(more), Stream.of("--list-csv", "--variable", "CI_PIPELINE_SOURCE=" + source,
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
                "deploy-production", "deploy-demo", "publish-cli"), automatic(jobs));
        assertEquals("manual, blocking", jobs.get("approve"));
        for (String any : List.of("sync", "rollback-qa", "rollback-production-and-demo", "log", "parity", "nightly"))
            assertEquals("manual", jobs.get(any), any);
        var stages = texts(checkout.preview().get("stages"));
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
        assertEquals(List.of("manual", "manual"), List.of(local.get("qa-demo-extra-up"), local.get("qa-demo-extra-down")));
        assertFalse(local.containsKey("publish-cli"));
    }

    /** The release is built once. Every deployment uses that file and nothing from the job's own checkout. */
    @Test
    void everyAccountGetsTheSameFile() {
        int deployments = 0;
        for (var job : TestingCheckout.jobsOf(checkout.preview()).entrySet()) {
            String script = TestingCheckout.script(job.getValue());
            assertEquals(job.getKey().equals("build"), script.contains("release build"), job.getKey());
            if (job.getKey().equals("build")) assertTrue(script.contains("$LOCKSTEP_PLACE"), "with the images that accounts of AWS get");
            if (script.contains("lockstep deploy")) {
                assertTrue(script.contains("--from release.zip"), job.getKey());
                deployments++;
            }
        }
        assertEquals(4, deployments);
        assertEquals("[\"release.zip\"]", checkout.preview().at("/build/artifacts/paths").toString());
    }

    /** Only the parameters differ. */
    @Test
    void accountsAreDeployedByTheSameLine() {
        var preview = checkout.preview();
        assertEquals(1, Stream.of("qa", "production", "demo").map(account -> TestingCheckout.script(preview.get("deploy-" + account)))
                .distinct().count());
        for (String account : List.of("qa", "production", "demo")) {
            assertEquals(account, preview.at("/deploy-" + account + "/variables/ACCOUNT").asString());
            assertEquals(account, preview.at("/deploy-" + account + "/environment/name").asString());
        }
    }

    @Test
    void jobsShowATokenAndNoKeyIsStored() throws IOException {
        for (var job : TestingCheckout.jobsOf(checkout.preview()).entrySet()) {
            // the build job does not access accounts
            boolean worksInAccounts = TestingCheckout.script(job.getValue()).contains("$LOCKSTEP_PLACE") && !job.getKey().equals("build");
            assertEquals(worksInAccounts ? "{\"LOCKSTEP_ID_TOKEN\":{\"aud\":\"lockstep\"}}" : "",
                    job.getValue().path("id_tokens").isMissingNode() ? "" : job.getValue().get("id_tokens").toString(), job.getKey());
        }
        assertFalse(Files.readString(PROJECT.resolve(".gitlab-ci.yml")).matches("(?s).*(AWS_|SECRET|PASSWORD|PRIVATE|vault).*"));
    }

    @Test
    void theCommandLineKnowsEveryLine() {
        assertEquals(16, TestingCheckout.parsed(checkout.preview()));
    }

    /** GitLab keeps a ref for each deployment to an environment. */
    @Test
    void schemasAreComparedWithWhatProductionRuns() throws IOException {
        var script = texts(checkout.preview().at("/schema/script"));
        assertTrue(script.getLast().contains("--previous"), script::toString);
        String ask = String.join("\n", script.subList(0, script.size() - 1)) + "\necho \"${previous:-HEAD~1}\"";
        checkout.run(List.of("git", "remote", "set-url", "origin", checkout.directory().resolve("gitlab").toString()));
        assertEquals("HEAD~1", checkout.run(List.of("sh", "-ec", ask)).out().strip(), "nothing was deployed yet");
        checkout.run(List.of("git", "clone", "-q", "--bare", ".", "gitlab"));
        for (String deployment : List.of("9", "10"))
            checkout.run(List.of("git", "-C", "gitlab", "update-ref", "refs/environments/production/deployments/" + deployment, "main"));
        assertEquals("refs/production/10", checkout.run(List.of("sh", "-ec", ask)).out().strip());
    }

    /** Checks that the validation against the published schema finds errors. */
    @ParameterizedTest
    @ValueSource(strings = {"stage: build → stag: build", "id_tokens: → id_token:", "{aud: lockstep} → {audience: lockstep}",
            "when: manual → when: by-hand", "expire_in: 30 days → expires_in: 30 days",
            "stages: [build → stage: [build"})
    void aMistakeIsFound(String mistake) throws IOException {
        var sides = mistake.split(" → ");
        String pipeline = Files.readString(checkout.directory().resolve(".gitlab-ci.yml"));
        String edited = pipeline.replaceFirst(Pattern.quote(sides[0]), sides[1]);
        assertNotEquals(pipeline, edited);
        Files.writeString(checkout.directory().resolve(".gitlab-ci.yml"), edited);
        assertNotEquals(0, checkout.gitlab("--list").exit(), mistake);
    }

    private List<String> inStage(String stage) {
        return TestingCheckout.jobsOf(checkout.preview()).entrySet().stream()
                .filter(job -> job.getValue().path("stage").asString("").equals(stage))
                .map(Map.Entry::getKey).sorted().toList();
    }

    private static List<String> texts(JsonNode array) {
        return array.valueStream().map(JsonNode::asString).toList();
    }
}
