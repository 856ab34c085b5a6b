package lockstep.migration.land;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.PostgresDatabase;
import lockstep.migration.MemoryStore;
import lockstep.migration.MySqlServer;
import lockstep.migration.Servers;
import lockstep.migration.land.Landing.Progress;
import lockstep.migration.source.MySqlSource;
import lockstep.migration.source.PostgresSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Lands tables of real servers. */
@Tag("nightly")
class LandingTest {
    private static final String ROWS = """
            CREATE TABLE claim (id bigint PRIMARY KEY, note varchar(40), amount decimal(10,2));
            CREATE TABLE code (code varchar(10) PRIMARY KEY, title text);
            CREATE TABLE nothing (id int PRIMARY KEY);
            CREATE TABLE unkeyed (a int, b int);
            SET SESSION cte_max_recursion_depth = 100000;
            INSERT INTO claim WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
            SELECT i * 7, CONCAT('note ', i, CHAR(9)), i / 4 FROM n;
            INSERT INTO code VALUES ('a', 'A'), ('B', NULL), ('ö', 'Ö');
            INSERT INTO unkeyed VALUES (1, 1), (1, 1), (NULL, 2)""";

    private final Login target = Servers.database();
    private final MemoryStore store = new MemoryStore();

    private Landing landing() {
        return new Landing("m", new PostgresDatabase(target), store, 2, 1000, 20_000);
    }

    private static MySqlServer filled() {
        var mySql = Servers.mySql();
        mySql.execute(ROWS);
        mySql.execute("ANALYZE TABLE claim");
        return mySql;
    }

    private static LandingManifest land(Landing landing, MySqlServer mySql) {
        var source = new MySqlSource(mySql.login());
        return landing.land(source, source.tables(), progress -> {});
    }

    private List<String> counts() {
        return Servers.query(target, "SELECT (SELECT count(*) FROM migrate_m_old.claim), (SELECT sum(amount) FROM migrate_m_old.claim), "
                + "(SELECT count(*) FROM migrate_m_old.code), (SELECT count(*) FROM migrate_m_old.unkeyed)");
    }

    @Test
    void everyTableLandsInPartsWithItsKey() {
        var source = new MySqlSource(filled().login());
        var rows = new AtomicLong();
        var landed = landing().land(source, source.tables(), (Progress progress) -> rows.addAndGet(progress.rows()));
        assertEquals(List.of("10000 12501250.00 3 3"), counts());
        assertEquals(10006, rows.get());
        assertTrue(landed.position().matches("[0-9a-f-]{36}:1-[0-9]+"), landed::position);
        var parts = new TreeMap<>(
                landed.tables().stream().collect(Collectors.toMap(table -> table.table().name(), table -> table.parts().size())));
        assertTrue(parts.get("claim") > 10, parts::toString);
        assertEquals(0, parts.get("nothing"));
        assertEquals(List.of("PRIMARY KEY (id)", "PRIMARY KEY (code)", "PRIMARY KEY (id)"), Servers.query(target,
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'migrate_m_old'::regnamespace AND contype = 'p' "
                        + "ORDER BY conrelid::regclass::text"));
    }

    @Test
    void everyRowIsFromTheSamePosition() throws InterruptedException {
        var mySql = filled();
        var stop = new java.util.concurrent.atomic.AtomicBoolean();
        var writer = new Thread(() -> IntStream.iterate(1, i -> !stop.get(), i -> i + 1).forEach(i -> mySql.execute(
                "START TRANSACTION; UPDATE claim SET amount = amount + 1 WHERE id = 7; "
                        + "UPDATE claim SET amount = amount - 1 WHERE id = 70000;"
                        + " COMMIT")));
        writer.start();
        try {
            land(landing(), mySql);
        } finally {
            stop.set(true);
            writer.join();
        }
        assertEquals(List.of("10000 12501250.00 3 3"), counts());
    }

    @Test
    void anInterruptedReadingStartsAgain() {
        var mySql = filled();
        var source = new MySqlSource(mySql.login());
        var rows = new AtomicLong();
        assertThrows(IllegalStateException.class, () -> landing().land(source, source.tables(), progress -> {
            if (rows.addAndGet(progress.rows()) > 5000) throw new IllegalStateException("killed");
        }));
        assertTrue(landing().manifest().isEmpty());
        mySql.execute("DELETE FROM claim WHERE id = 7");
        land(landing(), mySql);
        assertEquals(List.of("9999 12501249.75 3 3"), counts());
    }

    @Test
    void whatWasReadIsLoadedWithoutTheSource() {
        var mySql = filled();
        var source = new MySqlSource(mySql.login());
        var manifest = landing().land(source, source.tables(), progress -> {});
        Servers.execute(target, "DELETE FROM migrate_m_old.claim; DELETE FROM migrate_m_state.landed_part WHERE table_name = 'claim'");
        mySql.execute("DROP TABLE claim");
        assertEquals(manifest, landing().land(source, List.of(), progress -> {}));
        assertEquals(List.of("10000 12501250.00 3 3"), counts());
    }

    @Test
    void aDamagedOrMissingPartIsRefused() {
        var mySql = filled();
        var manifest = land(landing(), mySql);
        Servers.execute(target, "DELETE FROM migrate_m_old.code; DELETE FROM migrate_m_state.landed_part WHERE table_name = 'code'");
        String object = manifest.tables().stream().filter(table -> table.table().name().equals("code")).findFirst().orElseThrow().parts()
                .getFirst().object();
        byte[] bytes = store.objects.get(object);
        bytes[bytes.length / 2] ^= 1;
        assertEquals("part " + object + " of code is truncated or altered: its SHA-256 is not the one in the manifest",
                assertThrows(Fault.PartRefused.class, () -> land(landing(), mySql)).getMessage());
        store.objects.remove(object);
        assertEquals("part " + object + " of code is missing from the store",
                assertThrows(Fault.PartRefused.class, () -> land(landing(), mySql)).getMessage());
    }

    @Test
    void aChangedRowIsFound() {
        var manifest = land(landing(), filled());
        Servers.execute(target,
                "UPDATE migrate_m_old.claim SET note = 'other' WHERE id = 14; DELETE FROM migrate_m_old.code WHERE code = 'a'");
        assertEquals(
                "the landed tables are not what was read at the source: claim has 10000 rows of 10000, and some differ; code has 2 rows "
                        + "of 3",
                assertThrows(Fault.VerificationFailed.class, () -> landing().verify(manifest)).getMessage());
    }

    @Test
    void nothingIsCreatedForASourceThatIsRefused() {
        var mySql = Servers.mySql();
        mySql.execute("CREATE TABLE place (id int PRIMARY KEY, at point)");
        var fault = assertThrows(Fault.SourceRefused.class, () -> land(landing(), mySql));
        assertTrue(fault.getMessage().startsWith("place.at: values of type point can't be copied"), fault::getMessage);
        assertEquals(List.of(), Servers.query(target, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrate%'"));
    }

    @Test
    void aTableThatWasAlteredIsNotMixedUp() {
        var mySql = filled();
        var source = new MySqlSource(mySql.login());
        var tables = source.tables();
        mySql.execute("ALTER TABLE claim ADD COLUMN later int");
        assertEquals("the columns of claim at the source have changed; start again",
                assertThrows(Fault.SourceChanged.class, () -> landing().land(source, tables, progress -> {})).getMessage());
        try (var snapshot = source.snapshot(source.tables(), 1)) {
            mySql.execute("ALTER TABLE code DROP COLUMN title, ALGORITHM = COPY");
            var code = snapshot.ranges(tables.get(1), 10).getFirst();
            assertThrows(Fault.SourceChanged.class, () -> snapshot.read(0, code, line -> {}));
        }
    }

    @Test
    void onlyOneLandingRunsAtATime() {
        var mySql = filled();
        var source = new MySqlSource(mySql.login());
        var second = new Object() {
            Throwable failure;
        };
        landing().land(source, source.tables(), progress -> {
            if (second.failure == null)
                second.failure = assertThrows(Fault.Busy.class, () -> landing().land(source, source.tables(), other -> {}));
        });
        assertEquals("migration m is already at work in this database", second.failure.getMessage());
    }

    @Test
    void abandonLeavesNothing() {
        var mySql = filled();
        land(landing(), mySql);
        Servers.execute(target, "CREATE SCHEMA migrate_m; CREATE TABLE migrate_m.claim_key (id bigint)");
        landing().abandon();
        assertEquals(List.of(), Servers.query(target, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'migrate%'"));
        assertFalse(landing().manifest().isPresent());
        land(landing(), mySql);
        assertEquals(List.of("10000 12501250.00 3 3"), counts());
    }

    @Test
    void fromPostgres() {
        var old = Servers.database();
        Servers.execute(old, """
                SET search_path = public; CREATE TYPE state AS ENUM ('open', 'paid');
                CREATE DOMAIN euro AS numeric(10,2);
                CREATE TABLE claim (id bigint PRIMARY KEY, state state, amount euro, tags text[], at timestamptz);
                INSERT INTO claim SELECT i, CASE WHEN i % 2 = 0 THEN 'open' ELSE 'paid' END::state, i / 4.0, ARRAY['a,b', NULL],
                to_timestamp(i) FROM generate_series(1, 20000) i; ANALYZE claim;
                CREATE TABLE pair (a int, b int, c point, PRIMARY KEY (b, a)); INSERT INTO pair VALUES (1, 2, '(1,2)')""");
        var source = new PostgresSource(old, "public");
        var landed = landing().land(source, source.tables(), progress -> {});
        assertTrue(landed.position().matches("[0-9A-F]+/[0-9A-F]+"), landed::position);
        String sums = "SELECT count(*), sum(amount), count(*) FILTER (WHERE state = 'open'), max(at), count(DISTINCT tags) FROM ";
        assertEquals(Servers.query(old, sums + "public.claim"), Servers.query(target, sums + "migrate_m_old.claim"));
        assertEquals(List.of("PRIMARY KEY (b, a)"), Servers.query(target,
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'migrate_m_old.pair'::regclass AND contype = 'p'"));
        Servers.execute(old, "SET search_path = public; CREATE TYPE two AS (a int, b int); CREATE TABLE odd (id int PRIMARY KEY, v two)");
        assertTrue(source.findings(source.tables()).stream().anyMatch(finding -> finding.toString().startsWith(
                "odd.v: values of type public.two can't be copied")), () -> source.findings(source.tables()).toString());
    }
}
