package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import lockstep.accounts.AccountAccess;
import lockstep.landscape.Names;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.SfnException;
import software.amazon.awssdk.services.sts.model.StsException;

/**
 * Runs the components in {@code templates/} with gitlab-ci-local from a second repository, in the image of the command line, with only the
 * token of a job of that repository and with IAM enforced.
 */
@ExtendWith(SharedCloud.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Tag("nightly")
class OtherRepositoryEndToEndTest {
    private static final Path PROJECT = CLOUD.files.project();
    @TempDir private static Path directory;
    private static Path lists;

    private record Ended(int exit, String out) {}

    private static Ended run(Path in, Map<String, String> environment, List<String> line) {
        try {
            // env finds programs by the changed PATH
            var builder = new ProcessBuilder(Stream.concat(Stream.of("/usr/bin/env"), line.stream()).toList()).directory(in.toFile())
                    .redirectErrorStream(true);
            builder.environment().put("LOCKSTEP_HOME", CLOUD.files.home().toString());
            builder.environment().put("LOCKSTEP_BUILT", "yes");
            builder.environment().merge("PATH", directory.resolve("bin") + ":" + PROJECT.resolve("node_modules/.bin"),
                    (path, first) -> first + ":" + path);
            builder.environment().putAll(environment);
            var process = builder.start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Ended(process.waitFor(), out);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Runs a command in the image, as a job of a project with this token. */
    private static Ended inImage(String token, String command) {
        return run(directory, Map.of("LOCKSTEP_ID_TOKEN", token, "LOCKSTEP_ROLE", "lockstep-sync-only"),
                Stream.concat(Stream.of("in-image"), Stream.of(command.split(" "))).toList());
    }

    private static Path program(String name, String script) throws IOException {
        Path program = Files.writeString(Files.createDirectories(directory.resolve("bin")).resolve(name), "#!/bin/sh\n" + script + "\n");
        assertTrue(program.toFile().setExecutable(true));
        return program;
    }

    private static void commit(Path repository, String project) {
        for (String arguments : List.of("init -q -b main", "add -A", "-c user.name=x -c user.email=x@example.com commit -qm x",
                "remote add origin https://gitlab.example.com/" + project + ".git")) {
            var ended = run(repository, Map.of(), List.of(("git " + arguments).split(" ")));
            assertEquals(0, ended.exit(), ended::toString);
        }
    }

    @BeforeAll
    static void buildTheImageAndTheRepositories() throws IOException {
        if (System.getenv("CI") == null)
            assumeTrue(System.getProperty("user.name").equals("root"), "cli/image/run needs root; without it, only the pipeline fails");
        var context = run(PROJECT, Map.of("LOCKSTEP_LANDSCAPE", PROJECT.resolve("e2e/target/end-to-end.yaml").toString()),
                List.of("cli/image/build"));
        assertEquals(0, context.exit(), context::toString);
        var image = run(PROJECT, Map.of(), List.of("cli/image/run", "--install", "--", "true"));
        assertEquals(0, image.exit(), image::toString);
        // the only way in which a job in the image differs from one on AWS: what answers as AWS, and its certificate authority
        Path trust = Files.copy(CLOUD.endpoint().trustStore(), directory.resolve("trust.p12"));
        Files.setPosixFilePermissions(trust, PosixFilePermissions.fromString("r--r--r--")); // the image's user is not root
        program("in-image", """
                exec %1$s/cli/image/run -v %2$s:/tmp/trust.p12:ro --env "LOCKSTEP_ID_TOKEN=$LOCKSTEP_ID_TOKEN" \\
                  --env "LOCKSTEP_ROLE=$LOCKSTEP_ROLE" --env AWS_ENDPOINT_URL=%3$s --env CI_PIPELINE_ID=7 --env \\
                  "JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStore=/tmp/trust.p12" -- "$@"
                """.formatted(PROJECT, trust, CLOUD.endpoint().uri()));
        program("lockstep", "exec in-image lockstep \"$@\"");
        // gitlab-ci-local copies the checkout only for jobs in containers, which are not used here
        program("rsync", "exit 0");

        Path lockstep = Files.createDirectory(directory.resolve("lockstep.git"));
        ProjectFiles.copy(PROJECT.resolve("templates"), lockstep.resolve("templates"), Set.of());
        commit(lockstep, "clinic/lockstep");
        lists = Files.createDirectory(directory.resolve("code-lists"));
        Files.writeString(lists.resolve(".gitlab-ci.yml"), """
                include:
                  - component: gitlab.example.com/clinic/lockstep/sync@main
                    inputs: {image: registry.example.com/clinic/lockstep/cli}
                  - component: gitlab.example.com/clinic/lockstep/verify@main
                    inputs: {image: registry.example.com/clinic/lockstep/cli}
                  - component: gitlab.example.com/clinic/lockstep/shard@main
                    inputs: {shard: qa-demo-lists, command: %s/lockstep, landscape: %s/e2e/target/end-to-end.yaml}
                """.formatted(PROJECT, PROJECT));
        commit(lists, "clinic/code-lists");
    }

    private static Ended pipeline(String token, String... jobs) {
        Path lockstep = directory.resolve("lockstep.git");
        return run(lists, Map.of("GIT_CONFIG_COUNT", "1", "GIT_CONFIG_KEY_0", "url." + lockstep.toUri() + ".insteadOf",
                "GIT_CONFIG_VALUE_0", "https://gitlab.example.com/clinic/lockstep.git"),
                Stream.of(Stream.of("gitlab-ci-local", "--force-shell-executor", "--concurrency", "1"), Stream.of(jobs),
                        Stream.of("--variable", "CI_COMMIT_BRANCH=main", "--variable", "CI_DEFAULT_BRANCH=main", "--variable",
                                "LOCKSTEP_ID_TOKEN=" + token))
                        .flatMap(part -> part).toList());
    }

    /** The first number is the whole start of the command; the image has no other tools. */
    @Test
    @Order(1)
    void theImageStartsInUnderTwoSecondsAndHasNoTools() {
        long fastest = Long.MAX_VALUE;
        for (String command : List.of("version", "sync --help", "sync --help")) {
            var ended = run(directory, Map.of(), List.of(PROJECT + "/cli/image/run", "--", "sh", "-ec",
                    "begun=$(date +%s%3N); lockstep " + command + " >/dev/null; echo took $(($(date +%s%3N) - begun))"));
            assertEquals(0, ended.exit(), ended::toString);
            long took = Long.parseLong(ended.out().lines().filter(line -> line.startsWith("took ")).findFirst().orElseThrow().substring(5));
            System.out.println("lockstep " + command + " in its image: " + took + " ms");
            fastest = Math.min(fastest, took);
        }
        assertTrue(fastest < 2000, "milliseconds: " + fastest);
        for (String tool : List.of("javac", "mvn", "node", "npm", "go", "cdk"))
            assertEquals(127, run(directory, Map.of(), List.of(PROJECT + "/cli/image/run", "--", "sh", "-c", tool)).exit(), tool);
    }

    @Test
    @Order(2)
    void aSyncAndItsVerificationAreTwoJobs() {
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = price + 1 WHERE id = 7");
        var synced = pipeline(new TestingTokens().ofCodeLists(), "sync", "verify");
        assertEquals(0, synced.exit(), synced::toString);
        assertTrue(synced.out().contains("Verified in 4 shards"), synced::toString);
        assertEquals(CLOUD.value("clinic-1", "SELECT price FROM master.drug WHERE id = 7"),
                CLOUD.value("demo-1", "SELECT price FROM master.drug WHERE id = 7"));
    }

    @Test
    @Order(3)
    void theJobDoesNothingElse() {
        String token = new TestingTokens().ofCodeLists();
        for (var others : Map
                .of("production", List.of(Names.approveRole(), Names.importRole(), Names.restoreStartRole(), Names.readerRole()),
                        "demo", List.of(Names.restoreStartRole(), Names.workerRole(), Names.watchRole()))
                .entrySet()) {
            String account = CLOUD.account(others.getKey()).id();
            try (var job = AccountAccess.webIdentity(Optional.of(CLOUD.endpoint()), "eu-central-1", account, Names.syncOnlyRole(), token,
                    "test")) {
                for (String role : others.getValue()) {
                    String arn = Names.roleArn("eu-central-1", account, role);
                    assertEquals(403, assertThrows(StsException.class, () -> job.assume(arn, "attack"), arn).statusCode(), arn);
                }
            }
        }
        try (var job = AccountAccess.webIdentity(Optional.of(CLOUD.endpoint()), "eu-central-1", "111111111111", Names.syncOnlyRole(), token,
                "test");
                var sfn = job.assume(Names.roleArn("eu-central-1", "111111111111", Names.syncStartRole()), "test")
                        .client(SfnClient.builder())) {
            var refused = assertThrows(SfnException.class, () -> sfn.sendTaskSuccess(r -> r.taskToken("any").output("{}")));
            assertTrue(refused.getMessage().contains("not authorized"), "who starts a sync does not approve it: " + refused.getMessage());
        }
        var dryRun = inImage(token, "lockstep sync --aws --dry-run");
        assertEquals(1, dryRun.exit(), dryRun::toString);
        assertTrue(dryRun.out().contains("lockstep-restore-start"), dryRun::toString);
        var another = inImage(new TestingTokens().token("https://gitlab.example.com", "lockstep", "clinic/code-lists", "branch", "feature"),
                "lockstep sync --aws");
        assertEquals(1, another.exit(), another::toString);
        assertTrue(another.out().contains("the job's token can't assume role"), another::toString);
    }

    @Test
    @Order(4)
    void aDemoShardComesAndGoes() {
        for (String job : List.of("qa-demo-lists-up", "qa-demo-lists-down")) {
            var ended = pipeline("", job);
            assertEquals(0, ended.exit(), ended::toString);
            assertEquals(job.endsWith("up") ? List.of("in-step") : List.of(),
                    CLOUD.lockstep("status", "--output", "json").json().get("shards").valueStream()
                            .filter(s -> s.get("shard").asString().equals("qa-demo-lists")).map(s -> s.get("state").asString())
                            .toList());
        }
    }
}
