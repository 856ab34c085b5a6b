package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import lockstep.clinic.store.DatabaseLogin;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the commands as processes, like the image. */
class MainTest {
    private static final Pattern LISTENING = Pattern.compile("listening on 127\\.0\\.0\\.1:(\\d+)");

    @TempDir Path directory;

    private record Done(int exit, String output) {
    }

    @Test
    void wrongCommandsTellTheUsage() throws Exception {
        for (var arguments : List.of(List.<String>of(), List.of("fly"), List.of("serve", "now"), List.of("add-user", "x"),
                List.of("seed", "master"))) {
            var done = run(Map.of(), "", arguments.toArray(String[]::new));
            assertEquals(2, done.exit());
            assertTrue(done.output().startsWith("usage: Main serve | migrate | add-user"), done.output());
        }
        assertEquals(0, run(Map.of(), "", "--help").exit());
    }

    @Test
    void everyProblemOfTheEnvironmentIsToldAtOnceAndNoSecretIs() throws Exception {
        var done = run(Map.of("EDITION", "trial", "PORT", "http", "HEALTH_PORT", "70000", "SESSION_KEY", "short-secret",
                "TENANTS_EXPIRE_AFTER", "a week", "DATABASE_SSL_ROOT", "/nowhere/ca.pem",
                "DATABASE_SECRET", "{\"host\": \"h\", \"password\": \"hidden-secret\"}"), "", "serve");
        assertEquals(2, done.exit());
        assertEquals(List.of(
                "clinic: EDITION is 'trial'; expected production or demo",
                "clinic: SHARD is not set",
                "clinic: PORT is 'http'; expected a port from 0 (any free port) to 65535",
                "clinic: HEALTH_PORT is '70000'; expected a port from 0 (any free port) to 65535",
                "clinic: DATABASE_SECRET lacks the field port",
                "clinic: DATABASE_SECRET lacks the field dbname",
                "clinic: DATABASE_SECRET lacks the field username",
                "clinic: DATABASE_SSL_ROOT: no readable file /nowhere/ca.pem",
                "clinic: SESSION_KEY has 12 bytes; expected at least 32",
                "clinic: TENANTS_EXPIRE_AFTER is 'a week'; expected an ISO-8601 duration, such as PT168H"), done.output().lines().toList());
        assertFalse(run(Map.of("ADMIN_SECRET", "hidden-secret", "APPLICATION_SECRET", "[1]"), "", "migrate").output().contains("hidden"));
    }

    @Test
    @Tag("nightly")
    void unreachableDatabaseIsAFailureOfMigrate() throws Exception {
        var nowhere = json(new DatabaseLogin("localhost", 1, "none", "nobody", "hidden-secret"));
        var done = run(Map.of("ADMIN_SECRET", nowhere, "APPLICATION_SECRET", nowhere), "", "migrate");
        assertEquals(1, done.exit());
        assertTrue(done.output().contains("clinic: could not migrate") && !done.output().contains("hidden-secret"), done.output());
    }

    @Test
    void migratesAddsAUserServesAndFinishesRequestsWhenTold() throws Exception {
        var database = new TestingDatabase();
        var migrate = Map.of("ADMIN_SECRET", json(database.admin()), "APPLICATION_SECRET", json(database.application()),
                "DATABASE_SSL_ROOT", TestingDatabase.authority().toString());
        var migrated = run(migrate, "", "migrate");
        assertTrue(
                migrated.exit() == 0 && migrated.output()
                        .matches("applied [1-9]\\d* migrations; " + database.application().username() + " has access to the database\n"),
                migrated::toString);
        assertEquals(new Done(0, "applied 0 migrations; " + database.application().username() + " has access to the database\n"),
                run(migrate, "", "migrate"));

        var lists = run(migrate, "", "seed", "master", directory.toString());
        assertTrue(lists.exit() == 1 && lists.output().contains("no readable file"), lists::toString);
        database.seeded(new MasterDataGenerator(3000, 500, 2000, 3000));
        assertEquals(new Done(0, "added 9 rows\n"), run(migrate, "", "seed", "visitors"));
        assertEquals(new Done(0, "added 0 rows\n"), run(migrate, "", "seed", "visitors"));

        var application = Map.of("DATABASE_SECRET", json(database.application()), "DATABASE_SSL_ROOT",
                TestingDatabase.authority().toString());
        assertEquals(2, run(application, "short\n", "add-user", "aoki", "Aoki Clinic", "doctor", "Dr. Aoki").exit());
        assertEquals(2, run(application, "a password of some length\n", "add-user", "Aoki!", "Aoki Clinic", "doctor", "Dr. Aoki").exit());
        assertEquals(new Done(0, ""),
                run(application, "a password of some length\n", "add-user", "aoki", "Aoki Clinic", "doctor", "Dr. Aoki"));

        var serve = new HashMap<>(application);
        serve.putAll(Map.of("EDITION", "production", "SHARD", "clinic-1", "LISTEN_ADDRESS", "127.0.0.1", "PORT", "0", "HEALTH_PORT", "0",
                "SESSION_KEY", "x".repeat(32)));
        Path log = directory.resolve("log");
        var process = process(serve, log, "serve");
        try (var threads = Executors.newSingleThreadExecutor()) {
            var browser = new TestingBrowser(port(process, log));
            browser.headers.put("X-Request-Id", "request-17");
            browser.login("aoki", "doctor", "a password of some length").leadsTo("/patients");
            browser.get("/patients?q=somebody").is(200).has("Aoki Clinic");

            // a request that waits for a row lock while the process receives SIGTERM
            try (var holder = database.connect(database.admin())) {
                holder.setAutoCommit(false);
                holder.createStatement().execute("LOCK TABLE tenant.patient IN ACCESS EXCLUSIVE MODE");
                var waiting = threads.submit(() -> browser.get("/patients"));
                for (int i = 0; !database.isAnybodyWaitingForALock(); i++) {
                    assertTrue(i < 400, "the request did not come");
                    Thread.sleep(20);
                }
                process.destroy();
                var health = new TestingBrowser(port(process, log));
                for (int i = 0; health.get("/health").response().statusCode() != 503; i++) {
                    assertTrue(i < 100, "health does not tell that it is stopping");
                    Thread.sleep(20);
                }
                holder.rollback();
                waiting.get().is(200);
            }
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
            assertEquals(143, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
        var lines = Files.readAllLines(log);
        assertTrue(lines.stream().allMatch(line -> line.startsWith("{\"time\":\"") && line.endsWith("}")), lines::toString);
        assertTrue(
                lines.stream().anyMatch(
                        line -> line.contains("\"request_id\":\"request-17\",\"method\":\"POST\",\"route\":\"/login\",\"status\":303")),
                lines::toString);
        assertTrue(lines.stream().noneMatch(line -> line.matches(".*(aoki|Aoki|somebody|password|doctor).*")), lines::toString);
    }

    private Done run(Map<String, String> environment, String input, String... arguments) throws IOException, InterruptedException {
        Path log = Files.createTempFile(directory, "run", null);
        var process = process(environment, log, arguments);
        try (var in = process.outputWriter()) {
            in.write(input);
        } catch (IOException e) {
            // exited without reading it
        }
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return new Done(process.exitValue(), Files.readString(log));
    }

    static Process process(Map<String, String> environment, Path log, String... arguments) throws IOException {
        var command = Stream.concat(Stream.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), "lockstep.clinic.Main"), Stream.of(arguments))
                .toList();
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder.start();
    }

    static int port(Process process, Path log) throws IOException, InterruptedException {
        while (process.isAlive()) {
            var found = LISTENING.matcher(Files.readString(log));
            if (found.find()) {
                return Integer.parseInt(found.group(1));
            }
            Thread.sleep(50);
        }
        throw new IllegalStateException(Files.readString(log));
    }

    static String json(DatabaseLogin login) {
        return "{\"engine\":\"postgres\",\"host\":\"%s\",\"port\":%d,\"dbname\":\"%s\",\"username\":\"%s\",\"password\":\"%s\"}"
                .formatted(login.host(), login.port(), login.database(), login.username(), login.password());
    }
}
