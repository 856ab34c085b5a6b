package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import lockstep.clinic.demo.Visitors;
import lockstep.clinic.store.Database;
import lockstep.clinic.store.Passwords;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.PGConnection;

/**
 * Once a tenant has expired, its visitor's input is neither in a dump of the database nor in the logs of application and server. The
 * application runs as a process, like in the image.
 */
class VisitorDataTest {
    private static final String MARK = "zqxj";

    @TempDir private Path directory;

    @Test
    void nothingThatAVisitorTypedIsLeft() throws Exception {
        var database = new TestingDatabase().migrated().seeded(TestingClinic.MASTER);
        Path log = directory.resolve("log");
        var process = MainTest.process(Map.ofEntries(Map.entry("DATABASE_SECRET", MainTest.json(database.application())),
                Map.entry("DATABASE_SSL_ROOT", TestingDatabase.authority().toString()),
                Map.entry("EDITION", "demo"), Map.entry("SHARD", "demo-1"), Map.entry("LISTEN_ADDRESS", "127.0.0.1"),
                Map.entry("PORT", "0"), Map.entry("HEALTH_PORT", "0"),
                Map.entry("SESSION_KEY", "x".repeat(32)), Map.entry("TENANTS_EXPIRE_AFTER", "PT12H"), Map.entry("DRAIN_DELAY", "PT0S")),
                log, "serve");
        String tenant;
        try {
            var browser = new TestingBrowser(MainTest.port(process, log));
            browser.post("/signup", "name", MARK + " Name", "email", MARK + "@example.org", "clinic", MARK + " Clinic", "password",
                    MARK + " password").is(200);
            tenant = browser.cookies.get("tenant");
            DemoTest.type(database, browser, MARK);
            browser.get("/patients?q=" + MARK).is(200);
            mistakes(browser, tenant);
            faults(database, browser);
        } finally {
            process.destroy();
            assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        }
        assertTrue(dump(database).contains(MARK) && dump(database).contains(tenant), "the dump would show it");

        database.values("UPDATE tenant.activity SET last_active_at = now() - interval '13 hours'");
        try (var store = new Database(database.application(), Optional.of(TestingDatabase.authority()))) {
            assertEquals(List.of(tenant), new Visitors(store, new Passwords()).expire(Duration.ofHours(12)));
        }
        String dump = dump(database), application = Files.readString(log), server = TestingDatabase.serverLog();
        assertAll(
                () -> assertFalse(dump.contains(MARK), () -> around(dump)),
                () -> assertFalse(dump.contains(tenant), () -> "the tenant's name is in the dump"),
                () -> assertTrue(dump.contains("COPY master.disease") && dump.length() > 100_000, "the dump is one"),
                () -> assertTrue(application.contains("\"route\":\"/signup\"") && application.contains("\"status\":500"), application),
                () -> assertFalse(application.contains(MARK), () -> around(application)),
                () -> assertTrue(server.contains("violates check constraint"), server),
                () -> assertFalse(server.contains(MARK), () -> around(server)));
    }

    /** Invalid input is shown only to the user who entered it, and never logged. */
    private static void mistakes(TestingBrowser browser, String tenant) {
        browser.get("/patients/new");
        browser.post("/patients", "name", MARK + "\u0000", "kana", MARK, "born", MARK, "street", MARK, "step", "save").is(422);
        browser.post("/inquiry", "name", MARK, "email", MARK, "message", "").is(422);
        browser.get("/" + MARK).is(404);
        browser.post("/login", "clinic", tenant, "user", "doctor", "password", MARK + " wrong");
        browser.post("/login", "clinic", tenant, "user", "doctor", "password", MARK + " password");
    }

    /** Simulates a defect: the database rejects a row, and its error contains the whole row. */
    private static void faults(TestingDatabase database, TestingBrowser browser) {
        database.values("ALTER TABLE tenant.inquiry ADD CONSTRAINT refusing CHECK (message = 'nothing is') NOT VALID");
        browser.get("/inquiry").is(200);
        browser.post("/inquiry", "name", MARK, "email", MARK + "@example.org", "message", MARK + " question").is(500);
        database.values("ALTER TABLE tenant.inquiry DROP CONSTRAINT refusing");
    }

    /** All tables except system tables as COPY text, which is what a dump contains. */
    private static String dump(TestingDatabase database) throws Exception {
        var dump = new StringWriter();
        try (var connection = database.connect(database.admin())) {
            for (String table : database.values(
                    "SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'm', 'S') AND relnamespace::regnamespace::text NOT LIKE "
                            + "'pg_%' AND relnamespace <> 'information_schema'::regnamespace ORDER BY 1")) {
                dump.append("COPY ").append(table).append('\n');
                connection.unwrap(PGConnection.class).getCopyAPI().copyOut("COPY (SELECT * FROM " + table + ") TO STDOUT", dump);
            }
        }
        return dump.toString();
    }

    private static String around(String text) {
        int at = text.indexOf(MARK);
        return at < 0 ? "" : text.substring(Math.max(0, at - 300), Math.min(text.length(), at + 200));
    }
}
