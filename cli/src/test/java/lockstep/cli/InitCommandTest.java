package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.cli.init.Chinook;
import lockstep.landscape.ExistingDatabase;
import lockstep.landscape.LandscapeReader;
import lockstep.landscape.Placeholders;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InitCommandTest {
    private static int port;

    @TempDir private Path directory;

    @BeforeAll
    static void load() throws Exception {
        port = Chinook.server().getPort();
        try (var admin = Chinook.server().getPostgresDatabase().getConnection(); var statement = admin.createStatement()) {
            statement.execute("CREATE DATABASE media_store");
        }
        try (var connection = DriverManager.getConnection(Chinook.server().getJdbcUrl("postgres", "media_store"))) {
            Chinook.load(connection);
        }
    }

    private record Ended(int exit, String out, String err) {}

    private Ended init(String... options) throws Exception {
        var line = new ArrayList<>(List.of("init", "--landscape", file().toString()));
        line.addAll(List.of(options));
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        PrintStream realOut = System.out, realErr = System.err;
        try (var newOut = new PrintStream(out, true, StandardCharsets.UTF_8);
                var newErr = new PrintStream(err, true, StandardCharsets.UTF_8)) {
            System.setOut(newOut);
            System.setErr(newErr);
            return new Ended(Main.run(line.toArray(String[]::new)), out.toString(StandardCharsets.UTF_8),
                    err.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(realOut);
            System.setErr(realErr);
        }
    }

    private Path file() {
        return directory.resolve("mine/lockstep.yaml");
    }

    private String url(String host) {
        return "postgresql://postgres@" + host + ":" + port + "/media_store";
    }

    private String password() throws Exception {
        return Files.writeString(directory.resolve("password"), "correct horse\n").toString();
    }

    @Test
    void writesALandscapeThatTheReaderAccepts() throws Exception {
        var ended = init("--source", url("localhost"), "--password-file", password(), "--region", "eu-west-1", "--production",
                "123456789012");
        assertEquals(0, ended.exit(), ended::toString);
        assertTrue(ended.out().contains("./lockstep up --landscape " + file()), ended::toString);
        var landscape = LandscapeReader.read(file());
        assertEquals(Optional.empty(), landscape.product());
        assertEquals(List.of("123456789012", "222222222222"), landscape.accounts().stream().map(account -> account.id()).toList());
        var source = landscape.accounts().getFirst().shards().getFirst();
        assertEquals("media-store-1", source.name());
        assertEquals(Optional.of(new ExistingDatabase.Local("localhost", port, "media_store", "postgres", directory.resolve("password"),
                Optional.empty())), source.database().orElseThrow().local());
        assertTrue(landscape.accounts().get(1).shards().getFirst().isCreatedLocally());
        var dataSet = landscape.dataSets().getFirst();
        assertEquals(7, dataSet.tables().size());
        assertEquals(List.of("PlaylistId", "TrackId"), dataSet.table("chinook.PlaylistTrack").orElseThrow().key());
        String text = Files.readString(file());
        assertTrue(text.contains("      # - chinook.\"Customer\": its name says that it has persons, what they do, or records.\n"), text);
        assertFalse(text.contains("correct horse"), text);
        assertTrue(Files.readString(directory.resolve("mine/schema.sql")).contains("CREATE TABLE chinook.\"Track\" (\n"));
        // what is not given stands for something of the user's
        assertEquals(16, Placeholders.in(file()).size(), () -> Placeholders.in(file()).toString());

        var again = init("--source", url("localhost"), "--password-file", password());
        assertEquals(2, again.exit(), again::toString);
        assertTrue(again.err().contains(file() + " exists; give another file with --landscape FILE, or --force to replace it"),
                again::toString);
        assertEquals(text, Files.readString(file()));
        assertEquals(0, init("--source", url("localhost"), "--password-file", password(), "--force").exit());
        assertTrue(Files.readString(file()).contains("id: \"111111111111\""));
    }

    @Test
    void aDryRunPrintsAndWritesNothing() throws Exception {
        var ended = init("--source", url("localhost"), "--password-file", password(), "--dry-run", "--product", "shop");
        assertEquals(0, ended.exit(), ended::toString);
        assertTrue(ended.out().contains("    source: shop-1\n"), ended::toString);
        assertFalse(Files.exists(file().getParent()));
    }

    @Test
    void doesNotWaitForAnswersWithoutATerminal() throws Exception {
        var nothing = init();
        assertEquals(2, nothing.exit(), nothing::toString);
        assertTrue(nothing.err().contains("write the source as postgresql://USER@HOST:PORT/DATABASE"), nothing::toString);
        var noPassword = init("--source", url("localhost"));
        assertEquals(2, noPassword.exit(), noPassword::toString);
        assertTrue(noPassword.err().contains("give the password of postgres with --password-file or PGPASSFILE"), noPassword::toString);
        var password = init("--source", "postgresql://postgres:hunter2@localhost:" + port + "/media_store");
        assertEquals(2, password.exit(), password::toString);
        assertTrue(password.err().contains("the URL has a password, which others may see"), password::toString);
        assertFalse(password.toString().contains("hunter2"), password::toString);
        var region = init("--source", url("localhost"), "--password-file", password(), "--region", "Europe");
        assertEquals(2, region.exit(), region::toString);
        assertTrue(
                region.err().contains(
                        "region: 'Europe' is not a region of the partitions aws, aws-cn and aws-us-gov; write it like eu-central-1\n"),
                region::toString);
    }

    @Test
    void saysWhyNothingIsProposed() throws Exception {
        var ended = init("--source", url("localhost").replace("media_store", "postgres"), "--password-file", password());
        assertEquals(1, ended.exit(), ended::toString);
        assertTrue(ended.err().contains("no table of postgres on localhost:" + port + " looks like master data"), ended::toString);
        var nowhere = init("--source", "postgresql://postgres@localhost:1/none", "--password-file", password());
        assertEquals(1, nowhere.exit(), nowhere::toString);
        assertTrue(nowhere.err().contains("cannot open none on localhost:1: "), nowhere::toString);
    }
}
