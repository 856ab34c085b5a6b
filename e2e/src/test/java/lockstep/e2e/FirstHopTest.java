package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static lockstep.e2e.TestingCloud.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import lockstep.accounts.RoutingOverrides;
import lockstep.e2e.TestingCloud.Ended;
import lockstep.e2e.TestingLoad.Answer;
import lockstep.landscape.Edition;
import lockstep.localcloud.CloudState;
import lockstep.localcloud.LocalTask;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Tests both editions through the browser and by command, and requests during the work of operators. */
@ExtendWith(SharedCloud.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Tag("nightly")
class FirstHopTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final List<Process> STARTED = new ArrayList<>();

    @AfterAll
    static void stop() {
        STARTED.forEach(Process::destroyForcibly);
    }

    // ---- in the browser

    @Test
    @Order(1)
    void aVisitorTriesTheDemo() {
        JsonNode seen = browse("visitor");
        assertTrue(seen.get("robots").asString().contains("noindex"), seen::toString);
        assertTrue(seen.get("banner").asString().contains("This is a demo. Please do not enter real patients' data. Master data as of "),
                seen::toString);
        assertTrue(seen.get("disease").asString().toLowerCase(java.util.Locale.ROOT).contains("hypertension"), seen::toString);
        assertTrue(seen.get("warning").asString().matches("(?i)(contraindicated|major|moderate|minor).* with .*"), seen::toString);
        assertEquals("Can it print labels?",
                CLOUD.value("demo-1", "SELECT message FROM tenant.inquiry WHERE email = 'sakura.tester@visitor.example'"));
        await("sales are told", SOON, () -> CLOUD.value("demo-1", "SELECT count(*) FROM tenant.inquiry_outbox").equals("0"));
    }

    @Test
    @Order(2)
    void aVisitorTriesTheDemoOnAPhone() {
        JsonNode seen = browse("phone");
        assertNotEquals("", seen.get("patient").asString());
    }

    @Test
    @Order(3)
    void productionAdmitsBrowsersByTheirCertificate() {
        JsonNode seen = browse("production");
        assertEquals(403, seen.at("/stranger/status").asInt(), seen::toString);
        assertEquals(403, seen.at("/revoked/status").asInt(), seen::toString);
        assertTrue(seen.get("footer").asString().contains("Client certificate: CN=operator"), seen::toString);
    }

    // ---- while operators work

    @Test
    @Order(10)
    void noRequestFailsWhileTheFirstHopIsWorkedOn() throws Exception {
        var proxy = task("production-production-proxy");
        try (var load = new TestingLoad(CLOUD.firstHop("clinic-1"), CLOUD.endpoint(), CLOUD.client("operator"), Duration.ofMillis(60))) {
            load.settle();
            // nginx reloads its configuration
            signal("HUP", nginxMaster("production-production-proxy"));
            load.settle();
            signal("HUP", nginxMaster("production-production-proxy"));
            load.settle();

            // a second gateway takes over, then the first one drains and stops
            var gateway = container(proxy, "gateway");
            int admin = CloudState.freePort(java.util.Optional.empty());
            var second = copy(gateway, Map.of("GATEWAY_ADMIN", "127.0.0.1:" + admin));
            load.settle();
            gateway.process().signal("TERM");
            await("the first gateway has ended", Duration.ofSeconds(60), () -> gateway.process().running().isEmpty());
            assertTrue(second.isAlive());
            load.settle();

            // a second application becomes the canary, finally with all new sessions; then the first one is killed
            var clinic = container(task("shard-clinic-1"), "clinic");
            int port = CloudState.freePort(java.util.Optional.empty());
            int health = CloudState.freePort(java.util.Optional.empty());
            copy(clinic, Map.of("PORT", String.valueOf(port), "HEALTH_PORT", String.valueOf(health)));
            await("the second clinic is healthy", Duration.ofSeconds(60), () -> TestingLoad.answers(health));
            for (String weight : List.of("0", "10", "100")) {
                Ended canary = CLOUD.lockstep("canary", "clinic-1", "--upstream", "https://127.0.0.1:" + port, "--weight", weight);
                assertEquals(0, canary.exit(), canary::toString);
                load.settle();
            }
            await("the canary has all new sessions", SOON, () -> load.newSession().track().equals("clinic-1.canary"));
            assertEquals(List.of(), load.flips(), "sessions that changed their upstream midway");
            // sessions of the first one stay with it while it exists, and then move to the fallback
            routing().change(patch -> patch.withObject("/shards/clinic-1").put("fallback", "https://127.0.0.1:" + port));
            load.settle();
            clinic.process().signal("KILL");
            load.settle();
            load.settle();
            assertEquals(List.of(), load.failures());

            // maintenance of one shard on and off
            Ended on = CLOUD.lockstep("maintenance", "on", "--account", "production", "--shard", "clinic-1", "--message", "Back at noon");
            assertEquals(0, on.exit(), on::toString);
            await("maintenance is shown", SOON, () -> load.ask().status() == 503);
            Answer page = load.ask();
            assertTrue(page.body().contains("Back at noon"), page::toString);
            load.expectFrom(503);
            Ended off = CLOUD.lockstep("maintenance", "off", "--account", "production", "--shard", "clinic-1");
            assertEquals(0, off.exit(), off::toString);
            await("maintenance is over", SOON, () -> load.ask().status() == 200);
            load.expectFrom(200);
            load.settle();
            assertEquals(List.of(), load.failures());
            assertTrue(load.succeeded() > 500, "only " + load.succeeded() + " requests");
            // at each of two reloads, each HTTP/2 client may have to repeat one request
            assertTrue(load.repeated() <= 8, load.repeated() + " requests over HTTP/2 had to be repeated");
            System.out.println("requests that succeeded while operators worked: " + load.succeeded() + ", in maintenance: "
                    + load.expected503() + ", repeated: " + load.repeated() + ", failed: 0");
        }
        Ended canary = CLOUD.lockstep("canary", "clinic-1", "--weight", "off");
        assertEquals(0, canary.exit(), canary::toString);
        routing().change(patch -> patch.withObject("/shards/clinic-1").remove("fallback"));
        STARTED.forEach(Process::destroy);
        Ended again = CLOUD.lockstep("up");
        assertEquals(0, again.exit(), again::toString);
        assertEquals(200, TestingLoad.once(CLOUD.firstHop("clinic-1"), CLOUD.endpoint(), CLOUD.client("operator")).status(),
                "up restarts what was killed");
    }

    // ---- a temporary shard for QA

    /** The proxy of the edition is replaced twice, because adding or removing a shard changes its routes. */
    @Test
    @Order(30)
    void qaBringsUpOneMoreDemoShardAndVisitorsOfTheOthersNoticeNothing() throws Exception {
        try (var load = new TestingLoad(CLOUD.firstHop("qa-demo-1"), CLOUD.endpoint(), null, Duration.ofMillis(400))) {
            String slot = running("qa-demo-proxy");
            oneMoreDemoShard(() -> assertNotEquals(slot, running("qa-demo-proxy"), "there is another first hop now"));
            load.settle();
            assertEquals(List.of(), load.failures());
            assertTrue(load.succeeded() > 300, "only " + load.succeeded() + " requests");
            assertTrue(load.repeated() <= 8, load.repeated() + " requests over HTTP/2 had to be repeated");
            System.out.println("requests that succeeded while a shard came and went: " + load.succeeded() + ", repeated: " + load.repeated()
                    + ", failed: 0");
        }
    }

    private static void oneMoreDemoShard(Runnable whileItIsThere) {
        for (var wrong : Map.of("qa-demo-1", "already a shard of account qa", "QA", "write it like qa-demo-2").entrySet()) {
            Ended refused = CLOUD.lockstep("shard", "up", wrong.getKey(), "--edition", "demo");
            assertEquals(2, refused.exit(), refused::toString);
            assertTrue(refused.err().contains(wrong.getValue()), refused::toString);
        }
        Ended elsewhere = CLOUD.lockstep("shard", "up", "qa-demo-2", "--edition", "demo", "--account", "production");
        assertEquals(2, elsewhere.exit(), elsewhere::toString);
        assertTrue(elsewhere.err().contains("account production is of purpose production"), elsewhere::toString);

        Ended up = CLOUD.lockstep("shard", "up", "qa-demo-2", "--edition", "demo", "--ttl", "1h", "--output", "json");
        assertEquals(0, up.exit(), up::toString);
        String url = up.json().get("url").asString();
        assertEquals("200", curl(url + "login"), "it can be opened");
        var status = CLOUD.lockstep("status", "--output", "json").json().get("shards").valueStream()
                .filter(s -> s.get("shard").asString().equals("qa-demo-2")).findFirst().orElseThrow();
        assertEquals("in-step", status.get("state").asString(), status::toString);
        Ended list = CLOUD.lockstep("shard", "list");
        assertTrue(list.out().contains("qa-demo-2"), list::toString);

        whileItIsThere.run();
        Ended dry = CLOUD.lockstep("shard", "down", "qa-demo-2", "--dry-run");
        assertEquals(0, dry.exit(), dry::toString);
        assertTrue(CLOUD.lockstep("shard", "list").out().contains("qa-demo-2"));
        Ended down = CLOUD.lockstep("shard", "down", "qa-demo-2", "--yes");
        assertEquals(0, down.exit(), down::toString);
        assertTrue(!CLOUD.lockstep("shard", "list").out().contains("qa-demo-2"));
        assertEquals(2, CLOUD.lockstep("shard", "down", "qa-demo-1", "--yes").exit(), "a shard of lockstep.yaml stays");
    }

    // ---- helpers

    private static JsonNode browse(String story) {
        var settings = JSON.createObjectNode();
        settings.put("browser", System.getenv("LOCKSTEP_BROWSER")).put("pages",
                CLOUD.files.project().resolve("e2e/target/pages").toString());
        settings.put("demo", CLOUD.page("demo-1")).put("production", CLOUD.firstHop("clinic-1"));
        settings.putArray("pins").add(TestingLoad.pin(CLOUD.files.certificates().resolve("servers/demo-demo-proxy.pem")))
                .add(TestingLoad.pin(CLOUD.files.certificates().resolve("servers/production-production-proxy.pem")));
        if (story.equals("production")) {
            CLOUD.client("leaver");
            Ended revoke = CLOUD.lockstep("certificate", "revoke", "leaver");
            assertTrue(revoke.exit() == 0 || revoke.err().contains("revoked"), revoke::toString);
            var leaver = CLOUD.client("leaver");
            await("nginx has the new list", SOON,
                    () -> TestingLoad.once(CLOUD.firstHop("clinic-1"), CLOUD.endpoint(), leaver).status() == 403);
            settings.set("revoked", certificate(leaver));
            settings.set("certificate", certificate(CLOUD.client("operator")));
            JsonNode user = CLOUD.opened("clinic-1").get("user");
            settings.putObject("login").put("clinic", user.get("customer").asString()).put("user", user.get("name").asString())
                    .put("password", user.get("password").asString());
        }
        try {
            var process = new ProcessBuilder("node", "e2e/src/test/browser/pages.mjs", story).directory(CLOUD.files.project().toFile())
                    .start();
            try (var in = process.getOutputStream()) {
                in.write(JSON.writeValueAsBytes(settings));
            }
            var errors = new java.util.concurrent.CompletableFuture<String>();
            Thread.ofVirtual().start(() -> {
                try {
                    errors.complete(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
                } catch (IOException e) {
                    errors.completeExceptionally(e);
                }
            });
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor(), () -> story + ": " + errors.join());
            return JSON.readTree(out);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode certificate(TestingLoad.Client client) {
        return JSON.createObjectNode().put("path", client.pkcs12().toString()).put("passphrase", client.password());
    }

    /** Returns the HTTP status with trust in the local authority. It uses curl, because Java does not resolve names below localhost. */
    private static String curl(String url) {
        try {
            var process = new ProcessBuilder("curl", "-s", "--cacert", CLOUD.files.certificates().resolve("authority.pem").toString(), "-o",
                    "/dev/null", "-w", "%{http_code}", url).start();
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static RoutingOverrides routing() {
        return RoutingOverrides.of(CLOUD.account("production"), Edition.PRODUCTION, CLOUD.root("production"));
    }

    private static CloudState.TaskState task(String name) {
        return new CloudState.Store(CLOUD.files).read().tasks().get(running(name));
    }

    /** Returns the name of the slot that serves requests. */
    private static String running(String name) {
        return LocalTask.running(name, LocalTask.serving(new CloudState.Store(CLOUD.files).read(), name));
    }

    private static CloudState.ContainerState container(CloudState.TaskState task, String name) {
        return task.containers().stream().filter(container -> container.name().equals(name)).findFirst().orElseThrow();
    }

    private static long nginxMaster(String proxy) throws IOException {
        try (var files = Files.walk(CLOUD.files.volumes().resolve(running(proxy)))) {
            return Long.parseLong(Files.readString(files.filter(file -> file.endsWith("nginx.pid")).findFirst().orElseThrow()).strip());
        }
    }

    private static void signal(String name, long pid) throws Exception {
        assertEquals(0, new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start().waitFor());
    }

    /** Starts a copy of a process with other values of some variables. */
    private static Process copy(CloudState.ContainerState container, Map<String, String> changes) throws IOException {
        long pid = container.process().pid();
        var line = new ArrayList<>(List.of(text(pid, "cmdline").split("\0")));
        line.set(0, Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "exe")).toString());
        var builder = new ProcessBuilder(line).directory(Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "cwd")).toFile())
                .redirectErrorStream(true).redirectOutput(CLOUD.files.log("copy-of-" + container.name()).toFile());
        builder.environment().clear();
        for (String variable : text(pid, "environ").split("\0")) {
            int at = variable.indexOf('=');
            if (at > 0) builder.environment().put(variable.substring(0, at), variable.substring(at + 1));
        }
        builder.environment().putAll(changes);
        var process = builder.start();
        STARTED.add(process);
        return process;
    }

    private static String text(long pid, String file) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), file), StandardCharsets.ISO_8859_1);
        } catch (IOException ended) {
            return "";
        }
    }
}
