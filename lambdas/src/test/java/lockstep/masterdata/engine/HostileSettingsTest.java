package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.ShardReport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that a sync's sessions set everything that they depend on, so that settings of roles and databases do not matter. */
@Tag("nightly")
class HostileSettingsTest {
    private static final TestingShards SHARDS = new TestingShards();
    private static final String ROLE = "DO $$ BEGIN CREATE ROLE hostile_role NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$";
    /** Settings that need no special privileges. */
    private static final List<String> SETTINGS = List.of("statement_timeout = '500ms'", "lock_timeout = '1ms'",
            "idle_in_transaction_session_timeout = '60ms'", "idle_session_timeout = '1s'", "transaction_timeout = '600ms'",
            "default_transaction_read_only = on", "default_transaction_isolation = serializable", "default_transaction_deferrable = on",
            "DateStyle = 'SQL, DMY'", "IntervalStyle = sql_standard", "extra_float_digits = -15",
            "bytea_output = escape", "xmlbinary = hex", "xmloption = document", "array_nulls = off", "row_security = off", "jit = on",
            "jit_above_cost = 0", "TimeZone = 'Asia/Kolkata'", "timezone_abbreviations = 'India'",
            "standard_conforming_strings = off", "backslash_quote = off", "escape_string_warning = on", "transform_null_equals = on",
            "quote_all_identifiers = on", "default_tablespace = hostile_space", "temp_tablespaces = hostile_space",
            "enable_seqscan = off", "enable_indexscan = off", "enable_bitmapscan = off", "enable_hashjoin = off", "enable_mergejoin = off",
            "enable_nestloop = off", "enable_sort = off", "enable_hashagg = off", "enable_material = off",
            "enable_tidscan = off", "client_encoding = 'LATIN1'", "synchronous_commit = off", "search_path = evil, pg_catalog",
            "check_function_bodies = on", "plan_cache_mode = force_generic_plan", "from_collapse_limit = 1",
            "join_collapse_limit = 1", "work_mem = '64kB'", "maintenance_work_mem = '1MB'", "temp_buffers = '800kB'",
            "hash_mem_multiplier = 1", "constraint_exclusion = on", "exit_on_error = on", "default_toast_compression = pglz",
            "restrict_nonsystem_relation_kind = 'view, foreign-table'",
            "createrole_self_grant = 'set, inherit'", "application_name = 'hostile'", "default_statistics_target = 1",
            "commit_siblings = 0", "geqo = off", "geqo_threshold = 2", "client_min_messages = log", "lc_monetary = 'C'", "lc_numeric = 'C'",
            "lc_time = 'C'", "default_text_search_config = 'pg_catalog.simple'", "gin_fuzzy_search_limit = 5", "event_triggers = off",
            "cursor_tuple_fraction = 0", "stats_fetch_consistency = snapshot");

    @BeforeEach
    void sessionsOfTheirOwn() {
        SHARDS.pooled = false;
    }

    @AfterEach
    void reset() {
        for (String login : List.of(TestingShards.READER, TestingShards.WRITER)) SHARDS.source.as("postgres").run(connection -> {
            Sql.execute(connection, "SET default_transaction_read_only = off");
            Sql.execute(connection, "ALTER ROLE " + login + " RESET ALL");
            return null;
        });
        SHARDS.each("DO $$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I RESET ALL', pg_catalog.current_database()); END $$",
                "DO $$ BEGIN EXECUTE pg_catalog.format('ALTER ROLE shards_reader IN DATABASE %I RESET ALL', pg_catalog.current_database());"
                        + " EXECUTE pg_catalog.format('ALTER ROLE shards_writer IN DATABASE %I RESET ALL', "
                        + "pg_catalog.current_database()); END $$");
    }

    private static void set(List<String> settings) {
        var statements = new ArrayList<String>();
        for (String setting : settings) {
            for (String whose : List.of("DATABASE %I", "ROLE shards_reader IN DATABASE %I", "ROLE shards_writer IN DATABASE %I"))
                statements.add("DO $do$ BEGIN EXECUTE pg_catalog.format('ALTER " + whose + " SET " + setting.replace("'", "''")
                        + "', pg_catalog.current_database()); END $do$");
            for (String login : List.of(TestingShards.READER, TestingShards.WRITER)) statements.add("ALTER ROLE " + login + " SET "
                    + setting);
        }
        SHARDS.each(statements.toArray(String[]::new));
    }

    private static final String[] PRODUCT = {
            "CREATE TYPE m.mood AS ENUM ('good', 'bad')",
            """
        CREATE TABLE m.value (at timestamptz, ratio double precision, during interval, code text, born date,
          bytes bytea, single real, amount numeric, price money, facts jsonb, document xml, texts text[], times timetz,
          range tstzrange, numbers numrange, point point, mood m.mood, flags bit(4), local timestamp,
          PRIMARY KEY (at, ratio, during, born, code))""",
            "CREATE TABLE m.drug (id int PRIMARY KEY, code text UNIQUE, note text)",
            "CREATE TABLE m.uses (id int PRIMARY KEY, drug int NOT NULL REFERENCES m.drug, born date)",
            "CREATE TABLE own.visit (drug int REFERENCES m.drug ON DELETE CASCADE, code text REFERENCES m.drug (code) ON DELETE SET NULL, "
                    + "born date)",
            "CREATE SCHEMA evil", "GRANT USAGE ON SCHEMA evil TO PUBLIC",
            "CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = textne)",
            "CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = int4ne)",
            "CREATE FUNCTION evil.count(int) RETURNS int LANGUAGE sql AS 'SELECT 0'",
            "CREATE AGGREGATE evil.count (*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '5')",
            "CREATE FUNCTION own.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_sleep(0.7); RETURN NULL; END'",
            "CREATE TRIGGER slow AFTER INSERT OR UPDATE OR DELETE ON m.drug FOR EACH STATEMENT EXECUTE FUNCTION own.slow()"};
    private static final String VALUES = """
            INSERT INTO m.value SELECT timestamptz '2026-02-01 03:04:05.678901+00' + i * interval '1 day 1 microsecond', i / 3.0::float8,
              i * interval '1 month -2 days 03:04:05.6',
              E'back\\\\slash ''quote'' "double" ' || i, date '2026-02-01' + i,
              decode(md5(i::text) || '00ff5c27', 'hex'), (i / 7.0)::real, i / 9.0, (i || '.99')::money,
              '{"a": 1.00, "b": [null, "薬"]}', 'text <a b="1">x</a><c/>'::xml,
              ARRAY[NULL, 'NULL', 'null', E'\\\\', ''], '03:04:05+05:30',
              tstzrange('2026-01-02 00:00+00', NULL), numrange(i, i + 1.50), point(i / 3.0, -0.1),
              'bad', B'1010', '2026-03-04 05:06:07' FROM generate_series(1, 120) i""";

    /** Every step by the real logins: dumps, dry runs, restores, repairs, rollbacks, reports, the independent check, and an import. */
    @Test
    void everySettingAtOnce() {
        SHARDS.product(List.of(TestingShards.table("m.value", "at,ratio,during,born,code", "bytes", "single", "amount", "price", "facts",
                "document", "texts", "times", "range", "numbers", "point", "mood", "flags", "local"),
                TestingShards.table("m.drug", "id", "code", "note"), TestingShards.table("m.uses", "id", "drug", "born")), PRODUCT);
        TestingShards.visit(SHARDS.source, "SET xmloption = content", "SET search_path = pg_catalog", VALUES,
                "INSERT INTO m.drug SELECT i, 'c' || i, 'n' FROM generate_series(1, 300) i",
                "INSERT INTO m.uses SELECT i, i, date '2026-02-01' + i FROM generate_series(1, 100) i");
        TestingShards.visit(SHARDS.source, ROLE, "GRANT hostile_role TO shards_reader, shards_writer");
        space();
        set(SETTINGS);
        for (String login : List.of(TestingShards.READER, TestingShards.WRITER)) TestingShards.visit(SHARDS.source, "ALTER ROLE " + login
                + " SET role = 'hostile_role'");
        for (var database : List.of(SHARDS.source, SHARDS.follows, SHARDS.reads)) SHARDS.prepare(database);
        SHARDS.carry();

        String[] calm = {"SET search_path = pg_catalog", "SET xmloption = content", "SET standard_conforming_strings = on",
                "SET datestyle = 'ISO, YMD'", "SET timezone = 'UTC'", "SET array_nulls = on"};
        for (var target : SHARDS.targets()) visit(target, calm,
                "INSERT INTO own.visit VALUES (7, 'c7', '2026-01-02'), (8, 'c9', '2026-01-02')");
        visit(SHARDS.source, calm, "UPDATE m.value SET texts = '{NULL,new}', document = 'more <b/>', amount = amount + 0.10, local = "
                + "NULL WHERE born IN ('2026-02-05', '2026-03-04')", "DELETE FROM m.value WHERE born = '2026-04-05'",
                "UPDATE m.value SET born = '2026-12-11' WHERE born = '2026-03-01'", "DELETE FROM m.uses WHERE id < 12",
                "DELETE FROM m.drug WHERE id IN (7, 8, 9, 10)", "UPDATE m.drug SET note = 'changed' WHERE id IN (3, 4)",
                "INSERT INTO m.drug VALUES (900, NULL, '')",
                "UPDATE m.uses SET born = '2026-11-12' WHERE id = 50");
        assertEquals(Map.of("m.value", "+1 ~2 -2 =0", "m.drug", "+1 ~2 -1 =3", "m.uses", "+0 ~1 -11 =0"),
                SHARDS.carry("m.drug (7,c7,n)", "m.drug (8,c8,n)", "m.drug (9,c9,n)").changes());
        assertEquals("(7,c7,2026-01-02)(8,c9,2026-01-02)", TestingShards.value(SHARDS.follows, "SET search_path = pg_catalog",
                "SET datestyle = 'ISO, YMD'", "SELECT string_agg(v::text, '' ORDER BY drug) FROM own.visit v"));
        assertEquals(Map.of("m.value", "+2 ~2 -1 =0", "m.drug", "+1 ~2 -1 =0", "m.uses", "+11 ~1 -0 =0"), SHARDS.back(0).changes());
        assertTrue(ShardReport.progress(SHARDS.reader(SHARDS.follows), SHARDS.sync.dataSet).staging().isEmpty());

        for (boolean dryRun : List.of(true, false)) assertEquals("1 1 87",
                SHARDS.imported("m.uses", "id,drug,born\n50,50,2026-11-12\n51,52,2026-10-09\n400,1,2026-02-03\n", dryRun));
        assertEquals("(50,50,2026-11-12)(51,52,2026-10-09)(400,1,2026-02-03)",
                TestingShards.value(SHARDS.source, "SET search_path = pg_catalog", "SET datestyle = 'ISO, YMD'",
                        "SELECT string_agg(u::text, '' ORDER BY id) FROM m.uses u"));
    }

    private static void visit(TestingDatabase database, String[] first, String... statements) {
        var all = new ArrayList<>(List.of(first));
        all.addAll(List.of(statements));
        TestingShards.visit(database, all.toArray(String[]::new));
    }

    /** Creates a tablespace that Lockstep's logins may not use. */
    private static void space() {
        if (TestingShards.value(SHARDS.source, "SELECT count(*) FROM pg_tablespace WHERE spcname = 'hostile_space'").equals("0"))
            TestingShards.visit(SHARDS.source, "SET allow_in_place_tablespaces = on", "CREATE TABLESPACE hostile_space LOCATION ''");
    }

    /** Single settings, to show which of them matters. */
    @ParameterizedTest
    @ValueSource(strings = {"default_transaction_isolation = serializable", "default_transaction_isolation = 'repeatable read'",
            "array_nulls = off", "transform_null_equals = on", "search_path = ''", "search_path = own, m",
            "search_path = \"$user\", public"})
    void oneSetting(String setting) {
        SHARDS.product(List.of(TestingShards.table("m.t", "id", "texts", "up")),
                "CREATE TABLE m.t (id int PRIMARY KEY, texts text[], up int REFERENCES m.t)",
                "CREATE TABLE own.visit (t int REFERENCES m.t ON DELETE CASCADE)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT i, ARRAY[NULL, 'NULL', 'x'], nullif(i / 2, 0) FROM generate_series(1, "
                + "200) i");
        set(List.of(setting));
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES (200)");
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET texts = ARRAY[NULL]::text[], up = NULL WHERE id IN (5, 6)",
                "DELETE FROM m.t WHERE id > 198");
        assertEquals(Map.of("m.t", "+0 ~2 -1 =1"), SHARDS.carry("m.t (200,\"{NULL,\"\"NULL\"\",x}\",100)").changes());
        assertEquals("200", SHARDS.value("SELECT string_agg(t::text, ' ') FROM own.visit"));
    }

    /**
     * Only a superuser can reset it: a sync is refused with the setting's name, or is correct. With it no foreign key would be checked.
     */
    @ParameterizedTest
    @ValueSource(strings = {"DATABASE %I", "ROLE shards_writer IN DATABASE %I"})
    void sessionReplicationRole(String whose) {
        SHARDS.product(List.of(TestingShards.table("m.t", "id", "name")), "CREATE TABLE m.t (id int PRIMARY KEY, name text)",
                "CREATE TABLE own.visit (t int REFERENCES m.t ON DELETE CASCADE)", "CREATE TABLE own.seen (what text)",
                "GRANT INSERT ON own.seen TO PUBLIC",
                "GRANT USAGE ON SCHEMA own TO PUBLIC", "CREATE FUNCTION own.sees() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT "
                        + "INTO own.seen VALUES (TG_OP); RETURN NULL; END'",
                "CREATE TRIGGER sees AFTER INSERT OR UPDATE OR DELETE ON m.t FOR EACH STATEMENT EXECUTE FUNCTION own.sees()");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT i, 'n' FROM generate_series(1, 200) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES (200)", "DELETE FROM own.seen");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.t WHERE id > 198", "UPDATE m.t SET name = 'new' WHERE id = 5");
        SHARDS.visit("DO $do$ BEGIN EXECUTE format('ALTER " + whose
                + " SET session_replication_role = replica', current_database()); END $do$");
        var before = SHARDS.rows(SHARDS.follows);
        String id = SHARDS.dump();
        try {
            assertEquals(Map.of("m.t", "+0 ~1 -1 =1"), TestingShards.changes(SHARDS.sync.restore(SHARDS.writer(SHARDS.follows), id)));
            assertEquals("DELETE UPDATE", TestingShards.value(SHARDS.follows,
                    "SELECT string_agg(DISTINCT what, ' ' ORDER BY what) FROM own.seen WHERE what <> 'INSERT'"),
                    "the product's triggers run");
        } catch (Fault e) {
            assertTrue(e.getMessage().contains("session_replication_role"), e.getMessage());
            assertEquals(before, SHARDS.rows(SHARDS.follows));
        }
        assertEquals("200", TestingShards.value(SHARDS.follows, "SELECT string_agg(t::text, ' ') FROM own.visit"));
    }
}
