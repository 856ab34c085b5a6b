package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import lockstep.clinic.configuration.Edition;
import lockstep.clinic.demo.Inquiries;
import lockstep.clinic.demo.Visitors;
import lockstep.clinic.store.Database;
import lockstep.clinic.store.Passwords;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tests the features of the demo edition. */
class DemoTest {
    private static TestingClinic clinic;

    @BeforeAll
    static void start() {
        clinic = new TestingClinic(Edition.DEMO);
    }

    @AfterAll
    static void stop() {
        clinic.close();
    }

    @Test
    void companySitesFormMakesATenantWithDataAndLogsIn() {
        var browser = clinic.browser();
        var welcome = browser.post("/signup", "name", "Dr. <b>Mei", "email", "mei@example.org", "clinic", "Tanaka & Tanaka").is(200)
                .has("Dr. &lt;b&gt;Mei").has("Tanaka &amp; Tanaka");
        assertEquals("no-store", welcome.header("Cache-Control"));
        String customer = welcome.first("id=\"clinic\">([^<]+)");
        String password = welcome.first("id=\"password\">([^<]+)");
        assertEquals(customer, browser.cookies.get("tenant"));
        browser.get("/patients").is(200).has(welcome.first("id=\"suggested-patient\">([^<]+)")).hasNot(password);
        assertEquals(15, browser.get("/patients").all("class=\"name\" href=\"([^\"]+)").size());
        clinic.browser().login(customer, "doctor", password).leadsTo("/patients");
    }

    @Test
    void chosenPasswordWorksAndIsNotShown() {
        var welcome = clinic.browser()
                .post("/signup", "name", "N", "email", "n@example.org", "clinic", "C", "password", "correct horse battery").is(200)
                .hasNot("id=\"password\"").hasNot("correct horse");
        clinic.browser().login(welcome.first("id=\"clinic\">([^<]+)"), "doctor", "correct horse battery").leadsTo("/patients");
    }

    @Test
    void signUpNamesEveryFieldThatIsWrong() {
        long before = customers();
        var page = clinic.browser().post("/signup", "name", " ", "email", "not an address", "clinic", "x".repeat(101), "password", "short")
                .is(422);
        assertEquals(4, page.all("class=\"(error)\"").size());
        clinic.browser().post("/signup", "name", "a\u0000b", "email", "a@example.org", "clinic", "c").is(422).has("cannot be stored");
        assertEquals(before, customers());
    }

    @Test
    void whoFillsInTheFieldThatPeopleDoNotSeeGetsNothing() {
        long before = customers();
        var browser = clinic.browser();
        browser.post("/signup", "name", "Bot", "email", "bot@example.org", "clinic", "Bots", "website", "https://bots.example")
                .leadsTo("/login");
        assertEquals(before, customers());
        browser.get("/patients").leadsTo("/login");
    }

    @Test
    void closedSignUpIsRefusedAndNotOffered() {
        long before = customers();
        var browser = clinic.browser();
        browser.headers.put("X-Lockstep-Sign-Up", "closed");
        browser.get("/login").is(200).hasNot("href=\"/signup\"").has("Sign-up is closed");
        browser.get("/signup").is(403).has("Sign-up is closed");
        browser.post("/signup", "name", "N", "email", "n@example.org", "clinic", "C").is(403);
        assertEquals(before, customers());
        browser.headers.put("X-Lockstep-Sign-Up", "open");
        browser.get("/login").is(200).has("href=\"/signup\"");
    }

    @Test
    void loginPageSaysThatThisIsADemoBeforeAndAfterAFailure() {
        clinic.browser().get("/login").is(200).has("This is a demo.").has("Sign up for the demo");
        clinic.browser().login("nobody", "doctor", "wrong").is(401).has("Accounts of the product do not work here").has("href=\"/signup\"");
    }

    @Test
    void everyPageHasTheBannerTheFreshnessAndTheWayToSales() throws SQLException {
        var browser = clinic.visitor("banner@example.org");
        browser.headers.put("X-Lockstep-Banner", "Nur%20zum%20Ausprobieren%3A%201%2B1%20%3C%E2%9C%93%3E");
        String patient = browser.get("/patients").first("class=\"name\" href=\"([^\"]+)");
        for (String path : List.of("/patients", patient, patient + "/edit", patient + "/encounters/new", "/patients/new", "/signup",
                "/inquiry", "/nothing")) {
            browser.get(path).has("Nur zum Ausprobieren: 1+1 &lt;✓&gt;").has("Master data: not synced yet").has("href=\"/inquiry\"");
        }
        browser.headers.put("X-Lockstep-Banner", "");
        browser.get("/patients").has("Please do not enter real patients");
        browser.headers.put("X-Lockstep-Banner", "%zz");
        browser.get("/patients").is(200).has("Please do not enter real patients");
    }

    @Test
    void freshnessIsThatOfTheSnapshotInForce() {
        var database = new TestingDatabase().migrated();
        database.values(
                "CREATE SCHEMA lockstep; CREATE VIEW lockstep.freshness AS SELECT 'master' AS data_set, timestamptz '2026-11-22 18:05Z' "
                        + "AS snapshot_time; GRANT USAGE ON SCHEMA lockstep TO PUBLIC; GRANT SELECT ON lockstep.freshness TO PUBLIC");
        try (var running = new TestingClinic(Edition.DEMO, database)) {
            running.browser().get("/login").has("Master data as of 22 Nov 2026, 18:05 UTC");
        }
    }

    @Test
    void signUpWorksBeforeTheFirstSync() {
        try (var running = new TestingClinic(Edition.DEMO, new TestingDatabase().migrated())) {
            assertEquals(14, running.visitor("early@example.org").get("/patients").is(200).all("class=\"name\" href=\"([^\"]+)").size());
        }
    }

    @Test
    void sameSeedMakesTheSameData() {
        try (var database = new Database(clinic.database.application(), Optional.of(TestingDatabase.authority()))) {
            var visitors = new Visitors(database, new Passwords());
            assertNotEquals(initialData(visitors.add("C", "N", "e@example.org", "a long password", 1).user().customer()),
                    initialData(visitors.add("C", "N", "e@example.org", "a long password", 2).user().customer()));
            assertEquals(initialData(visitors.add("C", "N", "e@example.org", "a long password", 3).user().customer()),
                    initialData(visitors.add("C", "N", "e@example.org", "a long password", 3).user().customer()));
        }
    }

    @Test
    void everythingTypedIsGoneAfterExpiryAndNothingOfOthers() {
        var idle = clinic.visitor("vanishing@example.org");
        type(idle, "vanishing");
        var active = clinic.visitor("staying@example.org");
        type(active, "staying");
        var anonymous = clinic.browser();
        anonymous.get("/inquiry");
        anonymous.post("/inquiry", "name", "vanishing visitor", "email", "vanishing@example.org", "message", "vanishing words").is(200);
        assertTrue(occurrences("vanishing") > 6, "the search finds what is there");
        long staying = occurrences("staying");

        age(idle.cookies.get("tenant"));
        clinic.database.values("UPDATE tenant.inquiry SET created_at = now() - interval '13 hours' WHERE customer IS NULL");
        assertEquals(List.of(idle.cookies.get("tenant")), expire());
        assertAll(
                () -> assertEquals(0, occurrences("vanishing")),
                () -> assertEquals(0, occurrences(idle.cookies.get("tenant"))),
                () -> assertEquals(staying, occurrences("staying")),
                () -> idle.get("/patients").leadsTo("/login"),
                () -> active.get("/patients").is(200));
    }

    @Test
    void activityKeepsATenantAndIsNotedAtMostOnceAMinute() {
        var browser = clinic.visitor("active@example.org");
        String tenant = browser.cookies.get("tenant");
        String noted = lastActive(tenant);
        browser.get("/patients").is(200);
        assertEquals(noted, lastActive(tenant));
        age(tenant);
        browser.get("/patients").is(200);
        assertFalse(expire().contains(tenant));
        age(tenant);
        clinic.browser().get("/login");
        assertTrue(expire().contains(tenant));
    }

    /** A visitor comes back after the tenant was selected for expiry but before its row is locked. */
    @Test
    void whoBecomesActiveWhileTheExpirerWaitsKeepsEverything() throws Exception {
        var browser = clinic.visitor("just-in-time@example.org");
        String tenant = browser.cookies.get("tenant");
        age(tenant);
        try (var visitor = clinic.database.connect(clinic.database.admin()); var thread = Executors.newSingleThreadExecutor()) {
            visitor.setAutoCommit(false);
            visitor.createStatement().execute("UPDATE tenant.activity SET last_active_at = now() WHERE customer = '" + tenant + "'");
            var expiring = thread.submit(DemoTest::expire);
            awaitLockedBackend();
            visitor.commit();
            assertFalse(expiring.get().contains(tenant));
        }
        browser.get("/patients").is(200);
    }

    @Test
    void oneExpirerAtATime() throws Exception {
        String tenant = clinic.visitor("two-expirers@example.org").cookies.get("tenant");
        age(tenant);
        try (var holder = clinic.database.connect(clinic.database.admin()); var thread = Executors.newSingleThreadExecutor()) {
            holder.setAutoCommit(false);
            holder.createStatement().execute("SELECT FROM tenant.activity WHERE customer = '" + tenant + "' FOR UPDATE");
            var first = thread.submit(DemoTest::expire);
            awaitLockedBackend();
            assertEquals(List.of(), expire());
            holder.rollback();
            assertTrue(first.get().contains(tenant));
        }
    }

    @Test
    void inquiryIsKeptWithItsMeeting() {
        var browser = clinic.visitor("asking@example.org");
        browser.get("/inquiry").is(200).has("Visitor asking@example.org");
        String day = LocalDate.now().plusDays(3).toString();
        browser.post("/inquiry", "name", "A", "email", "asking@example.org", "message", "How much\r\nis it?", "meeting-on", day,
                "meeting-at", "morning").is(200).has("confirm the meeting");
        assertEquals(List.of("A How much\nis it? " + day + " morning " + browser.cookies.get("tenant")),
                clinic.database.values(
                        "SELECT concat_ws(' ', name, message, meeting_on, meeting_at, customer) FROM tenant.inquiry WHERE email = "
                                + "'asking@example.org'"));
        browser.post("/inquiry", "name", "", "email", "x", "message", "", "meeting-on", "2020-01-01", "meeting-at", "midnight").is(422);
    }

    @Test
    void inquiryIsToldOnceAndTriedAgainLaterAfterAFailure() {
        try (var database = new Database(clinic.database.application(), Optional.of(TestingDatabase.authority()))) {
            var inquiries = new Inquiries(database);
            while (inquiries.tellOne(_ -> true)) {
            } // inquiries of other tests
            inquiries.add("", new Inquiries.Inquiry("Once", "once@example.org", "?", Optional.empty(), Optional.empty()));
            assertTrue(inquiries.tellOne(_ -> false));
            assertFalse(inquiries.tellOne(_ -> true), "not due again at once");
            assertEquals("1", clinic.database.value(
                    "SELECT count(*) FROM tenant.inquiry JOIN tenant.inquiry_outbox ON inquiry_id = id WHERE email = 'once@example.org' "
                            + "AND told_at IS NULL AND tries = 1 AND next_try_at > now()"));
            clinic.database.values("UPDATE tenant.inquiry_outbox SET next_try_at = now()");
            assertTrue(inquiries.tellOne(it -> it.email().equals("once@example.org")));
            assertFalse(inquiries.tellOne(_ -> true));
            assertEquals("1",
                    clinic.database.value("SELECT count(*) FROM tenant.inquiry WHERE email = 'once@example.org' AND told_at IS NOT NULL"));
        }
    }

    @Test
    void twoInstancesDoNotTellOfTheSameInquiry() throws Exception {
        try (var database = new Database(clinic.database.application(), Optional.of(TestingDatabase.authority()));
                var thread = Executors.newSingleThreadExecutor()) {
            var inquiries = new Inquiries(database);
            while (inquiries.tellOne(_ -> true)) {
            } // inquiries of other tests
            inquiries.add("", new Inquiries.Inquiry("Two", "two@example.org", "?", Optional.empty(), Optional.empty()));
            var telling = new CountDownLatch(1);
            var mayEnd = new CountDownLatch(1);
            var first = thread.submit(() -> inquiries.tellOne(_ -> {
                telling.countDown();
                try {
                    mayEnd.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                return true;
            }));
            telling.await();
            assertFalse(inquiries.tellOne(_ -> true));
            mayEnd.countDown();
            assertTrue(first.get());
        }
    }

    /** Enters the text wherever visitors can enter text. */
    private static void type(TestingBrowser browser, String text) {
        type(clinic.database, browser, text);
    }

    static void type(TestingDatabase database, TestingBrowser browser, String text) {
        browser.get("/patients/new");
        String patient = browser.post("/patients", "name", text + " patient", "kana", text, "born", "1980-01-31", "street",
                text + " street", "step", "save").is(303).header("Location").replaceFirst("^https://[^/]+", "");
        browser.post(patient + "/encounters", "disease", database.value("SELECT id FROM master.disease WHERE billable LIMIT 1"), "note",
                text + " note", "step", "save").leadsTo(patient);
        String[] pair = database.value("SELECT drug_id || ' ' || other_drug_id FROM master.drug_interaction LIMIT 1").split(" ");
        String prescribe = browser.get(patient).first("(/encounters/\\d+/prescriptions)");
        browser.post(prescribe, "drug", pair[0], "days", "7", "note", text + " advice", "step", "save").leadsTo(patient);
        String warned = browser.post(prescribe, "drug", pair[1], "days", "7", "step", "save").is(409)
                .first("name=\"warned\" value=\"([^\"]+)");
        browser.post(prescribe, "drug", pair[1], "days", "7", "step", "save", "warned", warned, "warned-drug", pair[1], "accept", "yes")
                .leadsTo(patient);
        browser.post("/inquiry", "name", text, "email", text + "@example.org", "message", text + " question").is(200);
    }

    private static void age(String tenant) {
        clinic.database.values("UPDATE tenant.activity SET last_active_at = now() - interval '13 hours' WHERE customer = '" + tenant + "'");
    }

    private static String lastActive(String tenant) {
        return clinic.database.value("SELECT last_active_at FROM tenant.activity WHERE customer = '" + tenant + "'");
    }

    private static List<String> expire() {
        try (var database = new Database(clinic.database.application(), Optional.of(TestingDatabase.authority()))) {
            return new Visitors(database, new Passwords()).expire(Duration.ofHours(12));
        }
    }

    /** Rows in which any column of any table contains the text. */
    private static long occurrences(String text) {
        return clinic.database.values("SELECT format('SELECT count(*) FROM %s t WHERE t::text ILIKE ''%%%s%%''', oid::regclass, '" + text
                + "') FROM pg_class WHERE relkind IN ('r', 'p', 'm') AND relnamespace::regnamespace::text NOT LIKE 'pg_%' AND "
                + "relnamespace <> 'information_schema'::regnamespace")
                .stream().mapToLong(sql -> Long.parseLong(clinic.database.value(sql))).sum();
    }

    private static void awaitLockedBackend() throws InterruptedException {
        for (int i = 0; !clinic.database.isAnybodyWaitingForALock(); i++) {
            assertTrue(i < 400, "nobody came to wait");
            Thread.sleep(20);
        }
    }

    private static List<String> initialData(String customer) {
        return clinic.database.values(
                "SELECT concat_ws('|', name, born_on, postal_code, street, note, disease_id, started_at, (SELECT string_agg(drug_id || ' "
                        + "' || days, ',' ORDER BY p.id) FROM tenant.prescription p WHERE encounter_id = encounter.id)) FROM "
                        + "tenant.patient LEFT JOIN tenant.encounter ON patient_id = patient.id WHERE patient.customer = '"
                        + customer + "' ORDER BY patient.id, encounter.id");
    }

    private static long customers() {
        return Long.parseLong(clinic.database.value("SELECT count(*) FROM tenant.customer"));
    }
}
