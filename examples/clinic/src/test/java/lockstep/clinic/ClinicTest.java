package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import lockstep.clinic.configuration.Edition;
import lockstep.clinic.store.Accounts;
import lockstep.clinic.store.Database;
import lockstep.clinic.store.Passwords;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests the common features of both editions over HTTPS, against the running application of the production edition. */
class ClinicTest {
    private static final String PASSWORD = "a password of some length";
    private static TestingClinic clinic;

    @BeforeAll
    static void start() {
        clinic = new TestingClinic(Edition.PRODUCTION);
        for (String customer : List.of("aoki", "brandt", "csrf", "throttled", "ended", "lookup")) {
            addUser(customer, PASSWORD);
        }
    }

    @AfterAll
    static void stop() {
        clinic.close();
    }

    @Test
    void nothingButTheLoginPageIsForStrangers() {
        for (String path : List.of("/patients", "/patients/new", "/patients/1", "/patients/1/edit", "/encounters/1/prescriptions/new",
                "/look-up/diseases?q=a", "/look-up/drugs?q=a", "/look-up/postal-codes?q=100")) {
            clinic.browser().get(path).leadsTo("/login");
        }
        clinic.browser().get("/").leadsTo("/login");
        clinic.browser().get("/nothing").is(404).has("Page not found");
    }

    @Test
    void productionHasNothingOfTheDemo() {
        var browser = clinic.browser();
        browser.get("/login").is(200).hasNot("demo").hasNot("/signup").hasNot("/inquiry").hasNot("class=\"banner\"");
        for (String path : List.of("/signup", "/inquiry")) {
            browser.get(path).is(404);
            browser.post(path, "name", "N", "email", "n@example.org", "clinic", "C", "message", "m").is(404);
        }
        assertEquals("0", clinic.database.value("SELECT count(*) FROM tenant.activity"));
    }

    @Test
    void holdersOfCertificatesThatExpireAreWarned() {
        var browser = clinic.browser();
        browser.headers.put("X-Lockstep-Banner", "Full%20days%20left%3A%203%2B%3Cb%3E");
        browser.get("/login").is(200).has("class=\"banner\"").has("Full days left: 3+&lt;b&gt;").hasNot("demo").hasNot("Master data");
        browser.headers.put("X-Lockstep-Banner", "%zz");
        browser.get("/login").is(200).hasNot("class=\"banner\"");
    }

    @Test
    void subjectOfTheClientCertificateIsShown() {
        var browser = loggedIn("aoki");
        browser.headers.put("X-Client-Cert-Subject", "CN=Dr. Aoki,O=<Aoki>");
        browser.get("/patients").has("Client certificate: CN=Dr. Aoki,O=&lt;Aoki&gt;");
    }

    @Test
    void failedLoginsLookAlike() {
        String unknown = clinic.browser().login("nowhere", "doctor", "x").is(401).text();
        String wrong = clinic.browser().login("aoki", "doctor", "x").is(401).text();
        String nobody = clinic.browser().login("aoki", "nobody", "x").is(401).text();
        assertEquals(plain(unknown, "nowhere"), plain(wrong, "aoki"));
        assertEquals(plain(wrong, "doctor"), plain(nobody, "nobody"));
    }

    @Test
    void fiveFailuresOfAUserShutTheDoorForAWhile() {
        for (int i = 0; i < 5; i++) {
            clinic.browser().login("throttled", "doctor", "wrong").is(401);
        }
        clinic.browser().login("throttled", "doctor", PASSWORD).is(401);
        clinic.database.values("UPDATE tenant.account SET tried_at = now() - interval '6 minutes' WHERE customer = 'throttled'");
        clinic.browser().login("throttled", "doctor", PASSWORD).leadsTo("/patients");
        assertEquals("0", clinic.database.value("SELECT tries FROM tenant.account WHERE customer = 'throttled'"));
    }

    @Test
    void postsNeedTheTokenOfTheirOwnSession() {
        var browser = loggedIn("csrf");
        browser.get("/patients/new");
        String own = browser.token;
        for (String token : List.of("", "x", loggedIn("csrf").token)) {
            browser.token = token;
            browser.post("/patients", "name", "Forged", "born", "1980-01-31", "step", "save").is(403).has("no longer valid");
        }
        browser.token = null;
        browser.post("/patients", "name", "Forged", "born", "1980-01-31", "step", "save").is(403);
        browser.token = null; // the refusal page has a token
        browser.post("/logout").is(403);
        clinic.browser().post("/login", "clinic", "csrf", "user", "doctor", "password", PASSWORD).is(403);
        browser.token = own;
        browser.post("/patients", "name", "Meant", "born", "1980-01-31", "step", "save").is(303);
        assertEquals(List.of("Meant"), clinic.database.values("SELECT name FROM tenant.patient WHERE customer = 'csrf'"));
    }

    @Test
    void sessionIsInACookieThatScriptsAndOtherSitesDoNotGet() {
        var cookie = clinic.browser().get("/login").header("Set-Cookie");
        assertTrue(cookie.startsWith("__Host-session=") && cookie.endsWith("; Path=/; Secure; HttpOnly; SameSite=Lax"), cookie);
    }

    @Test
    void changedSessionIsNone() {
        var browser = loggedIn("aoki");
        String session = browser.cookies.get("__Host-session");
        String[] parts = session.split("\\.");
        String other = String.join(".", parts[0], parts[1], Base64.getUrlEncoder().withoutPadding().encodeToString("brandt".getBytes()),
                parts[3], parts[4]);
        for (String forged : List.of(other, session.substring(0, session.length() - 2), "x", "....", session + "x", "." + parts[4])) {
            browser.cookies.put("__Host-session", forged);
            browser.get("/patients").leadsTo("/login");
        }
        browser.cookies.put("__Host-session", session);
        browser.get("/patients").is(200);
    }

    @Test
    void logoutAndANewPasswordEndEverySession() {
        var first = loggedIn("ended");
        var second = loggedIn("ended");
        String session = first.cookies.get("__Host-session");
        first.post("/logout").leadsTo("/login");
        first.cookies.put("__Host-session", session);
        first.get("/patients").leadsTo("/login");
        second.get("/patients").leadsTo("/login");
        var third = loggedIn("ended");
        addUser("ended", "another password entirely");
        third.get("/patients").leadsTo("/login");
        clinic.browser().login("ended", "doctor", PASSWORD).is(401);
        clinic.browser().login("ended", "doctor", "another password entirely").leadsTo("/patients");
    }

    @Test
    void oneCustomerSeesNothingOfAnother() {
        var aoki = loggedIn("aoki");
        var brandt = loggedIn("brandt");
        String patient = add(aoki, "Only Aoki's");
        aoki.post(patient + "/encounters", "disease", disease(), "step", "save").leadsTo(patient);
        String prescribe = aoki.get(patient).has("Only Aoki").first("(/encounters/\\d+/prescriptions/new)");
        for (String path : List.of(patient, patient + "/edit", patient + "/encounters/new", prescribe)) {
            aoki.get(path).is(200);
            brandt.get(path).is(404).hasNot("Only Aoki");
        }
        brandt.get("/patients?q=Aoki").is(200).hasNot("Only Aoki");
        brandt.post(patient + "/edit", "name", "Taken", "born", "1980-01-31", "step", "save").is(404);
        brandt.post(patient + "/encounters", "disease", disease(), "step", "save").is(404);
        brandt.post(prescribe.replace("/new", ""), "drug", "1", "days", "7", "step", "save").is(404);
        aoki.get(patient).has("Only Aoki");
    }

    /** The database itself isolates customers, regardless of the application's queries. */
    @Test
    void databaseKeepsCustomersApart() {
        String patient = add(loggedIn("aoki"), "Behind the wall").replace("/patients/", "");
        var application = clinic.database.application();
        String brandt = "SET clinic.customer = 'brandt'; ";
        for (String table : List.of("customer", "patient", "encounter", "prescription", "accepted_interaction", "account", "inquiry")) {
            assertEquals(List.of("0"), clinic.database.values(application, "SELECT count(*) FROM tenant." + table), table);
        }
        assertAll(
                () -> assertEquals("false false",
                        clinic.database.value(
                                "SELECT rolbypassrls || ' ' || rolsuper FROM pg_roles WHERE rolname = '" + application.username() + "'")),
                () -> assertRefused("row-level security",
                        brandt + "INSERT INTO tenant.patient (customer, name, born_on) VALUES ('aoki', 'x', '2000-01-01')"),
                () -> assertRefused("foreign key",
                        brandt + "INSERT INTO tenant.encounter (patient_id, disease_id, started_at) VALUES (" + patient + ", " + disease()
                                + ", now())"),
                () -> assertRefused("permission denied", "SELECT internal_note FROM master.drug"),
                () -> assertRefused("permission denied", "UPDATE master.disease SET name = ''"),
                () -> assertRefused("permission denied", "CREATE TABLE tenant.mine ()"),
                () -> assertRefused("permission denied", "SELECT FROM public.flyway_schema_history"));
    }

    @Test
    void patientIsEnteredWithAnAddressThatWasLookedUpWithoutScript() {
        var browser = loggedIn("lookup");
        String code = clinic.database.value("SELECT code FROM master.postal_code WHERE seq = 2 LIMIT 1");
        browser.get("/patients/new");
        var page = browser.post("/patients", "name", "山田 <i>", "kana", "ヤマダ", "born", "1980-01-31", "postal-code",
                code.substring(0, 3) + "-" + code.substring(3), "step", "look-up").is(200).has("value=\"山田 &lt;i>\"");
        assertEquals(2, page.all("type=\"radio\" name=\"town\" value=\"([^\"]+)").size());
        browser.post("/patients", "name", "山田", "born", "1980-01-31", "postal-code", code, "step", "save").is(422).has("choose a town");
        browser.post("/patients", "name", "山田", "born", "1980-01-31", "town", "0000000-9", "step", "save").is(422);
        String patient = path(browser.post("/patients", "name", "山田", "kana", "ヤマダ", "born", "1980-01-31", "town", code + "-2", "street",
                "1-2", "step", "save"));
        browser.get(patient).has("〒" + code.substring(0, 3) + "-" + code.substring(3)).has("1-2");
        browser.get(patient + "/edit").has("value=\"1980-01-31\"").has("value=\"" + code + "-2\" checked");
        browser.post(patient + "/edit", "name", "山本", "born", "1981-01-31", "step", "save").leadsTo(patient);
        browser.get(patient).has("山本").has("1981-01-31").hasNot("〒");
        browser.get("/patients?q=" + "%E5%B1%B1%E6%9C%AC").has("山本");
        browser.post("/patients", "name", "", "born", "2999-01-01", "step", "save").is(422).has("Please fill this in")
                .has("Please enter a date from 1900-01-01");
    }

    @Test
    void diseaseIsLookedUpByWordsCodeAndSynonym() {
        var browser = loggedIn("lookup");
        String patient = add(browser, "Ill");
        String id = disease();
        String code = clinic.database.value("SELECT code FROM master.disease WHERE id = " + id);
        browser.get(patient + "/encounters/new");
        browser.post(patient + "/encounters", "disease-words", code.toLowerCase(), "note", "kept", "step", "look-up").is(200)
                .has("value=\"" + id + "\"").has("kept");
        browser.get("/look-up/diseases?q=" + code).is(200).has("value=\"" + id + "\"").hasNot("<html");
        assertEquals(20, browser.get("/look-up/diseases?q=LUNG").all("(type=\"radio\")").size());
        browser.get("/look-up/diseases?q=lung+liver").has("Nothing found for “lung liver”");
        for (String odd : List.of("%25", "_", "%5C", "%27", "%3Cb%3E")) {
            browser.get("/look-up/diseases?q=" + odd).is(200).hasNot("<b>");
        }
        browser.post(patient + "/encounters", "step", "save").is(422).has("choose it");
        browser.post(patient + "/encounters", "disease", id, "note", "<script>alert(1)</script>", "step", "save").leadsTo(patient);
        browser.get(patient).has(code).has("&lt;script&gt;").hasNot("<script>alert");
    }

    @Test
    void interactionMustBeAcceptedOnPurpose() {
        var browser = loggedIn("lookup");
        String patient = add(browser, "Takes something");
        browser.post(patient + "/encounters", "disease", disease(), "step", "save").leadsTo(patient);
        String prescribe = browser.get(patient).first("(/encounters/\\d+/prescriptions)/new");
        String[] pair = clinic.database.value("SELECT drug_id || ' ' || other_drug_id FROM master.drug_interaction ORDER BY id LIMIT 1")
                .split(" ");
        String prescriptions = "SELECT count(*) FROM tenant.prescription WHERE encounter_id = " + prescribe.replaceAll("\\D", "");
        browser.get(prescribe + "/new").is(200);
        browser.post(prescribe, "drug", pair[0], "days", "7", "step", "save").leadsTo(patient);
        // in either order: accepted without having seen it, or seen but not accepted
        browser.post(prescribe, "drug", pair[1], "days", "7", "step", "save").is(409).has("Interaction warning");
        browser.post(prescribe, "drug", pair[1], "days", "7", "step", "save", "accept", "yes").is(409);
        var page = browser
                .post(prescribe, "drug", pair[1], "days", "7", "step", "save", "accept", "yes", "warned", "999999", "warned-drug", pair[1])
                .is(409);
        String warned = page.first("name=\"warned\" value=\"([^\"]+)");
        browser.post(prescribe, "drug", pair[1], "days", "7", "step", "save", "warned", warned, "warned-drug", pair[1]).is(409);
        browser.post(prescribe, "drug", pair[1], "days", "7", "step", "save", "accept", "yes", "warned", warned, "warned-drug", pair[0])
                .is(409);
        assertEquals("1", clinic.database.value(prescriptions));
        browser.post(prescribe, "drug", pair[1], "days", "7", "step", "save", "accept", "yes", "warned", warned, "warned-drug", pair[1])
                .leadsTo(patient);
        assertEquals("2", clinic.database.value(prescriptions));
        browser.get(patient).has("accepted interaction");
        assertEquals(warned, clinic.database
                .value("SELECT string_agg(interaction_id::text, ',') FROM tenant.accepted_interaction WHERE customer = 'lookup'"));
        browser.post(prescribe, "drug", "", "days", "0", "step", "save").is(422).has("Please enter a whole number from 1 to 365")
                .has("choose it");
    }

    @Test
    void whatWasTakenLongAgoIsNoMatter() {
        var browser = loggedIn("lookup");
        String patient = add(browser, "Took something");
        browser.post(patient + "/encounters", "disease", disease(), "step", "save");
        String old = browser.get(patient).first("(/encounters/\\d+/prescriptions)/new");
        String[] pair = clinic.database.value("SELECT drug_id || ' ' || other_drug_id FROM master.drug_interaction ORDER BY id LIMIT 1")
                .split(" ");
        browser.post(old, "drug", pair[0], "days", "7", "step", "save").leadsTo(patient);
        clinic.database
                .values("UPDATE tenant.encounter SET started_at = now() - interval '8 days' WHERE id = " + old.replaceAll("\\D", ""));
        browser.post(patient + "/encounters", "disease", disease(), "step", "save");
        String now = browser.get(patient).first("(/encounters/\\d+/prescriptions)/new");
        browser.post(now, "drug", pair[1], "days", "7", "step", "save").leadsTo(patient);
    }

    @Test
    void pagesLoadNothingButOurOwnAndAssetsAreKept() {
        var page = clinic.browser().get("/login").is(200);
        assertTrue(page.header("Content-Security-Policy").startsWith("default-src 'none'; style-src 'self'; script-src 'self'"));
        assertEquals("nosniff", page.header("X-Content-Type-Options"));
        for (String path : page.all("(?:href|src)=\"(/static/[^\"]+)")) {
            assertTrue(path.matches("/static/[a-z]+\\.[0-9a-f]{16}\\.(css|js|svg)"), path);
            assertEquals("public, max-age=31536000, immutable", clinic.browser().get(path).is(200).header("Cache-Control"));
        }
        assertFalse(page.text().matches("(?s).*(https?:)?//.*"), "an address of somebody else");
    }

    @Test
    void tooMuchIsRefused() {
        var browser = loggedIn("aoki");
        browser.get("/patients/new");
        browser.post("/patients", "name", "x".repeat(100_000), "born", "1980-01-31", "step", "save").is(413);
        browser.post("/patients", "name", "x".repeat(201), "born", "1980-01-31", "step", "save").is(422).has("Please enter at most 200");
    }

    @Test
    @Tag("nightly")
    void healthNeedsTheDatabaseAndHasAPlainPortOfItsOwn() throws Exception {
        clinic.browser().get("/health").is(200);
        assertEquals(200, plainStatus(clinic, "/health"));
        assertEquals(404, plainStatus(clinic, "/login"));
        var absent = TestingClinic.configuration(Edition.PRODUCTION, clinic.database.login("nobody"), Optional.empty(), Optional.empty());
        try (var running = new TestingClinic(clinic.database, absent)) {
            running.browser().get("/health").is(503);
            assertEquals(503, plainStatus(running, "/health"));
            assertEquals(503, plainStatus(running, "/alive"),
                    "a release that never reached its database is not to take the place of one that does");
            running.browser().get("/patients").leadsTo("/login");
            running.browser().login("aoki", "doctor", PASSWORD).is(500).has("Something went wrong").hasNot("Exception");
        }
    }

    @Test
    void aDatabaseThatIsAwayLaterIsNoReasonToEnd() throws Exception {
        var database = new TestingDatabase().migrated();
        try (var running = new TestingClinic(Edition.PRODUCTION, database)) {
            assertEquals(200, plainStatus(running, "/alive"));
            running.browser().get("/alive").is(404);
            try (var admin = database.connect(database.admin()); var own = database.connect(database.application())) {
                admin.createStatement().execute("ALTER ROLE " + database.application().username() + " NOLOGIN");
                own.createStatement().execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()");
            }
            assertEquals(503, plainStatus(running, "/health"));
            assertEquals(200, plainStatus(running, "/alive"));
        }
    }

    @Test
    void charactersThatCannotBeKeptAreNoFault() {
        clinic.browser().login("ao\0ki", "doctor", PASSWORD).is(400);
        loggedIn("aoki").get("/patients?q=%00").is(400);
    }

    /** A fast password-guessing attack is rejected, and other users still get their pages. */
    @Test
    void manyLoginsAtOnceLeaveRoomForOthers() throws Exception {
        var browser = loggedIn("aoki");
        try (var threads = Executors.newFixedThreadPool(48)) {
            var tries = new ArrayList<Future<Integer>>();
            for (int i = 0; i < 48; i++) {
                tries.add(threads.submit(() -> clinic.browser().login("nobody", "doctor", "wrong password").response().statusCode()));
            }
            browser.get("/patients").is(200);
            var statuses = new TreeSet<Integer>();
            for (var each : tries) {
                statuses.add(each.get());
            }
            assertEquals(Set.of(401, 503), statuses);
        }
        clinic.browser().login("aoki", "doctor", PASSWORD).leadsTo("/patients");
    }

    private static int plainStatus(TestingClinic running, String path) throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + running.healthPort() + path)).build(),
                    HttpResponse.BodyHandlers.discarding()).statusCode();
        }
    }

    private static void addUser(String customer, String password) {
        try (var database = new Database(clinic.database.application(), Optional.of(TestingDatabase.authority()))) {
            new Accounts(database, new Passwords()).put(customer, "Clinic " + customer, "doctor", "Dr. " + customer, password);
        }
    }

    private static TestingBrowser loggedIn(String customer) {
        var browser = clinic.browser();
        browser.login(customer, "doctor", PASSWORD).leadsTo("/patients");
        browser.get("/patients").is(200);
        return browser;
    }

    private static String add(TestingBrowser browser, String name) {
        return path(browser.post("/patients", "name", name, "born", "1980-01-31", "step", "save"));
    }

    private static String path(TestingBrowser.Page page) {
        return page.is(303).header("Location").replaceFirst("^https://[^/]+", "");
    }

    private static String disease() {
        return clinic.database.value("SELECT id FROM master.disease WHERE billable AND valid_to IS NULL ORDER BY id LIMIT 1");
    }

    private static String plain(String page, String typed) {
        return page.replaceAll("name=\"token\" value=\"[^\"]+", "").replace("value=\"" + typed + "\"", "");
    }

    private static void assertRefused(String reason, String sql) {
        var refused = assertThrows(IllegalStateException.class, () -> clinic.database.values(clinic.database.application(), sql), sql);
        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
    }
}
