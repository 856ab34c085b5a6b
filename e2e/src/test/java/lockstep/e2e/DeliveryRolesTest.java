package lockstep.e2e;

import static lockstep.e2e.TestingCloud.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import lockstep.accounts.AccountAccess;
import lockstep.accounts.LocalEndpoint;
import lockstep.assembly.Assembly;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import lockstep.landscape.Names;
import lockstep.localcloud.Certificates;
import lockstep.localcloud.CloudState;
import lockstep.localcloud.Emulator;
import lockstep.localcloud.JavaFunctions;
import lockstep.localcloud.Projection;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import lockstep.release.AwsDeployment;
import lockstep.release.Cdk;
import lockstep.release.LogEntry.Action;
import lockstep.release.LogEntry.Result;
import lockstep.release.LogEntry;
import lockstep.release.ReleaseArchive;
import lockstep.release.Shelf;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/** Tests what the roles of the delivery stack may and may not do, in a separate emulator with IAM enforced and no database. */
@Tag("nightly")
class DeliveryRolesTest {
    private static final TestingTokens TOKENS = new TestingTokens();
    private static ProjectFiles files;
    private static CloudState.Store store;
    private static Emulator emulator;
    private static LocalEndpoint endpoint;
    private static Landscape landscape;
    private static Account demo;
    private static Cdk cdk;
    @TempDir private Path directory;

    @BeforeAll
    static void deploy() {
        var launcher = ProjectFiles.ofLauncher();
        files = new ProjectFiles(launcher.project(), launcher.tools(), launcher.project().resolve("e2e/target/delivery-roles"));
        files.create();
        landscape = LandscapeReader.read(files.project().resolve("lockstep.yaml"));
        demo = landscape.accounts().stream().filter(account -> account.name().equals("demo")).findFirst().orElseThrow();
        store = new CloudState.Store(files);
        var certificates = Certificates.in(files.certificates());
        certificates.ensure();
        emulator = new Emulator(files, store, landscape.region());
        emulator.ensure();
        endpoint = Emulator.endpoint(certificates, store.read().emulator().orElseThrow());
        cdk = new Cdk(files, landscape.region());
        new Projection(JavaFunctions.runtime(files)).project(cdk.synthesize(files.project().resolve("lockstep.yaml")), files.assembly());
        cdk.bootstrap(demo, endpoint);
        cdk.deploy(demo, List.of("demo-network", "demo-delivery"), endpoint, Cdk.root(demo));
    }

    @AfterAll
    static void stop() {
        emulator.stop();
    }

    private static AccountAccess as(String role, String token) {
        return AccountAccess.webIdentity(Optional.of(endpoint), landscape.region(), demo.id(), role, token, "gitlab-1-2");
    }

    @Test
    void onlyTheProtectedBranchDeploysAndSyncs() {
        for (String role : List.of(Names.deployRole(), Names.syncRole())) {
            as(role, TOKENS.ofMain()).close();
            for (String other : List.of(
                    TOKENS.token("https://gitlab.example.com", "lockstep", "clinic/lockstep", "branch", "feature"),
                    TOKENS.token("https://gitlab.example.com", "lockstep", "clinic/lockstep", "tag", "main"),
                    TOKENS.token("https://gitlab.example.com", "lockstep", "clinic/lockstep-fork", "branch", "main"),
                    TOKENS.token("https://gitlab.example.com", "lockstep", "mallory/lockstep", "branch", "main"),
                    TOKENS.token("https://gitlab.example.com", "sts.amazonaws.com", "clinic/lockstep", "branch", "main"),
                    TOKENS.token("https://gitlab.com", "lockstep", "clinic/lockstep", "branch", "main"), "nonsense")) {
                var refused = assertThrows(IllegalArgumentException.class, () -> as(role, other));
                assertTrue(refused.getMessage().contains(role) && refused.getMessage().contains("under delivery"), refused::getMessage);
            }
        }
    }

    @Test
    void anyBranchOfTheProjectLooksAndDoesNothingElse() {
        for (String branch : List.of("main", "feature/x"))
            as(Names.diffRole(), TOKENS.token("https://gitlab.example.com", "lockstep", "clinic/lockstep", "branch", branch)).close();
        assertThrows(IllegalArgumentException.class,
                () -> as(Names.diffRole(), TOKENS.token("https://gitlab.example.com", "lockstep", "mallory/lockstep", "branch", "main")));
        try (var diff = as(Names.diffRole(),
                TOKENS.token("https://gitlab.example.com", "lockstep", "clinic/lockstep", "branch", "feature"));
                var shelf = new Shelf(demo, diff)) {
            assertEquals(403, assertThrows(S3Exception.class, shelf::exists).statusCode());
            assertThrows(RuntimeException.class,
                    () -> diff.assume(
                            Names.roleArn(landscape.region(), demo.id(), Names.bootstrapRole("deploy", demo.id(), landscape.region())),
                            "attack"));
            assertThrows(RuntimeException.class,
                    () -> diff.assume(
                            Names.roleArn(landscape.region(), demo.id(), Names.bootstrapRole("lookup", demo.id(), landscape.region())),
                            "attack"));
            String changes = new AwsDeployment(files, landscape.region(), files.assembly()).diff(demo, diff, Optional.of(endpoint));
            assertTrue(changes.contains("demo-delivery"), changes);
        }
    }

    /** {@code OtherRepositoryEndToEndTest} shows what the roles of master data allow it. */
    @Test
    void anotherProjectGetsOneRoleAndNoneOfTheOthers() {
        for (String role : List.of(Names.deployRole(), Names.syncRole(), Names.diffRole()))
            assertThrows(IllegalArgumentException.class, () -> as(role, TOKENS.ofCodeLists()), role);
        for (String other : List.of(TOKENS.ofMain(),
                TOKENS.token("https://gitlab.example.com", "lockstep", "clinic/code-lists", "branch", "feature"),
                TOKENS.token("https://gitlab.example.com", "lockstep", "clinic/code-lists", "tag", "main"),
                TOKENS.token("https://gitlab.example.com", "lockstep", "mallory/code-lists", "branch", "main")))
            assertThrows(IllegalArgumentException.class, () -> as(Names.syncOnlyRole(), other));
        try (var syncOnly = as(Names.syncOnlyRole(), TOKENS.ofCodeLists()); var shelf = new Shelf(demo, syncOnly);
                var s3 = syncOnly.client(S3Client.builder().forcePathStyle(true))) {
            assertEquals(403, assertThrows(S3Exception.class, shelf::exists).statusCode());
            assertEquals(403,
                    assertThrows(S3Exception.class, () -> s3.putObject(
                            r -> r.bucket(Names.releases(demo.id(), landscape.region())).key("log/x.json"), RequestBody.fromString("{}")))
                            .statusCode());
            for (String purpose : List.of("deploy", "lookup", "file-publishing"))
                assertThrows(RuntimeException.class, () -> syncOnly
                        .assume(Names.roleArn(landscape.region(), demo.id(), Names.bootstrapRole(purpose, demo.id(), landscape.region())),
                                "attack"));
        }
    }

    /** Deploys a release archive with only the role's credentials, like a job. The stack changes, because somebody else is notified. */
    @Test
    void theDeployRoleDeploys() throws IOException {
        Path landscapeFile = Files.writeString(directory.resolve("second.yaml"),
                Files.readString(files.project().resolve("lockstep.yaml")).replace("directory: ", "directory: " + files.project() + "/")
                        .replace("operations@example.com", "second@example.com"));
        Path second = files.home().resolve("second");
        var release = ReleaseArchive.pack(cdk.synthesize(landscapeFile, Optional.of("9.9.9")), landscapeFile, "9.9.9", Optional.empty(),
                directory.resolve("9.9.9.zip"));
        new Projection(JavaFunctions.runtime(files)).project(release.unpack(directory.resolve("9.9.9")).assembly(), second);
        try (var deploy = as(Names.deployRole(), TOKENS.ofMain())) {
            var stack = new Assembly(second).stacksOf(demo).stream().filter(s -> s.name().equals("demo-delivery")).findFirst()
                    .orElseThrow();
            assertTrue(stack.template().toString().contains("second@example.com"));
            cdk.deploy(demo, second, List.of("demo-delivery"), endpoint, deploy.environment());
        }
        try (var sync = as(Names.syncRole(), TOKENS.ofMain())) {
            assertThrows(UserFault.class, () -> cdk.deploy(demo, List.of("demo-delivery"), endpoint, sync.environment()),
                    "who syncs does not deploy");
        }
    }

    /** Images are pushed with the image publishing role of the CDK bootstrap. */
    @Test
    void onlyWhoDeploysOpensTheRegistryOfImages() {
        String role = Names.roleArn(landscape.region(), demo.id(), Names.bootstrapRole("image-publishing", demo.id(), landscape.region()));
        try (var deploy = as(Names.deployRole(), TOKENS.ofMain())) {
            assertEquals(demo.id() + ".dkr.ecr." + landscape.region() + ".amazonaws.com",
                    deploy.assume(role, "images").registry().address().getHost());
            assertThrows(IllegalStateException.class, deploy::registry, "by its own rights it can't");
        }
        try (var sync = as(Names.syncRole(), TOKENS.ofMain())) {
            assertThrows(RuntimeException.class, () -> sync.assume(role, "attack"));
            var refused = assertThrows(IllegalStateException.class, sync::registry);
            assertTrue(refused.getMessage().contains("AccessDenied"), refused::getMessage);
        }
    }

    @Test
    void aReleaseIsKeptOnceAndBelievedByItsDigest() throws IOException {
        try (var deploy = as(Names.deployRole(), TOKENS.ofMain()); var shelf = new Shelf(demo, deploy)) {
            var archive = archive("1.0.0", "one");
            shelf.keep(archive);
            shelf.keep(archive);
            assertEquals(Optional.of(archive.release()), shelf.find("1.0.0"));
            assertEquals(Optional.empty(), shelf.find("1.0.1"));
            var other = assertThrows(UserFault.class, () -> shelf.keep(archive("1.0.0", "two")));
            assertTrue(other.getMessage().contains("has a different release 1.0.0"), other::getMessage);
            assertEquals(archive.release(), shelf.fetch(archive.release(), directory.resolve("fetched.zip")).release());
            assertEquals(List.of("1.0.0"), shelf.list().stream().map(kept -> kept.release().name()).toList());

            try (var root = AccountAccess.root(endpoint, landscape.region(), demo.id());
                    var s3 = root.client(S3Client.builder().forcePathStyle(true))) {
                s3.putObject(
                        r -> r.bucket(Names.releases(demo.id(), landscape.region()))
                                .key("assemblies/" + archive.release().digest() + ".zip"),
                        RequestBody.fromFile(archive("1.0.0", "forged").file()));
            }
            var forged = assertThrows(UserFault.class, () -> shelf.fetch(archive.release(), directory.resolve("forged.zip")));
            assertTrue(forged.getMessage().contains("has changed since it was stored"), forged::getMessage);
        }
        try (var sync = as(Names.syncRole(), TOKENS.ofMain()); var s3 = sync.client(S3Client.builder().forcePathStyle(true))) {
            assertEquals(403,
                    assertThrows(S3Exception.class,
                            () -> s3.putObject(r -> r.bucket(Names.releases(demo.id(), landscape.region())).key("releases/2.0.0.json"),
                                    RequestBody.fromString("{}")))
                            .statusCode());
        }
    }

    private ReleaseArchive archive(String name, String content) throws IOException {
        Path assembly = Files.createDirectories(directory.resolve("cdk.out-" + content));
        Files.writeString(assembly.resolve("manifest.json"), content);
        return ReleaseArchive.pack(assembly, files.project().resolve("lockstep.yaml"), name, Optional.empty(),
                directory.resolve(name + content + ".zip"));
    }

    /**
     * The path from the log over topic, queue, alias and function to the chat, each with its own role. Messages name who syncs or deploys.
     */
    @Test
    void whatIsWrittenDownIsToldInTheChat() throws IOException {
        var heard = new CopyOnWriteArrayList<String>();
        var chat = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        chat.createContext("/hook", exchange -> {
            heard.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        chat.start();
        try (var root = AccountAccess.root(endpoint, landscape.region(), demo.id());
                var secrets = root.client(SecretsManagerClient.builder())) {
            String webhook = secrets.listSecrets().secretList().stream().map(secret -> secret.name())
                    .filter(name -> name.contains("Webhook")).findFirst().orElseThrow();
            secrets.putSecretValue(
                    r -> r.secretId(webhook).secretString("{\"url\":\"http://127.0.0.1:" + chat.getAddress().getPort() + "/hook\"}"));
            for (String role : List.of(Names.deployRole(), Names.syncRole())) {
                try (var access = as(role, TOKENS.ofMain()); var shelf = new Shelf(demo, access)) {
                    var begun = new LogEntry("id-" + role, Instant.now().truncatedTo(ChronoUnit.MILLIS), "demo", Action.deploy,
                            Optional.of("1.0.0"), Optional.empty(), role, Optional.empty(),
                            Result.started, Optional.empty(), Optional.empty(), Optional.empty());
                    shelf.record(begun);
                    shelf.record(begun.ended(begun.when().plusSeconds(93), Optional.of("no such table")));
                    assertThrows(UserFault.class, () -> shelf.record(begun), "an entry is written once");
                }
                await("a message of " + role, Duration.ofSeconds(60),
                        () -> heard.stream().anyMatch(message -> message.contains("by " + role)));
            }
            assertTrue(heard.stream().allMatch(
                    message -> message.contains("[demo] release 1.0.0 deployed in demo: failed") && message.contains("no such table")),
                    heard::toString);
            try (var shelf = new Shelf(demo, root)) {
                assertEquals(4, shelf.log(100).stream().filter(entry -> entry.id().startsWith("id-")).count());
            }
        } finally {
            chat.stop(0);
        }
        assertFalse(Files.readString(files.log("emulator")).contains("/hook"), "the address is in no log");
    }
}
