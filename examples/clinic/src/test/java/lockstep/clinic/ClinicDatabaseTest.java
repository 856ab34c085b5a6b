package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import lockstep.clinic.store.DatabaseLogin;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Runs against a real PostgreSQL. Each test has its own database, whose owner is not a superuser. */
class ClinicDatabaseTest {
    private static final MasterDataGenerator SMALL = new MasterDataGenerator(3000, 500, 2000, 3000);
    private static final long SMALL_ROWS = 3000 + 500 + 2000 + 3000;

    private static EmbeddedPostgres server;
    private static int databases;

    @TempDir Path export;
    private String url;
    private Connection connection;

    @BeforeAll
    static void startServer() throws IOException, SQLException {
        server = EmbeddedPostgres.start();
        try (var admin = server.getPostgresDatabase().getConnection(); var statement = admin.createStatement()) {
            statement.execute("CREATE ROLE owner LOGIN PASSWORD 'secret'");
        }
    }

    @AfterAll
    static void stopServer() throws IOException {
        server.close();
    }

    @BeforeEach
    void migrateNewDatabase() throws SQLException {
        String database = "clinic_" + ++databases;
        try (var admin = server.getPostgresDatabase().getConnection(); var statement = admin.createStatement()) {
            statement.execute("CREATE DATABASE " + database + " OWNER owner");
        }
        url = "jdbc:postgresql://localhost:" + server.getPort() + "/" + database;
        assertTrue(ClinicDatabase.migrate(url, "owner", "secret") > 0);
        connection = DriverManager.getConnection(url, "owner", "secret");
    }

    @AfterEach
    void closeConnection() throws SQLException {
        connection.close();
    }

    @Test
    void migratingAgainDoesNothing() {
        assertEquals(0, ClinicDatabase.migrate(url, "owner", "secret"));
    }

    @Test
    @Tag("nightly")
    void migratingWithoutDatabaseNamesItAndTheServersReason() {
        var fault = assertThrows(ClinicFault.class, () -> ClinicDatabase.migrate(url + "_absent", "owner", "secret"));
        assertTrue(
                fault.getMessage().matches("could not migrate jdbc:.*_absent as owner: .*database \"clinic_\\d+_absent\" does not exist"),
                fault.getMessage());
    }

    @Test
    void masterIsSeededOnce() throws SQLException {
        assertEquals(SMALL_ROWS, ClinicDatabase.seedMaster(connection, SMALL));
        assertEquals(0, ClinicDatabase.seedMaster(connection, SMALL));
        assertEquals(SMALL_ROWS, masterRows());
    }

    @Test
    void anyMasterRowKeepsTheSeedAway() throws SQLException {
        execute("INSERT INTO master.postal_code VALUES ('1000001', 1, '東京都', '千代田区', '千代田', 'チヨダ')");
        assertEquals(0, ClinicDatabase.seedMaster(connection, SMALL));
        assertEquals(1, masterRows());
    }

    @Test
    void twoSeedsAtOnceLoadTheRowsOnce() throws Exception {
        Callable<Long> seed = () -> {
            try (var own = DriverManager.getConnection(url, "owner", "secret")) {
                return ClinicDatabase.seedMaster(own, SMALL);
            }
        };
        try (var threads = Executors.newFixedThreadPool(2)) {
            var first = threads.submit(seed);
            var second = threads.submit(seed);
            assertEquals(SMALL_ROWS, first.get() + second.get());
        }
        assertEquals(SMALL_ROWS, masterRows());
    }

    @Test
    void identitiesGoOnAfterTheSeededIds() throws SQLException {
        ClinicDatabase.seedMaster(connection, SMALL);
        assertAll(
                () -> assertEquals(3001, number(
                        "INSERT INTO master.disease (code, name, category, billable, valid_from, synonyms) VALUES ('new', 'n', 'new', "
                                + "true, now(), '{}') RETURNING id")),
                () -> assertEquals(2001, number(
                        "INSERT INTO master.drug (code, name, name_kana, dosage_form, ingredients, approved_on, tags) VALUES ('new', 'n', "
                                + "'n', 'n', '[]', now(), '{}') RETURNING id")),
                () -> assertEquals(3001, number(
                        "INSERT INTO master.drug_interaction (drug_id, other_drug_id, severity, mechanism, noted_on) VALUES (1, 2, "
                                + "'minor', 'm', now()) RETURNING id")));
    }

    /** COPY checks foreign keys. This test checks that the rows are as varied as syncs and benchmarks need. */
    @Test
    void generatedRowsHoldWhatCopyingGetsWrong() throws SQLException {
        ClinicDatabase.seedMaster(connection, SMALL);
        assertAll(
                () -> assertTrue(number("SELECT count(*) FROM master.drug WHERE internal_note IS NULL") > 1000),
                () -> assertTrue(number("SELECT count(*) FROM master.drug WHERE internal_note LIKE 'INTERNAL%'") > 40),
                () -> assertTrue(number("SELECT count(*) FROM master.drug WHERE strength_mg IS NULL OR price IS NULL") > 40),
                () -> assertTrue(number("SELECT count(DISTINCT scale(strength_mg)) FROM master.drug") > 3),
                () -> assertTrue(number("SELECT count(*) FROM master.drug WHERE tags = '{}'") > 10),
                () -> assertTrue(number("SELECT count(*) FROM master.drug WHERE array_position(tags, NULL) > 0") > 5),
                () -> assertTrue(number("SELECT count(*) FROM master.drug WHERE jsonb_array_length(ingredients) > 1") > 100),
                () -> assertTrue(number("SELECT count(*) FROM master.drug_interaction WHERE evidence IS NULL") > 100),
                () -> assertTrue(number("SELECT count(*) FROM master.drug_interaction WHERE mechanism LIKE E'%a\\ttab'") > 0),
                () -> assertTrue(number("SELECT count(*) FROM master.drug_interaction WHERE mechanism LIKE E'%a DOS\\r\\nline'") > 0),
                () -> assertTrue(
                        number("SELECT count(*) FROM master.drug_interaction WHERE mechanism LIKE '%back\\\\slash, \\\\N and \\\\.'") > 0),
                () -> assertTrue(number("SELECT count(*) FROM master.drug_interaction WHERE mechanism LIKE '%💊%'") > 0),
                () -> assertTrue(number("SELECT count(*) FROM master.postal_code WHERE seq = 2") > 10),
                () -> assertTrue(number("SELECT count(*) FROM master.disease WHERE cardinality(synonyms) > 0") > 100));
    }

    @Test
    void exportedFilesAreLoadedWithGeneratedDrugs() throws SQLException, IOException {
        writeExport(SMALL);
        assertEquals(3000 + 500 + 30_000 + 60_000, ClinicDatabase.seedMaster(connection, export));
        assertAll(
                () -> assertEquals(3000, number("SELECT count(*) FROM master.disease")),
                () -> assertEquals(500, number("SELECT count(*) FROM master.postal_code")),
                () -> assertEquals(30_000, number("SELECT count(*) FROM master.drug")),
                () -> assertEquals(60_000, number("SELECT count(*) FROM master.drug_interaction")));
    }

    /** Tests the real lists, with the Python of the launcher, which has data/requirements.txt installed. */
    @Test
    @Tag("nightly")
    @EnabledIfSystemProperty(named = "lockstep.tools", matches = ".+")
    void realExportIsLoaded() throws Exception {
        var script = new ProcessBuilder(System.getProperty("lockstep.tools") + "/python/bin/python", "data/export.py", export.toString())
                .inheritIO();
        assertEquals(0, script.start().waitFor());
        List<byte[]> first = List.of(Files.readAllBytes(export.resolve("disease.copy")),
                Files.readAllBytes(export.resolve("postal_code.copy")));
        assertEquals(0, script.start().waitFor());
        assertArrayEquals(first.get(0), Files.readAllBytes(export.resolve("disease.copy")));
        assertArrayEquals(first.get(1), Files.readAllBytes(export.resolve("postal_code.copy")));

        assertEquals(98_186 + 124_526 + 30_000 + 60_000, ClinicDatabase.seedMaster(connection, export));
        assertAll(
                () -> assertEquals(98_186, number("SELECT count(*) FROM master.disease")),
                () -> assertEquals(124_526, number("SELECT count(*) FROM master.postal_code")),
                () -> assertEquals(1, number(
                        "SELECT count(*) FROM master.disease WHERE code = 'A00.0' AND category = 'A00' AND billable AND synonyms = "
                                + "'{Classical cholera}'")),
                () -> assertEquals(1, number("SELECT count(*) FROM master.disease WHERE code = 'A00' AND NOT billable")),
                () -> assertEquals(1,
                        number("SELECT count(*) FROM master.postal_code WHERE code = '1000001' AND city = '千代田区' AND town = '千代田'")),
                () -> assertEquals(9, ClinicDatabase.seedVisitors(connection)));
    }

    @Test
    void missingExportIsNamedWithWhatWritesIt() throws SQLException {
        var fault = assertThrows(ClinicFault.class, () -> ClinicDatabase.seedMaster(connection, export));
        assertEquals("no readable file " + export.resolve("disease.copy") + "; create it with data/export.py", fault.getMessage());
        assertEquals(0, masterRows());
    }

    @Test
    void spoiltExportIsRefusedAndNothingStays() throws SQLException, IOException {
        writeExport(SMALL);
        Files.writeString(export.resolve("postal_code.copy"), "100\t1\t東京都\t千代田区\t\\N\tチヨダク\n");
        var fault = assertThrows(ClinicFault.class, () -> ClinicDatabase.seedMaster(connection, export));
        assertTrue(fault.getMessage().contains("violates check constraint \"postal_code_code_check\""), fault.getMessage());
        assertTrue(fault.getMessage().contains("COPY postal_code, line 1"), fault.getMessage());
        assertEquals(0, masterRows());
        assertTrue(connection.getAutoCommit());
    }

    @Test
    void failureOfTheFileIsRolledBackAndTheConnectionGoesOn() throws SQLException, IOException {
        writeExport(SMALL);
        Files.delete(export.resolve("postal_code.copy"));
        Files.createDirectory(export.resolve("postal_code.copy")); // can be opened but not read
        var fault = assertThrows(ClinicFault.class, () -> ClinicDatabase.seedMaster(connection, export));
        assertEquals("could not seed the master tables: Is a directory", fault.getMessage());
        assertEquals(0, masterRows());
    }

    @Test
    void backendKilledInTheMiddleOfCopyLeavesNothing() throws Exception {
        try (var other = DriverManager.getConnection(url, "owner", "secret"); var threads = Executors.newSingleThreadExecutor()) {
            other.setAutoCommit(false);
            try (var statement = other.createStatement()) {
                // the COPY of drugs must wait here for the fate of this row
                statement.execute(
                        "INSERT INTO master.drug OVERRIDING SYSTEM VALUE VALUES (1500, 'x', 'x', 'x', 'x', '[]', NULL, NULL, "
                                + "'2020-01-01', NULL, '{}', NULL)");
            }
            var seed = threads.submit(() -> ClinicDatabase.seedMaster(connection, SMALL));
            try (var statement = other.createStatement()) {
                String kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'COPY master.drug %' AND "
                        + "wait_event_type = 'Lock'";
                for (long killed = 0; killed == 0; Thread.sleep(20)) {
                    assertFalse(seed.isDone());
                    statement.execute("SELECT pg_stat_clear_snapshot()");
                    try (var result = statement.executeQuery(kill)) {
                        result.next();
                        killed = result.getLong(1);
                    }
                }
            }
            other.rollback();
            var fault = assertInstanceOf(ClinicFault.class, assertThrows(ExecutionException.class, seed::get).getCause());
            assertTrue(fault.getMessage().startsWith("could not seed the master tables: "), fault.getMessage());
        }
        connection = DriverManager.getConnection(url, "owner", "secret");
        assertEquals(0, masterRows());
        assertEquals(SMALL_ROWS, ClinicDatabase.seedMaster(connection, SMALL));
    }

    @Test
    void visitorsAreEnteredOnceAndReferToFittingMasterRows() throws SQLException {
        ClinicDatabase.seedMaster(connection, SMALL);
        assertEquals(9, ClinicDatabase.seedVisitors(connection));
        assertEquals(0, ClinicDatabase.seedVisitors(connection));
        assertAll(
                () -> assertEquals(7, number("SELECT count(*) FROM tenant.patient")),
                () -> assertEquals(7, number("SELECT count(*) FROM tenant.encounter")),
                () -> assertEquals(9, number("SELECT count(*) FROM tenant.prescription")),
                () -> assertEquals(5, number(
                        "SELECT count(*) FROM tenant.patient JOIN master.postal_code ON (postal_code, postal_code_seq) = (code, seq)")),
                () -> assertEquals(1,
                        number("SELECT count(*) FROM tenant.encounter JOIN master.disease ON disease.id = disease_id WHERE code = 'I10'")),
                () -> assertEquals(9, number(
                        "SELECT count(DISTINCT ingredients -> 0 ->> 'name') FROM tenant.prescription JOIN master.drug ON drug.id = "
                                + "drug_id WHERE withdrawn_on IS NULL")));
    }

    @Test
    void visitorsNeedMasterRows() throws SQLException {
        var fault = assertThrows(ClinicFault.class, () -> ClinicDatabase.seedVisitors(connection));
        assertEquals("visitors' data refers to master.disease, which is empty: seed or sync the master data first", fault.getMessage());
        assertEquals(0, number("SELECT count(*) FROM tenant.patient"));
    }

    @Test
    void seedingWithoutSchemaSaysSo() throws SQLException {
        execute("DROP SCHEMA tenant CASCADE; DROP SCHEMA master CASCADE");
        var fault = assertThrows(ClinicFault.class, () -> ClinicDatabase.seedMaster(connection, SMALL));
        assertTrue(fault.getMessage().startsWith("could not seed the master tables: ERROR: schema \"master\" does not exist"),
                fault.getMessage());
    }

    private void writeExport(MasterDataGenerator generator) throws IOException {
        for (MasterTable table : new MasterTable[]{MasterTable.DISEASE, MasterTable.POSTAL_CODE}) {
            try (OutputStream out = Files.newOutputStream(export.resolve(table.fileName()))) {
                generator.write(table, out);
            }
        }
    }

    private long masterRows() throws SQLException {
        long rows = 0;
        for (MasterTable table : MasterTable.values()) {
            rows += number("SELECT count(*) FROM " + table.qualifiedName());
        }
        return rows;
    }

    private long number(String sql) throws SQLException {
        try (var statement = connection.createStatement(); var result = statement.executeQuery(sql)) {
            result.next();
            return result.getLong(1);
        }
    }

    private void execute(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** A paused Aurora cluster takes half a minute to resume; here the port is closed for two seconds. */
    @Test
    void migrationsWaitForADatabaseThatWakesUp() throws Exception {
        var database = new TestingDatabase();
        var admin = database.admin();
        int port;
        try (var free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        var away = new DatabaseLogin("127.0.0.1", port, admin.database(), admin.username(), admin.password());
        Thread.ofPlatform().daemon().start(() -> {
            try {
                Thread.sleep(2000);
                try (var awake = new ServerSocket(port)) {
                    while (true) {
                        var client = awake.accept();
                        var server = new Socket(admin.host(), admin.port());
                        Thread.ofPlatform().daemon().start(() -> pass(client, server));
                        Thread.ofPlatform().daemon().start(() -> pass(server, client));
                    }
                }
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertTrue(ClinicDatabase.migrate(away.url(Optional.empty()), away.username(), away.password()) > 0);
    }

    private static void pass(Socket from, Socket to) {
        try (from; to) {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException e) {
            // the other side has closed the connection
        }
    }
}
