package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import lockstep.clinic.demo.Inquiries;
import lockstep.clinic.demo.Visitors;
import lockstep.clinic.store.Database;
import lockstep.clinic.store.Passwords;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;

/**
 * Applies this release's migrations to a database with the previous release's schema and data. {@code lockstep schema-gate} passes the
 * previous migrations.
 */
class UpgradeTest {
    private static final MasterDataGenerator MASTER = new MasterDataGenerator(3000, 500, 2000, 3000);

    @Test
    void migrationsApplyToADatabaseInUseAndLoseNothing() throws Exception {
        var database = new TestingDatabase();
        var admin = database.admin();
        String url = admin.url(Optional.of(TestingDatabase.authority()));
        String previous = System.getProperty("clinic.previous.migrations");
        String location = previous == null ? "classpath:db/migration" : "filesystem:" + Path.of(previous);
        assertTrue(Flyway.configure().dataSource(url, admin.username(), admin.password()).locations(location).load()
                .migrate().migrationsExecuted > 0);
        ClinicDatabase.grantApplication(url, admin.username(), admin.password(), database.application().username(),
                database.application().password());
        database.seeded(MASTER);
        try (var connection = database.connect(admin)) {
            ClinicDatabase.seedVisitors(connection);
        }
        try (var store = new Database(database.application(), Optional.of(TestingDatabase.authority()))) {
            new Visitors(store, new Passwords()).add("Clinic", "Visitor", "visitor@example.org", "a long password", 1);
            new Inquiries(store).add("", new Inquiries.Inquiry("Visitor", "visitor@example.org",
                    "What would it cost for a clinic of twelve?", Optional.empty(), Optional.empty()));
        }
        var before = rows(database);

        database.migrated();
        var after = rows(database);
        for (String table : List.of("patient", "encounter", "prescription", "account", "inquiry")) {
            String counted = before.stream().filter(it -> it.startsWith("tenant." + table + ": ")).findFirst().orElseThrow();
            assertTrue(after.contains(counted), () -> counted + " before, and now " + after);
        }
    }

    /** The number of rows of each table. */
    private static List<String> rows(TestingDatabase database) {
        return database.values("""
                SELECT table_schema || '.' || table_name || ': ' || (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c \
                FROM %I.%I', table_schema, table_name), false, true, '')))[1]
                FROM information_schema.tables WHERE table_schema IN ('master', 'tenant') AND table_type = 'BASE TABLE' ORDER BY 1""");
    }
}
