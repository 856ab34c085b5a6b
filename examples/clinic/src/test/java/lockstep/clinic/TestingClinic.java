package lockstep.clinic;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import lockstep.clinic.configuration.Edition;
import lockstep.clinic.configuration.ServeConfiguration;
import lockstep.clinic.store.DatabaseLogin;
import lockstep.clinic.web.Application;
import lockstep.clinic.web.Server;

/** The running application of an edition with its own database. */
final class TestingClinic implements AutoCloseable {
    static final byte[] SESSION_KEY = "a key for tests of thirty-two bytes or more".getBytes(StandardCharsets.UTF_8);
    static final Duration EXPIRY = Duration.ofHours(12);
    /** Enough rows that every page has something to show. */
    static final MasterDataGenerator MASTER = new MasterDataGenerator(3000, 500, 2000, 3000);
    /** Like serve's configuration, without the drain delay. */
    private static final Server.Stopping STOPPING = new Server.Stopping(Duration.ZERO, Duration.ofSeconds(15));

    final TestingDatabase database;
    private final Application application;

    TestingClinic(Edition edition) {
        this(edition, new TestingDatabase().migrated().seeded(MASTER));
    }

    TestingClinic(Edition edition, TestingDatabase database) {
        this(database, configuration(edition, database.application(), Optional.empty(), Optional.empty()));
    }

    TestingClinic(TestingDatabase database, ServeConfiguration configuration) {
        this.database = database;
        application = new Application(configuration, STOPPING);
        application.start();
    }

    static ServeConfiguration configuration(Edition edition, DatabaseLogin login, Optional<String> topic, Optional<URI> endpoint) {
        return new ServeConfiguration(edition, "demo-1", "1", "127.0.0.1", 0, 0, Duration.ZERO, login,
                Optional.of(TestingDatabase.authority()), SESSION_KEY, EXPIRY, topic, Optional.of("eu-central-1"), endpoint);
    }

    int port() {
        return application.port();
    }

    int healthPort() {
        return application.healthPort();
    }

    TestingBrowser browser() {
        return new TestingBrowser(port());
    }

    /** Signs up a visitor. */
    TestingBrowser visitor(String email) {
        var browser = browser();
        browser.post("/signup", "name", "Visitor " + email, "email", email, "clinic", "Clinic of " + email).is(200);
        return browser;
    }

    @Override
    public void close() {
        application.close();
    }
}
