package lockstep.localcloud;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.postgres.PostgresDatabase;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PostgresServerTest {
    @TempDir private Path directory;
    private ProjectFiles files;
    private PostgresServer server;

    @BeforeEach
    void start() {
        files = new ProjectFiles(ProjectFiles.ofLauncher().project(), ProjectFiles.ofLauncher().tools(), directory.resolve("cloud"));
        files.create();
        Certificates.in(files.certificates()).ensure();
        server = new PostgresServer(files, new CloudState.Store(files), "demo");
        server.ensure();
    }

    @AfterEach
    void stop() {
        server.stop();
        assertEquals(Optional.empty(), server.running());
    }

    @Test
    void aSecondStartFindsTheFirst() {
        var first = server.running().orElseThrow();
        new PostgresServer(files, new CloudState.Store(files), "demo").ensure();
        assertEquals(first, server.running().orElseThrow());
    }

    @Test
    void onlyTlsWithThePasswordIsLetIn() throws SQLException {
        try (var connection = server.connect("postgres");
                var answer = connection.createStatement()
                        .executeQuery("select ssl, inet_server_addr() from pg_stat_ssl where pid = pg_backend_pid()")) {
            assertTrue(answer.next());
            assertTrue(answer.getBoolean(1));
            assertEquals("127.0.0.1", answer.getString(2));
        }
        assertThrows(SQLException.class, () -> server.connect("postgres", "postgres", "wrong"));
        var plain = assertThrows(SQLException.class, () -> DriverManager
                .getConnection("jdbc:postgresql://127.0.0.1:" + server.port() + "/postgres?sslmode=disable&user=postgres&password=x"));
        assertTrue(plain.getMessage().contains("no pg_hba.conf entry"), plain.getMessage());
    }

    /** Functions reach an existing server in the same way when lockstep.yaml gives its CA. */
    @Test
    void theCaOfASecretIsTrustedAndNoOther() throws Exception {
        String own = Files.readString(Certificates.in(files.certificates()).authority());
        String password = new CloudState.Store(files).read().databases().get("demo").password();
        try (var connection = login(password, own)) {
            assertTrue(connection.isValid(1));
        }
        var other = Certificates.in(directory.resolve("other"));
        Files.createDirectory(directory.resolve("other"));
        other.ensure();
        String others = Files.readString(other.authority());
        assertThrows(Fault.class, () -> login(password, others));
        // without TLS it would be let in by no server either
        assertThrows(Fault.class, () -> login(password, null));
    }

    private Connection login(String password, String ca) {
        return new PostgresDatabase(new Login("localhost", server.port(), "postgres", "postgres", password, null, ca)).connect();
    }

    @Test
    void dataAndPortSurviveAKill() throws Exception {
        int port = server.port();
        try (var connection = server.connect("postgres")) {
            connection.createStatement().execute("create table kept as select 42 as answer");
            connection.createStatement().execute("checkpoint");
        }
        var killed = server.running().orElseThrow();
        killed.destroyForcibly();
        killed.onExit().get(10, TimeUnit.SECONDS);
        // until the child processes notice, they keep the data directory in use
        Thread.sleep(1500);
        server.ensure();
        assertEquals(port, server.port());
        try (var connection = server.connect("postgres");
                var answer = connection.createStatement().executeQuery("select answer from kept")) {
            assertTrue(answer.next());
            assertEquals(42, answer.getInt(1));
        }
    }

    @Test
    void thePidOfAnotherProcessIsNotTheServer() throws Exception {
        server.stop();
        Path pidFile = files.database("demo").resolve("postmaster.pid");
        Files.writeString(pidFile, ProcessHandle.current().pid() + "\n" + files.database("demo") + "\n1000000\n");
        assertEquals(Optional.empty(), server.running());
        server.ensure();
        assertTrue(server.running().isPresent());
    }
}
