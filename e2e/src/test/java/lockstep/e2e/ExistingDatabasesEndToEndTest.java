package lockstep.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import lockstep.localcloud.Certificates;
import lockstep.localcloud.CloudState;
import lockstep.localcloud.PostgresServer;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Two accounts whose shards are existing databases, on a server that {@code up} neither starts nor stops. There is no product. */
@Order(2)
@Tag("nightly")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ExistingDatabasesEndToEndTest {
    private static final Path TARGET = ProjectFiles.ofLauncher().project().resolve("e2e/target");
    private static final ProjectFiles OTHERS = new ProjectFiles(ProjectFiles.ofLauncher().project(), ProjectFiles.ofLauncher().tools(),
            TARGET.resolve("existing-server"));
    private static final PostgresServer SERVER = new PostgresServer(OTHERS, new CloudState.Store(OTHERS), "others");
    private static final String PASSWORD = "not in any argument";
    private static final String CONTENTS = "SELECT count(*) || ' ' || md5(string_agg(p::text, ',' ORDER BY id)) FROM shop.price p";
    private static int port;
    private static TestingCloud cloud;

    @BeforeAll
    static void up() throws Exception {
        ProjectFiles.deleteTree(OTHERS.home());
        OTHERS.create();
        Certificates.in(OTHERS.certificates()).ensure();
        SERVER.ensure();
        try (var superuser = SERVER.connect("postgres"); var statement = superuser.createStatement();
                var answer = statement.executeQuery("SHOW port")) {
            answer.next();
            port = answer.getInt(1);
            statement.execute("CREATE ROLE shop_admin LOGIN CREATEROLE PASSWORD '" + PASSWORD + "'");
            statement.execute("CREATE DATABASE shop OWNER shop_admin");
            statement.execute("CREATE DATABASE trial OWNER shop_admin");
        }
        for (var database : List.of("shop", "trial")) sql(database, "CREATE SCHEMA shop",
                "CREATE TABLE shop.price (id int PRIMARY KEY, article text NOT NULL, amount numeric(10, 2), note text)",
                "CREATE TABLE shop.purchase (id int PRIMARY KEY, price int REFERENCES shop.price)");
        sql("shop", "INSERT INTO shop.price SELECT i, 'article ' || i, i / 4.0 FROM generate_series(1, 500) i");
        var landscape = Files.writeString(TARGET.resolve("existing-databases.yaml"), landscape());
        cloud = TestingCloud.of("existing", landscape.toString());
        cloud.lockstep("down", "--purge");
    }

    @AfterAll
    static void down() {
        var down = cloud.lockstep("down", "--purge");
        SERVER.stop();
        assertEquals(0, down.exit(), down::toString);
    }

    private static String landscape() throws IOException {
        var password = Files.writeString(TARGET.resolve("existing.password"), PASSWORD + "\n");
        Files.setPosixFilePermissions(password, PosixFilePermissions.fromString("rw-r--r--"));
        String local = "{url: \"postgresql://shop_admin@localhost:%d/%s\", passwordFile: existing.password, ca: %s}";
        var ca = Certificates.in(OTHERS.certificates()).authority();
        return """
                release: "1.0.0"
                region: eu-central-1
                accounts:
                  live:
                    id: "777777777777"
                    purpose: production
                    network:
                      vpc: vpc-0aaaaaaaaaaaaaaaa
                      cidr: 10.20.0.0/16
                      subnets: {eu-central-1a: subnet-0aaaaaaaaaaaaaaa1, eu-central-1b: subnet-0aaaaaaaaaaaaaaa2}
                      endpoints: [s3]
                    shards:
                      shop-1:
                        edition: production
                        database:
                          host: shop.live.internal
                          name: shop
                          secret: arn:aws:secretsmanager:eu-central-1:777777777777:secret:rds!cluster-0a1b-AbCdEf
                          local: %s
                  trial:
                    id: "888888888888"
                    purpose: demo
                    network:
                      vpc: vpc-0bbbbbbbbbbbbbbbb
                      cidr: 10.30.0.0/16
                      subnets: {eu-central-1a: subnet-0bbbbbbbbbbbbbbb1, eu-central-1b: subnet-0bbbbbbbbbbbbbbb2}
                      endpoints: [s3]
                      securityGroup: sg-0bbbbbbbbbbbbbbbb
                    shards:
                      trial-1:
                        edition: demo
                        database:
                          host: shop.trial.internal
                          name: trial
                          secret: arn:aws:secretsmanager:eu-central-1:888888888888:secret:trial/admin-AbCdEf
                          local: %s
                dataSets:
                  prices:
                    source: shop-1
                    watch: {every: 1m, rows: 1m, behind: 1m}
                    tables:
                      shop.price: {key: [id], columns: [id, article, amount]}
                """.formatted(local.formatted(port, "shop", ca), local.formatted(port, "trial", ca));
    }

    @Test
    @Order(1)
    void aPasswordThatOthersMayReadIsRefused() throws IOException {
        var refused = cloud.lockstep("up");
        assertEquals(1, refused.exit(), refused::toString);
        assertTrue(refused.err().contains("others may read or change the password in " + TARGET.resolve("existing.password")),
                refused::toString);
        Files.setPosixFilePermissions(TARGET.resolve("existing.password"), PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    @Order(2)
    void upPreparesTheDatabasesAndSyncs() throws SQLException {
        var before = server();
        var up = cloud.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
        cloud.schedule("", false);
        assertEquals(before, server());
        assertFalse(Files.exists(cloud.files.database("live")), "a server of our own");
        assertEquals(value("shop", CONTENTS), value("trial", CONTENTS));
        assertEquals(0, cloud.lockstep("check").exit());
        var again = cloud.lockstep("up");
        assertEquals(0, again.exit(), again::toString);
        assertTrue(again.err().contains("stacks of trial are unchanged"), again::toString);
    }

    @Test
    @Order(3)
    void syncStatusVerifyAndRollback() {
        String first = value("trial", CONTENTS);
        sql("shop", "UPDATE shop.price SET amount = 99.99, note = 'ours' WHERE id = 7", "DELETE FROM shop.price WHERE id = 8");
        sql("trial", "INSERT INTO shop.purchase VALUES (1, 8)");
        assertEquals("behind", state());
        var sync = cloud.lockstep("sync", "--output", "json");
        assertEquals(0, sync.exit(), sync::toString);
        assertEquals("99.99", value("trial", "SELECT amount FROM shop.price WHERE id = 7 AND note IS NULL"));
        assertEquals("8", value("trial", "SELECT price FROM shop.purchase"));
        assertEquals("in-step", state());
        assertEquals(0, cloud.lockstep("verify").exit());
        var back = cloud.lockstep("rollback");
        assertEquals(0, back.exit(), back::toString);
        assertEquals(first, value("trial", CONTENTS));
        assertEquals(0, cloud.lockstep("sync").exit());
    }

    @Test
    @Order(4)
    void theWatchRepairsWhatOthersWrote() {
        String before = value("trial", CONTENTS);
        sql("trial", "UPDATE shop.price SET article = 'stranger' WHERE id = 9");
        cloud.schedule("Watch", true);
        TestingCloud.await("the repair", Duration.ofMinutes(5), () -> value("trial", CONTENTS).equals(before));
        cloud.schedule("", false);
    }

    @Test
    @Order(5)
    void commandsThatNeedNoProduct() {
        for (var command : List.of("valve", "cost")) {
            var ended = cloud.lockstep(command);
            assertEquals(0, ended.exit(), ended::toString);
        }
        var url = cloud.lockstep("database-url", "trial-1");
        assertTrue(url.out().contains("@localhost:" + port + "/trial?sslmode=verify-full"), url::toString);
        var diff = cloud.lockstep("diff");
        assertEquals(1, diff.exit(), diff::toString);
        var shard = cloud.lockstep("shard", "up", "qa-9");
        assertEquals(2, shard.exit(), shard::toString);
    }

    @Test
    @Order(6)
    void downLeavesTheServerAlone() throws SQLException {
        var before = server();
        assertEquals(0, cloud.lockstep("down", "--purge").exit());
        assertEquals(before, server());
        assertEquals("499", value("shop", "SELECT count(*) FROM shop.price"));
    }

    private static String state() {
        return cloud.lockstep("status", "--output", "json").json().get("shards").valueStream()
                .filter(shard -> shard.get("shard").asString().equals("trial-1")).findFirst().orElseThrow().get("state").asString();
    }

    /** When the server started. */
    private static String server() {
        return value("shop", "SELECT pg_postmaster_start_time()::text");
    }

    private static Connection connect(String database) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://localhost:" + port + "/" + database + "?sslmode=verify-full&sslrootcert="
                + Certificates.in(OTHERS.certificates()).authority(), "shop_admin", PASSWORD);
    }

    private static void sql(String database, String... statements) {
        try (var connection = connect(database); var statement = connection.createStatement()) {
            for (String sql : statements) statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String value(String database, String query) {
        try (var connection = connect(database); var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
            return row.next() ? row.getString(1) : null;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
