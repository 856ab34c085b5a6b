package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.Sql;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that an empty table is filled without its keys and indexes, and that the catalogue is the same afterwards. */
class EmptyTargetTest {
    private static final DataSet DATA_SET = new DataSet("master", "source",
            List.of(table("drug", "id", "code", "name", "parent"), table("interaction", "id", "a", "b", "note")));
    private static final String[] TABLES = {
            "CREATE SCHEMA m",
            "CREATE TABLE m.shelf (id int PRIMARY KEY)",
            "CREATE TABLE m.drug (id int PRIMARY KEY, code text NOT NULL CONSTRAINT \"the code\" UNIQUE, name text, parent int REFERENCES "
                    + "m.drug, shelf int REFERENCES m.shelf, local int DEFAULT 7)",
            "CREATE TABLE m.interaction (id int PRIMARY KEY, a int NOT NULL REFERENCES m.drug, b text REFERENCES m.drug (code) ON UPDATE "
                    + "CASCADE DEFERRABLE INITIALLY DEFERRED, note text)",
            "CREATE TABLE m.prescription (drug int REFERENCES m.drug)",
    };
    /** Indexes that are restored with all their properties. */
    private static final String[] INDEXES = {
            "CREATE INDEX \"by Name\" ON m.drug USING btree (name COLLATE \"C\" text_pattern_ops DESC NULLS LAST) INCLUDE (parent) WITH "
                    + "(fillfactor = 70) WHERE id > 5",
            "CREATE UNIQUE INDEX lower_code ON m.drug (lower(code), (id % 7))",
            "CREATE INDEX hashed ON m.interaction USING hash (note)", "CREATE INDEX brin ON m.interaction USING brin (id)",
            "CREATE INDEX gin ON m.drug USING gin ((ARRAY[name]))",
            "COMMENT ON INDEX m.\"by Name\" IS 'it''s \"mine\"'", "COMMENT ON CONSTRAINT \"the code\" ON m.drug IS 'of the state'",
            "COMMENT ON INDEX m.\"the code\" IS 'index of it'",
            "ALTER TABLE m.interaction ADD CONSTRAINT pair UNIQUE NULLS NOT DISTINCT (a, b, note) INCLUDE (id) DEFERRABLE",
            "COMMENT ON CONSTRAINT pair ON m.interaction IS 'pair'",
            "COMMENT ON CONSTRAINT interaction_a_fkey ON m.interaction IS 'of a'",
            "ALTER TABLE m.interaction ADD CONSTRAINT later FOREIGN KEY (a) REFERENCES m.drug ON DELETE CASCADE NOT VALID",
    };
    /** Indexes that stay, because they could not be restored exactly, or something depends on them. */
    private static final String[] STAYS = {
            "CREATE INDEX clustered ON m.drug (name)", "ALTER TABLE m.drug CLUSTER ON clustered",
            "CREATE UNIQUE INDEX identity ON m.interaction (id, a)", "ALTER TABLE m.interaction REPLICA IDENTITY USING INDEX identity",
            "CREATE INDEX counted ON m.drug (lower(name))", "ALTER INDEX m.counted ALTER COLUMN 1 SET STATISTICS 500",
            "ALTER TABLE m.interaction ADD CONSTRAINT loose UNIQUE (note, id) WITH (fillfactor = 80)",
            "ALTER TABLE m.interaction ADD CONSTRAINT apart EXCLUDE USING hash (note WITH =) WHERE (id < 0)",
            "CREATE VIEW m.grouped AS SELECT id, note FROM m.interaction GROUP BY id",
    };
    private final TestingDatabase source = TestingServer.database();
    private final TestingDatabase target = TestingServer.database();
    private final TestingSync sync = new TestingSync(DATA_SET);

    private static Table table(String name, String key, String... others) {
        var columns = new ArrayList<>(List.of(key));
        columns.addAll(List.of(others));
        return new Table("m." + name, columns, List.of(key), Optional.empty());
    }

    @BeforeEach
    void rows() {
        for (var database : List.of(source, target)) database.execute(TABLES);
        source.execute(Sql.named("state"),
                "INSERT INTO m.drug SELECT i, 'D' || i, CASE WHEN i % 5 > 0 THEN '薬 ' || i END, nullif(i / 2, 0) FROM generate_series(1, "
                        + "600) i",
                "INSERT INTO m.interaction SELECT i, 1 + i % 600, 'D' || 1 + (i * 7) % 600, 'n' || i FROM generate_series(1, 900) i");
    }

    private static void prepare(TestingDatabase database, DataSet dataSet) {
        new DatabaseRoles(database).prepare(new Login("h", 1, database.name(), "reader", "secret"),
                new Login("h", 1, database.name(), "writer", "secret"), List.of(dataSet));
    }

    /** Returns everything in the catalogue about tables, keys, indexes and triggers, except OIDs. */
    private static String catalogue(TestingDatabase database) {
        return database.value("""
                SELECT string_agg(line, chr(10) ORDER BY line) FROM (
                  SELECT concat_ws(' ', 'index', i.indexrelid::regclass, pg_get_indexdef(i.indexrelid), to_jsonb(i) - \
                  '{indexrelid,indrelid,indcheckxmin}'::text[], x.relowner, x.reloptions, x.reltablespace, x.relpersistence, x.relacl,
                    obj_description(x.oid, 'pg_class'), (SELECT string_agg(concat_ws('/', a.attname, a.attstattarget, a.atttypid, \
                    a.attcollation, a.attoptions), ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = x.oid)) AS line
                  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE x.relnamespace = 'm'::regnamespace
                  UNION ALL
                  SELECT concat_ws(' ', 'constraint', c.conname, c.conrelid::regclass, c.confrelid::regclass, c.conindid::regclass, \
                  pg_get_constraintdef(c.oid), to_jsonb(c) - '{oid,conrelid,confrelid,conindid}'::text[], obj_description(c.oid, \
                  'pg_constraint'))
                  FROM pg_constraint c WHERE c.connamespace = 'm'::regnamespace
                  UNION ALL
                  SELECT concat_ws(' ', 'trigger', t.tgrelid::regclass, CASE WHEN t.tgisinternal THEN '' ELSE t.tgname END, \
                  t.tgfoid::regproc, t.tgtype, t.tgenabled, t.tgdeferrable, t.tginitdeferred, t.tgconstrrelid::regclass, \
                  t.tgconstrindid::regclass,
                    (SELECT conname FROM pg_constraint WHERE oid = t.tgconstraint))
                  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'm'::regnamespace
                  UNION ALL
                  SELECT concat_ws(' ', 'table', c.oid, to_jsonb(c) - \
                  '{relpages,reltuples,relallvisible,relfrozenxid,relminmxid,relchecks,relhastriggers}'::text[], obj_description(c.oid, \
                  'pg_class'))
                  FROM pg_class c WHERE c.relnamespace = 'm'::regnamespace AND c.relkind IN ('r', 'p', 'v')
                  UNION ALL
                  SELECT concat_ws(' ', 'column', a.attrelid::regclass, to_jsonb(a)) FROM pg_attribute a JOIN pg_class c ON c.oid = \
                  a.attrelid WHERE c.relnamespace = 'm'::regnamespace AND c.relkind IN ('r', 'p', 'v')
                ) lines""");
    }

    /** Returns the indexes with their OIDs; an index that was created again has another OID. */
    private static Set<String> indexes(TestingDatabase database) {
        return new HashSet<>(List.of(database.value(
                "SELECT string_agg(indexrelid::regclass || ' ' || indexrelid, ',') FROM pg_index JOIN pg_class c ON c.oid = indexrelid "
                        + "WHERE relnamespace = 'm'::regnamespace")
                .split(",")));
    }

    private static Set<String> anew(Set<String> before, Set<String> after) {
        var names = new HashSet<String>();
        for (String index : after) if (!before.contains(index)) names.add(index.substring(0, index.lastIndexOf(' ')));
        return names;
    }

    private static String contents(TestingDatabase database, DataSet dataSet) {
        var contents = new StringBuilder();
        for (Table table : dataSet.tables()) contents.append(table.name())
                .append(database.value("SELECT string_agg(t::text, ' ' ORDER BY t::text COLLATE \"C\") FROM (SELECT "
                        + Sql.columns("", table.columns()) + " FROM " + Sql.table(table.name()) + ") t"));
        return contents.toString();
    }

    @Test
    void afterwardsTheCatalogueIsAsItWas() {
        target.execute(INDEXES);
        target.execute(STAYS);
        prepare(target, DATA_SET);
        String catalogue = catalogue(target);
        var indexes = indexes(target);
        sync.run(source, target.as("writer"), "first");
        assertEquals(catalogue, catalogue(target));
        assertEquals(contents(source, DATA_SET), contents(target, DATA_SET));
        assertEquals(Set.of("m.\"the code\"", "m.\"by Name\"", "m.lower_code", "m.hashed", "m.brin", "m.gin", "m.pair"),
                anew(indexes, indexes(target)),
                "m.drug_pkey stays for m.prescription, m.interaction_pkey for m.grouped");
        assertEquals("600 7 0",
                target.value("SELECT count(*) || ' ' || min(local) || ' ' || (SELECT count(*) FROM lockstep.laid_aside) FROM m.drug"));
        for (String violation : List.of("INSERT INTO m.drug VALUES (9999, 'D1')", "INSERT INTO m.drug VALUES (9999, 'd2', 'x', NULL)",
                "UPDATE m.interaction SET b = 'none'", "UPDATE m.interaction SET a = 0", "DELETE FROM m.drug WHERE id = 1"))
            assertThrows(Fault.MergeConflict.class, () -> target.execute(violation.replace("9999, 'd2'", "9, 'd2'")), violation);
    }

    @Test
    void keysOnWhichNothingElseDependsAreMadeAnewToo() {
        target.execute("DROP TABLE m.prescription");
        prepare(target, DATA_SET);
        String catalogue = catalogue(target);
        var indexes = indexes(target);
        sync.run(source, target.as("writer"), "first");
        assertEquals(catalogue, catalogue(target));
        assertEquals(Set.of("m.drug_pkey", "m.interaction_pkey", "m.\"the code\""), anew(indexes, indexes(target)));
        assertEquals(contents(source, DATA_SET), contents(target, DATA_SET));
    }

    @Test
    void onlyTheFirstTimeAndOnlyWhatIsEmpty() {
        target.execute("INSERT INTO m.interaction SELECT 1, 1, NULL, 'own' FROM (SELECT FROM (VALUES (1)) v) w WHERE false",
                "INSERT INTO m.drug (id, code) VALUES (1, 'own')");
        prepare(target, DATA_SET);
        var indexes = indexes(target);
        sync.run(source, target.as("writer"), "first");
        assertEquals(contents(source, DATA_SET), contents(target, DATA_SET));
        assertEquals(Set.of("m.interaction_pkey"), anew(indexes, indexes(target)));
        indexes = indexes(target);
        target.execute("TRUNCATE m.drug, m.interaction CASCADE");
        source.execute("UPDATE m.drug SET name = 'x'");
        sync.run(source, target.as("writer"), "second");
        assertEquals(contents(source, DATA_SET), contents(target, DATA_SET));
        assertEquals(Set.of(), anew(indexes, indexes(target)), "a product that lives is not locked out");
    }

    @Test
    void withoutPreparationOrOwnershipItIsMerged() {
        target.execute(Sql.named("state"));
        var indexes = indexes(target);
        sync.run(source, target, "first");
        assertEquals(Set.of(), anew(indexes, indexes(target)));
        assertEquals(contents(source, DATA_SET), contents(target, DATA_SET));

        var other = TestingServer.database();
        other.execute(TABLES);
        prepare(other, DATA_SET);
        other.execute("DO $$ BEGIN CREATE ROLE nobody; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
                "GRANT ALL ON SCHEMA lockstep, m TO nobody", "GRANT ALL ON ALL TABLES IN SCHEMA lockstep, m TO nobody",
                "ALTER FUNCTION lockstep.lay_keys_aside OWNER TO nobody");
        indexes = indexes(other);
        sync.restore(other.as("writer"), "first");
        assertEquals(Set.of(), anew(indexes, indexes(other)));
        assertEquals(contents(source, DATA_SET), contents(other, DATA_SET));
    }

    @Test
    void whoUsesATableIsNotDisturbed() throws SQLException {
        prepare(target, DATA_SET);
        var indexes = indexes(target);
        try (Connection visitor = target.connect()) {
            visitor.setAutoCommit(false);
            Sql.execute(visitor, "SELECT FROM m.drug");
            sync.run(source, target.as("writer"), "first");
        }
        assertEquals(Set.of(), anew(indexes, indexes(target)));
        assertEquals(contents(source, DATA_SET), contents(target, DATA_SET));
    }

    @Test
    void readersSeeNothingOrEverything() throws Exception {
        target.execute(INDEXES);
        prepare(target, DATA_SET);
        sync.dump(source, "first");
        var stop = new AtomicBoolean();
        var wrong = new AtomicInteger();
        var full = new AtomicInteger();
        var reader = Thread.ofPlatform().start(() -> target.run(connection -> {
            try (var statement = connection.createStatement()) {
                while (!stop.get() || full.get() == 0)
                    try (var row = statement.executeQuery("SELECT (SELECT count(*) FROM m.drug), (SELECT count(*) FROM m.interaction)")) {
                        row.next();
                        if (row.getInt(1) == 600 && row.getInt(2) == 900) full.incrementAndGet();
                        else if (row.getInt(1) + row.getInt(2) > 0) wrong.incrementAndGet();
                    }
            }
            return null;
        }));
        sync.restore(target.as("writer"), "first");
        stop.set(true);
        reader.join();
        assertEquals(0, wrong.get());
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "ALTER TABLE m.drug ADD CONSTRAINT few CHECK (id < 500)", "CREATE UNIQUE INDEX one_name ON m.drug (left(name, 3))",
            "ALTER TABLE m.interaction ADD CONSTRAINT other FOREIGN KEY (id) REFERENCES m.drug",
            "CREATE FUNCTION m.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 500 THEN RAISE EXCEPTION ''not this one''; END "
                    + "IF; RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON m.interaction FOR EACH ROW EXECUTE FUNCTION m.f()"})
    void whatFailsLeavesEverythingAsItWas(String why) {
        target.execute(INDEXES);
        target.execute(why);
        prepare(target, DATA_SET);
        String catalogue = catalogue(target);
        var indexes = indexes(target);
        sync.dump(source, "first");
        var refused = assertThrows(Fault.MergeConflict.class, () -> sync.restore(target.as("writer"), "first"));
        assertTrue(List.of("few", "one_name", "other", "not this one").stream().anyMatch(refused.getMessage()::contains),
                refused.getMessage());
        assertEquals(catalogue, catalogue(target));
        assertEquals(indexes, indexes(target));
        assertEquals("0 0", target.value("SELECT (SELECT count(*) FROM m.drug) || ' ' || (SELECT count(*) FROM lockstep.laid_aside)"));
    }

    @Test
    void aConnectionThatDiesLeavesEverythingAsItWas() {
        target.execute(INDEXES);
        target.execute(
                "CREATE FUNCTION m.f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN IF NEW.id = 500 THEN PERFORM "
                        + "pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END'",
                "CREATE TRIGGER t BEFORE INSERT ON m.interaction FOR EACH ROW EXECUTE FUNCTION m.f()");
        prepare(target, DATA_SET);
        String catalogue = catalogue(target);
        var indexes = indexes(target);
        sync.dump(source, "first");
        assertThrows(Fault.DatabaseUnavailable.class, () -> sync.restore(target.as("writer"), "first"));
        assertEquals(catalogue, catalogue(target));
        assertEquals(indexes, indexes(target));
        target.execute("ALTER TABLE m.interaction DISABLE TRIGGER t");
        sync.restore(target.as("writer"), "first");
        assertEquals(contents(source, DATA_SET), contents(target, DATA_SET));
        assertNotEquals(Set.of(), anew(indexes, indexes(target)));
    }

    @Test
    void theFunctionsDoNothingElse() {
        target.execute("CREATE TABLE m.other (id int PRIMARY KEY)");
        prepare(target, DATA_SET);
        var writer = target.as("writer");
        assertEquals("{}", writer.value("SELECT lockstep.lay_keys_aside('master', '{m.other,m.prescription,pg_catalog.pg_class}')"));
        assertEquals("{}", writer.value("SELECT lockstep.lay_keys_aside('other', '{m.drug}')"));
        target.execute("INSERT INTO m.drug (id, code) VALUES (1, 'x')");
        assertEquals("{}", writer.value("SELECT lockstep.lay_keys_aside('master', '{m.drug}')"));
        for (String refused : List.of("SELECT lockstep.lay_triggers_aside('master', '{m.drug}')",
                "INSERT INTO lockstep.laid_aside (step, data_set, put_back) VALUES (1, 'master', 'DROP TABLE m.drug')",
                "INSERT INTO lockstep.prepared_table VALUES ('m.other', 'master', 'DISABLE')",
                "UPDATE lockstep.prepared_table SET triggers = 'DISABLE'"))
            assertThrows(Fault.AccessRefused.class, () -> writer.execute(refused), refused);
        for (String function : List.of("lay_keys_aside('master', '{m.drug}')", "lay_triggers_aside('master', '{m.drug}')",
                "put_back('master')"))
            assertThrows(Fault.AccessRefused.class, () -> target.as("reader").execute("SELECT lockstep." + function), function);
        // objects that the writer creates must not be used by the functions
        writer.execute(
                "CREATE TEMPORARY TABLE pg_class (oid oid); CREATE TEMPORARY TABLE pg_constraint (oid oid); SELECT "
                        + "lockstep.lay_keys_aside('master', '{m.interaction}'); SELECT lockstep.put_back('master')");
    }

    /** Tables that refer to each other, to themselves and in cycles, with indexes, in databases that are prepared or not. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void bothRoadsLeadToTheSame(long seed) {
        var random = new Random(seed);
        int number = 1 + random.nextInt(4);
        var ddl = new ArrayList<String>();
        var tables = new ArrayList<Table>();
        for (int i = 0; i < number; i++) {
            ddl.add("CREATE TABLE m.t" + i + " (k int, l text COLLATE \"" + (random.nextBoolean() ? "C" : "en-x-icu")
                    + "\", x int, y int, v numeric, r int4range, PRIMARY KEY (k, l), UNIQUE (x))");
            tables.add(new Table("m.t" + i, List.of("k", "l", "x", "y", "v", "r"), List.of("k", "l"), Optional.empty()));
            if (random.nextBoolean()) ddl.add("CREATE INDEX ON m.t" + i + " (v, lower(l))");
            if (random.nextBoolean()) ddl.add("CREATE INDEX ON m.t" + i + " USING gist (r)");
        }
        for (int i = 0; i < number; i++)
            if (random.nextInt(3) > 0) ddl.add("ALTER TABLE m.t" + i + " ADD FOREIGN KEY (y) REFERENCES m.t" + random.nextInt(number)
                    + " (x)" + (random.nextBoolean() ? " DEFERRABLE" : ""));
        if (random.nextBoolean()) ddl.add("CREATE TABLE m.visit (x int REFERENCES m.t0 (x))");
        var dataSet = new DataSet("any", "source", tables);
        var fast = TestingServer.database();
        fast.execute("CREATE SCHEMA m");
        for (var database : List.of(source, target, fast)) {
            database.execute(Sql.named("state"));
            database.execute(ddl.toArray(String[]::new));
        }
        prepare(fast, dataSet);
        if (random.nextInt(3) == 0)
            for (var database : List.of(target, fast)) database.execute("INSERT INTO m.t0 (k, l, x) VALUES (-1, 'own', 7)");
        for (int i = 0; i < number; i++) source.execute("INSERT INTO m.t" + i + " SELECT n % 9, md5(n::text || " + seed
                + "), n, NULL, n / 7.0, int4range(n, n + 5) FROM generate_series(1, " + random.nextInt(400) + ") n");
        for (int i = 0; i < number; i++) {
            String refers = source
                    .value("SELECT confrelid::regclass FROM pg_constraint WHERE contype = 'f' AND conrelid = 'm.t" + i + "'::regclass");
            if (refers != null)
                source.execute("UPDATE m.t" + i + " SET y = (SELECT min(p.x) FROM " + refers + " p WHERE p.x >= m.t" + i + ".x)");
        }
        String catalogue = catalogue(fast);
        var indexes = indexes(fast);
        var any = new TestingSync(dataSet);
        any.dump(source, "first");
        assertEquals(any.restore(target, "first"), any.restore(fast.as("writer"), "first"), "seed " + seed);
        assertEquals(contents(source, dataSet), contents(target, dataSet));
        assertEquals(contents(source, dataSet), contents(fast, dataSet));
        assertEquals(catalogue, catalogue(fast));
        source.execute("DELETE FROM m.t" + (number - 1) + " WHERE false", "UPDATE m.t0 SET v = v + 1 WHERE k = 3");
        any.dump(source, "second");
        assertEquals(any.restore(target, "second"), any.restore(fast.as("writer"), "second"), "seed " + seed);
        assertEquals(List.of(), any.drifted);
        assertTrue(seed > 3 || !anew(indexes, indexes(fast)).isEmpty() || number == 1, "seed " + seed);
    }
}
