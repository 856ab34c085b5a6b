package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.postgres.Key;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests key types whose operators are outside pg_catalog, in any schema, with logins that have only the grants of prepare-database. */
@Tag("nightly")
class ExtensionTypesTest {
    private static final List<String> EXTENSIONS = List.of("ltree", "citext", "cube", "isn", "seg", "hstore", "intarray");
    private static final TestingShards SHARDS = new TestingShards(EXTENSIONS.stream().map(e -> "CREATE EXTENSION " + e + " SCHEMA ext")
            .toArray(String[]::new));

    /** Moves the extensions to this schema. */
    private static void extensionsIn(String schema) {
        for (String extension : EXTENSIONS) SHARDS.each("ALTER EXTENSION " + extension + " SET SCHEMA " + schema);
        SHARDS.reconnect();
    }

    @AfterEach
    void back() {
        extensionsIn("ext");
        SHARDS.each("GRANT USAGE ON SCHEMA public TO PUBLIC");
    }

    private static String in(String schema, String text) {
        return text.replace("ext.", schema + ".");
    }

    /** Tables with ltree as key, and as another column. */
    @ParameterizedTest
    @ValueSource(strings = {"ext", "public"})
    void treesAndCategories(String schema) {
        extensionsIn(schema);
        SHARDS.each("REVOKE ALL ON SCHEMA public FROM PUBLIC");
        SHARDS.product(List.of(TestingShards.table("m.tree", "path", "name"), TestingShards.table("m.cats", "id", "path", "name")),
                in(schema, "CREATE TABLE m.tree (path ext.ltree PRIMARY KEY, name text)"),
                in(schema, "CREATE TABLE m.cats (id int PRIMARY KEY, path ext.ltree NOT NULL UNIQUE, name text)"),
                in(schema, "CREATE TABLE own.leaf (path ext.ltree REFERENCES m.tree ON DELETE CASCADE)"));
        TestingShards.visit(SHARDS.source, "SET search_path = public, ext",
                "INSERT INTO m.tree VALUES ('a', '1'), ('a.b', '2'), ('a.b.c', '3'), ('d', '4')",
                "INSERT INTO m.cats VALUES (1, 'x', '1'), (2, 'x.y', '2')");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.leaf VALUES ('d')");
        TestingShards.visit(SHARDS.source, "SET search_path = public, ext", "UPDATE m.tree SET name = 'two' WHERE path = 'a.b'",
                "INSERT INTO m.tree VALUES ('z', 'new')",
                "DELETE FROM m.tree WHERE path IN ('a.b.c', 'd')", "UPDATE m.cats SET path = 'x.z' WHERE id = 2");
        assertEquals(Map.of("m.tree", "+1 ~1 -1 =1", "m.cats", "+0 ~1 -0 =0"), SHARDS.carry("m.tree (d,4)").changes());
        assertEquals(Map.of("m.tree", "+1 ~1 -1 =0", "m.cats", "+0 ~1 -0 =0"), SHARDS.back(0).changes());
        assertEquals("d", SHARDS.value("SELECT string_agg(path::text, ' ') FROM own.leaf"));
    }

    /** Types, and the SQL for the value of row {@code i}. */
    private static final List<List<String>> KEYS = List.of(List.of("ext.citext", "('Key ' || i)::ext.citext"),
            List.of("ext.ltree", "('Top.n' || i)::ext.ltree"),
            List.of("ext.isbn13", "ext.isbn13('978000' || lpad(i::text, 6, '0') || '?')"),
            List.of("ext.ean13", "('400000' || lpad(i::text, 6, '0') || '?')::ext.ean13"),
            List.of("ext.cube", "ext.cube(ARRAY[i, -i]::float8[])"), List.of("ext.seg", "(i || ' .. ' || i + 1)::ext.seg"),
            List.of("ext.hstore", "ext.hstore('k', i::text)"),
            List.of("int[]", "ARRAY[i, i]"), List.of("ext.citext[]", "ARRAY['Key ' || i]::ext.citext[]"),
            List.of("ext.ltree[]", "ARRAY['Top.n' || i, 'Top']::ext.ltree[]"));

    private static void eachKey(Consumer<String> doing, String statement) {
        for (int n = 0; n < KEYS.size(); n++) doing.accept(statement.replace("{n}", Integer.toString(n)).replace("{type}",
                KEYS.get(n).getFirst()).replace("{value}", KEYS.get(n).getLast()));
    }

    /** Each table has enough rows for several ranges. */
    @Test
    void everyKindOfKey() {
        var ddl = new ArrayList<String>();
        eachKey(ddl::add, "CREATE TABLE m.t{n} (id int NOT NULL, k {type} NOT NULL UNIQUE, also {type})");
        eachKey(ddl::add, "CREATE TABLE own.visit{n} (k {type} REFERENCES m.t{n} (k) ON DELETE CASCADE)");
        SHARDS.product(IntStream.range(0, KEYS.size()).mapToObj(n -> TestingShards.table("m.t" + n, "k", "id", "also")).toList(),
                ddl.toArray(String[]::new));
        eachKey(s -> TestingShards.visit(SHARDS.source, s), "INSERT INTO m.t{n} SELECT i, {value}, {value} FROM generate_series(1, 300) i");
        SHARDS.carry();
        eachKey(SHARDS::visit, "INSERT INTO own.visit{n} SELECT k FROM m.t{n} WHERE id = 77");
        for (String change : List.of("DELETE FROM m.t{n} WHERE id IN (7, 77, 207)", "UPDATE m.t{n} SET also = NULL WHERE id IN (8, 200)",
                "INSERT INTO m.t{n} SELECT i, {value} FROM generate_series(900, 902) i"))
            eachKey(s -> TestingShards.visit(SHARDS.source, s), change);
        var kept = SHARDS.rows(SHARDS.follows).stream().filter(r -> r.contains(",77,")).toArray(String[]::new);
        assertEquals(KEYS.size(), kept.length);
        assertEquals(every("+3 ~2 -2 =1"), SHARDS.carry(kept).changes());
        assertEquals(every("+2 ~2 -3 =0"), SHARDS.back(0).changes());
        eachKey(s -> assertEquals("1", SHARDS.value(s)), "SELECT count(*) FROM own.visit{n}");
    }

    private static Map<String, String> every(String changes) {
        return IntStream.range(0, KEYS.size()).boxed().collect(Collectors.toMap(n -> "m.t" + n, n -> changes));
    }

    /** Types that the product has created in its own schema, as keys, in keys of several columns, and in other columns. */
    @Test
    void typesOfTheProduct() {
        SHARDS.product(List.of(TestingShards.table("m.t", "kind,code,during", "pair", "kinds"), TestingShards.table("m.u", "pair", "v")),
                "CREATE SCHEMA \"Own Types\"", "CREATE TYPE \"Own Types\".kind AS ENUM ('z', 'a', '{key}')",
                "CREATE DOMAIN \"Own Types\".\"Code\" AS ext.citext CHECK (VALUE <> ''::ext.citext)",
                "CREATE TYPE \"Own Types\".during AS RANGE (SUBTYPE = ext.citext)",
                "CREATE TYPE \"Own Types\".pair AS (a ext.citext, b \"Own Types\".kind)",
                "CREATE TABLE m.t (kind \"Own Types\".kind, code \"Own Types\".\"Code\", during \"Own Types\".during, pair \"Own "
                        + "Types\".pair, kinds \"Own Types\".kind[], PRIMARY KEY (kind, code, during))",
                "CREATE TABLE m.u (pair \"Own Types\".pair PRIMARY KEY, v int)",
                "CREATE TABLE own.visit (kind \"Own Types\".kind, code ext.citext, during \"Own Types\".during, FOREIGN KEY (kind, code, "
                        + "during) REFERENCES m.t ON DELETE SET NULL)");
        TestingShards.visit(SHARDS.source, "SET search_path = ext, \"Own Types\"",
                "INSERT INTO m.t SELECT (ARRAY['z', 'a', '{key}'])[i % 3 + 1]::kind, 'Code' || i, during(('A' || i)::citext, 'Z'), "
                        + "ROW('x', 'a')::pair, '{z,a}' FROM generate_series(1, 300) i",
                "INSERT INTO m.u SELECT ROW('Key ' || i, 'z')::pair, i FROM generate_series(1, 300) i");
        SHARDS.carry();
        SHARDS.visit("SET search_path = ext, \"Own Types\"", "INSERT INTO own.visit VALUES ('a', 'cODE1', during('a1', 'z'))");
        TestingShards.visit(SHARDS.source, "SET search_path = ext, \"Own Types\"", "DELETE FROM m.t WHERE code IN ('Code1', 'Code2')",
                "UPDATE m.t SET kinds = '{\"{key}\"}' WHERE code = 'code9'",
                "INSERT INTO m.t VALUES ('z', 'new', during('q', 'r'), NULL, NULL)", "UPDATE m.u SET v = -v WHERE v % 100 = 0",
                "DELETE FROM m.u WHERE v = 7");
        String kept = SHARDS.rows(SHARDS.follows).stream().filter(r -> r.contains(",Code1,")).findFirst().orElseThrow();
        assertEquals(Map.of("m.t", "+1 ~1 -1 =1", "m.u", "+0 ~3 -1 =0"), SHARDS.carry(kept).changes());
        assertEquals(Map.of("m.t", "+1 ~1 -1 =0", "m.u", "+1 ~3 -0 =0"), SHARDS.back(0).changes());
        assertEquals("(a,cODE1,\"[a1,z)\")", SHARDS.value("SELECT string_agg(v::text, ' ') FROM own.visit v"));
    }

    /** For example a unique key without a foreign key, a filter and a check, all with operators of the extension. */
    @Test
    void filtersChecksAndOtherKeys() {
        SHARDS.product(List.of(new Table("m.t", List.of("id", "path", "code"), List.of("id"),
                Optional.of("path OPERATOR(ext.<@) 'top.public'::ext.ltree"))),
                "CREATE TABLE m.t (id int PRIMARY KEY, path ext.ltree CHECK (ext.nlevel(path) > 1), code ext.citext NOT NULL UNIQUE, "
                        + "UNIQUE (path, code))",
                "CREATE INDEX ON m.t USING gist (path ext.gist_ltree_ops)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT i, ('top.' || CASE WHEN i % 2 = 0 THEN 'public.n' ELSE 'internal.n' "
                + "END || i)::ext.ltree, 'C' || i FROM generate_series(1, 300) i");
        SHARDS.carry();
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET path = 'top.public.moved' WHERE id = 3",
                "UPDATE m.t SET path = 'top.internal.moved' WHERE id = 4", "UPDATE m.t SET code = 'c6' WHERE id = 6",
                "UPDATE m.t SET code = 'x' WHERE id = 8", "UPDATE m.t SET code = 'c8' WHERE id = 10",
                "UPDATE m.t SET code = 'c10' WHERE id = 8");
        assertEquals(Map.of("m.t", "+1 ~3 -1 =0"), SHARDS.carry().changes());
        assertEquals(Map.of("m.t", "+1 ~3 -1 =0"), SHARDS.back(0).changes());
    }

    /** If a grant is revoked later, the message contains the statement that restores it. */
    @ParameterizedTest
    @ValueSource(strings = {TestingShards.READER, TestingShards.WRITER})
    void aMissingGrantIsNamedExactly(String login) {
        SHARDS.product(List.of(TestingShards.table("m.t", "k", "v")), "CREATE TABLE m.t (k ext.citext PRIMARY KEY, v int)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT 'k' || i, i FROM generate_series(1, 400) i");
        SHARDS.carry();
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET v = -v WHERE v % 50 = 0", "DELETE FROM m.t WHERE v = 7");
        SHARDS.each("REVOKE USAGE ON SCHEMA ext FROM " + login);
        SHARDS.reconnect();
        var refused = assertThrows(Fault.AccessRefused.class, () -> {
            String id = SHARDS.dump();
            SHARDS.sync.restore(SHARDS.writer(SHARDS.follows), id);
        });
        var grant = Pattern.compile("GRANT USAGE ON SCHEMA \"?ext\"? TO \"?" + login + "\"?").matcher(refused.getMessage());
        assertTrue(grant.find(), refused.getMessage());
        SHARDS.each(grant.group());
        assertEquals(Map.of("m.t", "+0 ~8 -1 =0"), SHARDS.carry().changes());
    }

    /**
     * For example the schema of an extension that a managed service has installed: the data set uses nothing there, so nothing is granted
     * or revoked.
     */
    @Test
    void aSchemaThatTheAdministratorMayNotUse() {
        SHARDS.product(List.of(TestingShards.table("m.t", "id")), "CREATE TABLE m.t (id int PRIMARY KEY)", "CREATE SCHEMA closed",
                "CREATE TABLE closed.thing (id int)", "CREATE SEQUENCE closed.numbers",
                "DO $$ BEGIN CREATE ROLE modest_admin LOGIN CREATEROLE; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        SHARDS.each("GRANT shards_reader, shards_writer TO modest_admin WITH ADMIN OPTION", "DROP SCHEMA lockstep CASCADE",
                "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO modest_admin', current_database()); END $$",
                "ALTER SCHEMA m OWNER TO modest_admin", "ALTER TABLE m.t OWNER TO modest_admin");
        for (var database : List.of(SHARDS.source, SHARDS.follows, SHARDS.reads)) SHARDS.prepare(database.as("modest_admin"));
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES (1)");
        assertEquals(Map.of("m.t", "+1 ~0 -0 =0"), SHARDS.carry().changes());
    }
}
