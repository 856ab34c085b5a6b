package lockstep.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import lockstep.cli.init.Chinook;
import lockstep.localcloud.Certificates;
import lockstep.localcloud.CloudState;
import lockstep.localcloud.PostgresServer;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A public sample database on a server of its own, from {@code init} to the second sync. No file is edited in between. */
@Order(2)
@Tag("nightly")
class InitEndToEndTest {
    private static final Path TARGET = ProjectFiles.ofLauncher().project().resolve("e2e/target");
    private static final ProjectFiles OTHERS = new ProjectFiles(ProjectFiles.ofLauncher().project(), ProjectFiles.ofLauncher().tools(),
            TARGET.resolve("init-server"));
    private static final PostgresServer SERVER = new PostgresServer(OTHERS, new CloudState.Store(OTHERS), "others");
    private static final String PASSWORD = "not in any argument";
    private static TestingCloud cloud;

    @AfterAll
    static void down() {
        var down = cloud == null ? null : cloud.lockstep("down", "--purge");
        SERVER.stop();
        if (down != null) assertEquals(0, down.exit(), down::toString);
    }

    @Test
    void fromInitToTheSecondSync() throws Exception {
        int port = load();
        Path directory = TARGET.resolve("init");
        ProjectFiles.deleteTree(directory);
        Files.createDirectories(directory);
        ProjectFiles.writePrivately(TARGET.resolve("init.password"), PASSWORD.getBytes(StandardCharsets.UTF_8));
        var file = directory.resolve("lockstep.yaml");
        var command = new ProcessBuilder(OTHERS.project().resolve("lockstep").toString(), "init", "--landscape", file.toString(),
                "--password-file", TARGET.resolve("init.password").toString(), "--source", "postgresql://store@localhost:" + port
                        + "/store?sslmode=verify-full&sslrootcert=" + Certificates.in(OTHERS.certificates()).authority());
        command.environment().putAll(Map.of("LOCKSTEP_BUILT", "yes", "JAVA_HOME", System.getProperty("java.home")));
        var init = command.redirectErrorStream(true).start();
        init.getOutputStream().close();
        String printed = new String(init.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, init.waitFor(), printed);
        cloud = TestingCloud.of("init-cloud", file.toString());
        cloud.lockstep("down", "--purge");

        var up = cloud.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
        cloud.schedule("", false);
        assertEquals("3503", cloud.value("store-demo", "SELECT count(*) FROM chinook.\"Track\""));
        assertEquals("0",
                cloud.value("store-demo", "SELECT count(*) FROM pg_tables WHERE tablename IN ('Customer', 'Employee', 'Invoice')"));

        try (var store = SERVER.connect("store", "store", PASSWORD); var statement = store.createStatement()) {
            statement.execute("UPDATE chinook.\"Track\" SET \"UnitPrice\" = 1.29 WHERE \"TrackId\" = 7");
            statement.execute("INSERT INTO chinook.\"Genre\" VALUES (26, 'Gagaku')");
        }
        assertTrue(cloud.lockstep("status").out().contains("behind"));
        var sync = cloud.lockstep("sync");
        assertEquals(0, sync.exit(), sync::toString);
        assertEquals("1.29 Gagaku", cloud.value("store-demo", "SELECT \"UnitPrice\" || ' ' || (SELECT \"Name\" FROM chinook.\"Genre\" "
                + "WHERE \"GenreId\" = 26) FROM chinook.\"Track\" WHERE \"TrackId\" = 7"));
        var verify = cloud.lockstep("verify");
        assertEquals(0, verify.exit(), verify::toString);
        assertFalse(cloud.lockstep("status").out().contains("behind"));
        // what the demo holds is kept when the cloud is brought up again
        var again = cloud.lockstep("up");
        assertEquals(0, again.exit(), again::toString);
        assertEquals("3503", cloud.value("store-demo", "SELECT count(*) FROM chinook.\"Track\""));
    }

    /** Returns the port of a server with the sample, which a role that is no superuser owns. */
    private static int load() throws Exception {
        ProjectFiles.deleteTree(OTHERS.home());
        OTHERS.create();
        Certificates.in(OTHERS.certificates()).ensure();
        SERVER.ensure();
        try (var superuser = SERVER.connect("postgres"); var statement = superuser.createStatement()) {
            statement.execute("CREATE ROLE store LOGIN CREATEROLE PASSWORD '" + PASSWORD + "'");
            statement.execute("CREATE DATABASE store OWNER store");
            statement.execute("GRANT SET ON PARAMETER session_replication_role TO store");
        }
        try (var store = SERVER.connect("store", "store", PASSWORD)) {
            Chinook.load(store);
            try (var statement = store.createStatement(); var answer = statement.executeQuery("SHOW port")) {
                answer.next();
                return answer.getInt(1);
            }
        }
    }
}
