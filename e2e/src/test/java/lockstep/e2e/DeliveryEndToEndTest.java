package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import lockstep.accounts.DeployedTask;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/** Runs the jobs of the pipeline with gitlab-ci-local against the local accounts, with only the job's token and with IAM enforced. */
@ExtendWith(SharedCloud.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Tag("nightly")
class DeliveryEndToEndTest {
    private static final TestingTokens TOKENS = new TestingTokens();
    private static final List<String> ACCOUNTS = List.of("production", "demo", "qa");

    private record Pipeline(int exit, String out) {}

    /** Load on both editions during the tests, with kept and new connections. */
    private static TestingLoad customers;
    private static TestingLoad visitors;

    @BeforeAll
    static void startLoad() {
        customers = new TestingLoad(CLOUD.firstHop("clinic-1"), CLOUD.endpoint(), CLOUD.client("operator"), Duration.ofMillis(100));
        // the demo limits each address to 30 requests per second
        visitors = new TestingLoad(CLOUD.firstHop("demo-1"), CLOUD.endpoint(), null, Duration.ofMillis(400));
    }

    /** Restores the original release. */
    @AfterAll
    static void restoreRelease() {
        customers.close();
        visitors.close();
        var up = CLOUD.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
    }

    private static Pipeline pipeline(String release, String token, String... jobs) {
        try {
            Path project = CLOUD.files.project();
            Path programs = Files.createDirectories(project.resolve("e2e/target/pipeline"));
            // gitlab-ci-local copies the checkout only for jobs in containers, which are not used here
            Path rsync = Files.writeString(programs.resolve("rsync"), "#!/bin/sh\nexit 0\n");
            assertTrue(rsync.toFile().setExecutable(true));
            var line = new ArrayList<>(List.of(project.resolve("node_modules/.bin/gitlab-ci-local").toString()));
            line.addAll(List.of(jobs));
            line.addAll(List.of("--concurrency", "1", "--state-dir", "e2e/target/pipeline/state", "--variable", "CI_COMMIT_BRANCH=main",
                    "--variable", "CI_DEFAULT_BRANCH=main",
                    "--variable", "CI_PIPELINE_ID=7", "--variable", "LOCKSTEP_PLACE=", "--variable",
                    "LOCKSTEP_LANDSCAPE=e2e/target/end-to-end.yaml",
                    "--variable", "LOCKSTEP_RELEASE=" + release, "--variable", "LOCKSTEP_ID_TOKEN=" + token));
            var builder = new ProcessBuilder(line).directory(project.toFile()).redirectErrorStream(true);
            builder.environment().put("LOCKSTEP_HOME", CLOUD.files.home().toString());
            builder.environment().put("LOCKSTEP_BUILT", "yes");
            builder.environment().merge("PATH", programs + ":" + project.resolve("node_modules/.bin"), (path, first) -> first + ":" + path);
            var process = builder.start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Pipeline(process.waitFor(), out);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the releases that the services of an account run, according to ECS. */
    private static Set<String> running(String account) {
        try (var access = CLOUD.root(account)) {
            return DeployedTask.of(CLOUD.account(account), access).stream().flatMap(task -> task.variable("RELEASE").stream())
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static JsonNode log() {
        return CLOUD.lockstep("log", "--output", "json").json().get("entries");
    }

    @Test
    @Order(1)
    void twoReleasesGoThroughTheWholePipeline() {
        for (String release : List.of("e2e-1", "e2e-2")) {
            var pipeline = pipeline(release, TOKENS.ofMain(), "build", "editions", "valve", "cost", "deploy-qa", "approve",
                    "deploy-production", "deploy-demo");
            assertEquals(0, pipeline.exit(), pipeline::toString);
            for (String account : ACCOUNTS) assertEquals(Set.of(release), running(account), account);
        }
        var kept = CLOUD.lockstep("release", "list", "--output", "json").json().get("releases");
        assertEquals(6, kept.size(), kept::toString);
        for (String release : List.of("e2e-1", "e2e-2")) {
            assertEquals(1, kept.valueStream().filter(k -> k.get("release").asString().equals(release)).map(k -> k.get("digest").asString())
                    .distinct().count(), "the same assembly everywhere");
        }
        assertEquals(Set.of("e2e-2"), kept.valueStream().filter(k -> k.get("inForce").asBoolean()).map(k -> k.get("release").asString())
                .collect(Collectors.toSet()));
    }

    @Test
    @Order(2)
    void anEarlierReleaseIsDeployedIntoOneAccount() {
        assertEquals(0, CLOUD.lockstep("release", "deploy", "e2e-1", "qa").exit());
        assertEquals(Set.of("e2e-1"), running("qa"));
        assertEquals(Set.of("e2e-2"), running("demo"));
        assertEquals(0, CLOUD.lockstep("release", "deploy", "e2e-2", "qa").exit());
        assertEquals(1, CLOUD.lockstep("release", "deploy", "none", "qa").exit());
        assertEquals(2, CLOUD.lockstep("deploy", "nowhere").exit());
        assertEquals(Set.of("e2e-2"), running("qa"));
        assertTrue(CLOUD.lockstep("status", "--output", "json").json().get("sameRelease").asBoolean());
        assertEquals(0, CLOUD.lockstep("release", "parity").exit());
    }

    /** Uses the token of its own branch, whose role can only read templates. */
    @Test
    @Order(3)
    void aMergeRequestIsToldWhatItWouldChange() {
        String token = TOKENS.token("https://gitlab.example.com", "lockstep", "clinic/lockstep", "branch", "feature");
        var changes = pipeline("-", token, "changes", "--variable", "CI_PIPELINE_SOURCE=merge_request_event");
        assertEquals(0, changes.exit(), changes::toString);
        for (String account : ACCOUNTS) assertTrue(changes.out().contains("account " + account), changes::toString);
    }

    @Test
    @Order(4)
    void theWayBackIsOneJob() {
        var back = pipeline("-", TOKENS.ofMain(), "rollback-production-and-demo");
        assertEquals(0, back.exit(), back::toString);
        assertEquals(Set.of("e2e-1"), running("production"));
        assertEquals(Set.of("e2e-1"), running("demo"));
        assertEquals(Set.of("e2e-2"), running("qa"));
        assertEquals(0, CLOUD.lockstep("release", "parity").exit(), "qa is no part of it");
    }

    @Test
    @Order(5)
    void theSyncJobEndsAsTheSyncEnds() {
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = price + 1 WHERE id = 7");
        var sync = pipeline("-", TOKENS.ofMain(), "sync");
        assertEquals(0, sync.exit(), sync::toString);
        assertEquals(CLOUD.value("clinic-1", "SELECT price FROM master.drug WHERE id = 7"),
                CLOUD.value("demo-1", "SELECT price FROM master.drug WHERE id = 7"));
    }

    /** Runs in an account whose release differs from the other accounts and from the checkout. */
    @Test
    @Order(6)
    void aDemoShardComesAndGoesAndNobodysReleaseChanges() {
        for (String job : List.of("qa-demo-extra-up", "qa-demo-extra-down")) {
            var ended = pipeline("-", TOKENS.ofMain(), job);
            assertEquals(0, ended.exit(), ended::toString);
            var shards = CLOUD.lockstep("status", "--output", "json").json().get("shards").valueStream()
                    .filter(s -> s.get("shard").asString().equals("qa-demo-extra")).map(s -> s.get("state").asString()).toList();
            assertEquals(job.endsWith("up") ? List.of("in-step") : List.of(), shards);
            assertEquals(List.of(Set.of("e2e-1"), Set.of("e2e-1"), Set.of("e2e-2")),
                    ACCOUNTS.stream().map(DeliveryEndToEndTest::running).toList(), job);
        }
    }

    @Test
    @Order(7)
    void anotherBranchDoesNothing() {
        int before = log().size();
        String token = TOKENS.token("https://gitlab.example.com", "lockstep", "clinic/lockstep", "branch", "feature");
        for (String job : List.of("deploy-qa", "sync", "rollback-qa")) {
            var refused = pipeline("-", token, job);
            // a manual job may fail without failing the pipeline: it is only a warning
            assertEquals(job.equals("deploy-qa"), refused.exit() != 0, refused::toString);
            assertTrue(refused.out().contains("the job's token can't assume role"), refused::toString);
        }
        assertEquals(before, log().size());
        assertEquals(Set.of("e2e-2"), running("qa"));
    }

    /** The last test that uses qa: it is rolled back as well. */
    @Test
    @Order(8)
    void parityIsMeasuredAndQaGoesBackByJobs() {
        for (String job : List.of("parity", "rollback-qa")) {
            var ended = pipeline("-", TOKENS.ofMain(), job);
            assertEquals(0, ended.exit(), ended::toString);
        }
        assertEquals(Set.of("e2e-1"), running("qa"));
    }

    @Test
    @Order(9)
    void theLogTellsAllOfIt() {
        var entries = log();
        var lines = entries.valueStream().map(e -> "%s %s %s %s".formatted(e.get("action").asString(), e.get("account").asString(),
                e.get("release").asString("-"), e.get("result").asString())).toList();
        for (String account : ACCOUNTS) {
            for (String release : List.of("e2e-1", "e2e-2"))
                assertTrue(lines.contains("deploy " + account + " " + release + " succeeded"), lines::toString);
        }
        assertTrue(lines.contains("rollback production e2e-1 succeeded") && lines.contains("rollback demo e2e-1 succeeded"),
                lines::toString);
        var byPipeline = entries.valueStream().map(e -> e.get("who").asString()).filter(who -> who.contains("/gitlab-7-"))
                .map(who -> who.replaceFirst("/.*", "")).collect(Collectors.toSet());
        assertEquals(Set.of("lockstep-deploy", "lockstep-sync"), byPipeline);
        assertEquals(0, pipeline("-", TOKENS.ofMain(), "log").exit());
    }

    /** Each proxy and each application was replaced three times: by two releases and the rollback. */
    @Test
    @Order(10)
    void noRequestFailedMeanwhile() {
        for (var people : Map.of("customers", customers, "visitors", visitors).entrySet()) {
            var load = people.getValue();
            load.close();
            System.out.println(people.getKey() + "' requests that succeeded during deployments, rollback and sync: " + load.succeeded()
                    + ", repeated: " + load.repeated() + ", failed: " + load.failures().size());
            assertEquals(List.of(), load.failures(), people.getKey());
            assertTrue(load.succeeded() > 500, people.getKey() + ": only " + load.succeeded() + " requests");
            // each of the four HTTP/2 clients may have to repeat one request at each change
            assertTrue(load.repeated() <= 12, people.getKey() + ": " + load.repeated() + " requests over HTTP/2 had to be repeated");
        }
    }
}
