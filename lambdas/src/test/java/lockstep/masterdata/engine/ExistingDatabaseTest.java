package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import org.junit.jupiter.api.Test;

/** Databases that exist already: their administrator is no superuser and owns no table, and everything of Lockstep can be removed. */
class ExistingDatabaseTest {
    private static final DataSet DATA_SET = new DataSet("prices", "shop-1",
            List.of(new Table("shop.price", List.of("id", "amount"), List.of("id"), Optional.empty())));
    /** Who may do what with the objects of the product, its policies, schemas and roles. */
    private static final String STATE = """
            SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
              SELECT c.relname || ' ' || a::text FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
              WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind = 'r'
              UNION ALL SELECT attrelid::regclass || '.' || attname || ' ' || a::text FROM pg_attribute, aclexplode(attacl) a
              WHERE attrelid IN ('shop.price'::regclass, 'shop.purchase'::regclass)
              UNION ALL SELECT nspname || ' ' || coalesce(nspacl, acldefault('n', nspowner))::text FROM pg_namespace
              UNION ALL SELECT polname FROM pg_policy
              UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname LIKE 'shop\\_1\\_%'
              UNION ALL SELECT 'row ' || p::text FROM shop.price p) AS state (line)""";

    private static TestingDatabase shop() {
        var database = TestingServer.database();
        database.execute("DO $$ BEGIN CREATE ROLE shop_owner; CREATE ROLE shop_admin LOGIN CREATEROLE IN ROLE shop_owner; "
                + "EXCEPTION WHEN duplicate_object THEN NULL; END $$",
                "GRANT CREATE ON DATABASE " + database.name() + " TO shop_admin", "CREATE SCHEMA shop AUTHORIZATION shop_owner",
                "SET ROLE shop_owner", "CREATE TABLE shop.price (id int PRIMARY KEY, amount numeric)",
                "CREATE TABLE shop.purchase (id int PRIMARY KEY, price int REFERENCES shop.price, shop text)");
        database.execute("ALTER TABLE shop.purchase ENABLE ROW LEVEL SECURITY", "INSERT INTO shop.price VALUES (1, 1.5)");
        return database;
    }

    @Test
    void itIsPreparedSyncedAndLeftAsItWas() throws IOException {
        var source = shop();
        var target = shop();
        target.execute("DELETE FROM shop.price");
        String before = source.value(STATE);
        String targetBefore = target.value(STATE);
        for (var database : List.of(source, target)) {
            new DatabaseRoles(database.as("shop_admin")).prepare(new Login("h", 1, database.name(), "shop_1_reader", "secret"),
                    new Login("h", 1, database.name(), "shop_1_writer", "secret"), List.of(DATA_SET));
        }
        assertNotEquals(before, source.value(STATE));
        new TestingSync(DATA_SET).run(source.as("shop_1_reader"), target.as("shop_1_writer"), "one");
        assertEquals("1.5", target.value("SELECT amount FROM shop.price"));

        // the logins are shared by the databases of this server, so they can go only with the last
        var removal = removal();
        target.as("shop_admin").execute(removal.stream().filter(sql -> !sql.startsWith("DROP ROLE")).toArray(String[]::new));
        source.as("shop_admin").execute(removal.toArray(String[]::new));
        assertEquals(before, source.value(STATE));
        target.execute("DELETE FROM shop.price");
        assertEquals(targetBefore, target.value(STATE));
    }

    /** The statements of the page, so that they stay right. */
    private static List<String> removal() throws IOException {
        var block = Pattern.compile("```sql\n(.*?DROP SCHEMA lockstep.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("../docs/adopt.md")));
        assertTrue(block.find());
        return block.group(1).lines().map(line -> line.replaceFirst(" *--.*", "").replaceFirst(";$", "")).filter(line -> !line.isBlank())
                .toList();
    }

    @Test
    void onlyAServerOfThisMachineIsReachedWithoutTls() {
        var database = TestingServer.database();
        try (var connection = connect("127.0.0.1", database)) {
            assertTrue(connection.isValid(1));
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
        // another spelling of the same address
        var refused = assertThrows(Fault.class, () -> connect("LOCALHOST", database));
        assertTrue(refused.getMessage().contains("SSL"), refused.getMessage());
    }

    private static java.sql.Connection connect(String host, TestingDatabase database) {
        return new PostgresDatabase(new Login(host, database.port(), database.name(), "postgres", "secret", "disable", null)).connect();
    }
}
