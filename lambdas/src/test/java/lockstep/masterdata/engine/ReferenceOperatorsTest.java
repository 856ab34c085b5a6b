package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.landscape.Table;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests that the foreign key's operator and collation decide whether a visitor's row refers to a master row, whatever the types of
 * its two sides and the search path. A referenced master row is kept; the visitor's row never changes.
 */
class ReferenceOperatorsTest {
    private static final Map<String, String> ACTIONS = Map.of("cascades", "CASCADE", "sets_null", "SET NULL", "sets_default",
            "SET DEFAULT", "restricts", "RESTRICT", "checks", "NO ACTION");
    private static final TestingShards SHARDS = new TestingShards("CREATE EXTENSION citext SCHEMA ext", "CREATE EXTENSION ltree SCHEMA ext",
            "CREATE COLLATION ext.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
            "CREATE DOMAIN ext.code AS ext.citext CHECK (length(VALUE::text) > 0)",
            "CREATE DOMAIN ext.narrow AS ext.code", "CREATE DOMAIN ext.ci_text AS text COLLATE ext.ci",
            "CREATE TYPE ext.pair AS (a numeric, b text)",
            "CREATE TYPE ext.kind AS ENUM ('k7', 'k6', 'k5', 'k4', 'k3', 'k2', 'k1')");

    /** The types of the two sides of a foreign key, and the values of row {@code i} as SQL; they are equal, but often differ as text. */
    private record Pair(String type, String value, String visitorsType, String visitorsValue) {}

    private static Pair pair(String type, String value, String visitorsType, String visitorsValue) {
        return new Pair(type, value, visitorsType, visitorsValue);
    }

    private static final Map<String, List<Pair>> FAMILIES = Map.of(
            "extensions", List.of(
                    pair("ext.citext", "'Milk' || i", "ext.citext", "'mILK' || i"),
                    pair("ext.code", "'Milk' || i", "ext.citext", "'milk' || i"),
                    pair("ext.citext", "'Milk' || i", "ext.narrow", "'MILK' || i"),
                    pair("ext.ltree", "('Top.n' || i)::ext.ltree", "ext.ltree", "('Top.n' || i)::ext.ltree"),
                    pair("ext.kind", "('k' || i)::ext.kind", "ext.kind", "('k' || i)::ext.kind")),
            "text", List.of(
                    pair("text COLLATE ext.ci", "'Milk' || i", "text COLLATE ext.ci", "'milk' || i"),
                    pair("text COLLATE ext.ci", "'Milk' || i", "text", "'milk' || i"),
                    pair("ext.ci_text", "'Milk' || i", "varchar(9)", "'MILK' || i"),
                    pair("text COLLATE \"C\"", "'c' || i", "varchar(20) COLLATE \"en-x-icu\"", "'c' || i"),
                    pair("varchar(20)", "'c' || i", "text", "'c' || i"),
                    pair("char(8)", "'c' || i", "char(12)", "'c' || i"),
                    pair("bpchar", "'c' || i || '  '", "bpchar", "'c' || i"),
                    pair("char(8)", "'c' || i", "varchar(12)", "'c' || i || '   '"),
                    pair("char(8) COLLATE ext.ci", "'Milk' || i", "bpchar", "'milk' || i || '  '"),
                    pair("name", "'c' || i", "text", "'c' || i")),
            "numbers", List.of(
                    pair("int", "i", "bigint", "i"),
                    pair("bigint", "i", "smallint", "i"),
                    pair("smallint", "i", "bigint", "i"),
                    pair("numeric", "i", "numeric(10,2)", "i"),
                    pair("numeric(10,3)", "i", "numeric", "i * 1.0"),
                    pair("numeric", "i * 1.000", "int", "i"),
                    pair("double precision", "i * 0.5", "real", "i * 0.5"),
                    pair("double precision", "i - 1", "double precision", "CASE WHEN i = 1 THEN '-0'::double precision ELSE i - 1 END"),
                    pair("real", "i - 1", "real", "CASE WHEN i = 1 THEN '-0'::real ELSE i - 1 END")),
            "times", List.of(
                    pair("timestamp", "timestamp '2026-01-01' + i * interval '1 day'", "date", "date '2026-01-01' + i"),
                    pair("date", "date '2026-01-01' + i", "timestamp", "timestamp '2026-01-01' + i * interval '1 day'"),
                    pair("interval", "i * interval '1 day'", "interval", "i * interval '24 hours'"),
                    pair("timestamptz", "timestamptz '2026-01-01 00:00+00' + i * interval '1 hour'", "timestamptz",
                            "timestamptz '2026-01-01 09:00+09' + i * interval '1 hour'")),
            "containers", List.of(
                    pair("numrange", "numrange(i, i + 1)", "numrange", "numrange(i * 1.0, (i + 1) * 1.00)"),
                    pair("nummultirange", "nummultirange(numrange(i, i + 1))", "nummultirange", "nummultirange(numrange(i * 1.0, i + 1))"),
                    pair("numeric[]", "ARRAY[i * 1.0]", "numeric[]", "ARRAY[i::numeric]"),
                    pair("ext.citext[]", "ARRAY['Milk' || i]", "ext.citext[]", "ARRAY['milk' || i]"),
                    pair("text[] COLLATE ext.ci", "ARRAY['Milk' || i]", "text[]", "ARRAY['milk' || i]"),
                    pair("jsonb", "jsonb_build_object('n', i * 1.0)", "jsonb", "jsonb_build_object('n', i)"),
                    pair("ext.pair", "ROW(i * 1.0, 'x')::ext.pair", "ext.pair", "ROW(i, 'x')::ext.pair"),
                    pair("inet", "('10.0.0.' || i)::inet", "cidr", "('10.0.0.' || i || '/32')::cidr")));

    private static String[] forEach(List<Pair> pairs, java.util.function.IntFunction<String> statement) {
        return IntStream.range(0, pairs.size()).mapToObj(statement).toArray(String[]::new);
    }

    /**
     * Rows 1 to 5 are each referenced by a foreign key with another action, row 6 is not referenced, and row 7 is the default of one of the
     * keys.
     */
    @ParameterizedTest(name = "{0}, key referred to: {1}")
    @CsvSource({"extensions, true", "extensions, false", "text, true", "text, false", "numbers, true", "times, false", "containers, true"})
    void rowsThatVisitorsReferToAreKept(String family, boolean keyed) {
        var pairs = FAMILIES.get(family);
        var tables = new ArrayList<Table>();
        var ddl = new ArrayList<String>();
        for (int n = 0; n < pairs.size(); n++) {
            var pair = pairs.get(n);
            tables.add(keyed ? TestingShards.table("m.t" + n, "code", "id", "name") : TestingShards.table("m.t" + n, "id", "code", "name"));
            ddl.add("CREATE TABLE m.t" + n + " (id int NOT NULL " + (keyed ? "UNIQUE" : "PRIMARY KEY") + ", code " + pair.type()
                    + (keyed ? " PRIMARY KEY" : " NOT NULL UNIQUE") + ", name text)");
            for (var action : ACTIONS.entrySet())
                ddl.add("CREATE TABLE own." + action.getKey() + n + " (id int PRIMARY KEY, code " + pair.visitorsType()
                        + ", note text, FOREIGN KEY (code) REFERENCES m.t" + n + " (code) ON DELETE "
                        + action.getValue() + ")");
        }
        SHARDS.product(tables, ddl.toArray(String[]::new));
        TestingShards.visit(SHARDS.source, forEach(pairs, n -> "INSERT INTO m.t" + n + " (id, code, name) SELECT i, " + pairs.get(n)
                .value() + ", 'n' FROM generate_series(1, 7) i"));
        SHARDS.carry();

        var names = ACTIONS.keySet().stream().sorted().toList();
        for (int n = 0; n < pairs.size(); n++) {
            for (int i = 1; i <= 5; i++)
                SHARDS.visit("INSERT INTO own." + names.get(i - 1) + n + " SELECT i, " + pairs.get(n).visitorsValue()
                        + ", 'typed by a visitor' FROM generate_series(" + i + ", " + i + ") i");
            SHARDS.visit("ALTER TABLE own.sets_default" + n + " ALTER code SET DEFAULT " + pairs.get(n).visitorsValue()
                    .replaceAll("\\bi\\b", "7"));
        }
        String visitors = IntStream.range(0, pairs.size()).boxed()
                .flatMap(n -> names.stream().map(a -> "SELECT '" + a + n + " ' || v::text AS row FROM own." + a + n + " v"))
                .collect(Collectors.joining(" UNION ALL ", "SELECT string_agg(row, chr(10) ORDER BY row COLLATE \"C\") FROM (", ") rows"));
        String before = SHARDS.value(visitors);
        var kept = new ArrayList<String>();
        for (String row : SHARDS.rows(SHARDS.source)) if (!row.matches("m\\.t\\d+ "
                + (keyed ? "\\(.*,[67],n\\)" : "\\([67],.*")))
            kept.add(row);
        assertEquals(5 * pairs.size(), kept.size());

        TestingShards.visit(SHARDS.source, forEach(pairs, n -> "DELETE FROM m.t" + n + " WHERE id < 7"));
        var changes = SHARDS.carry(kept.toArray(String[]::new)).changes();
        assertEquals(every(pairs, "+0 ~0 -1 =5"), changes);
        assertEquals(before, SHARDS.value(visitors));

        TestingShards.visit(SHARDS.source, forEach(pairs, n -> "UPDATE m.t" + n + " SET name = 'changed'"));
        SHARDS.visit(forEach(pairs, n -> "DELETE FROM own.cascades" + n));
        var still = kept.stream().filter(r -> !r.matches(keyed ? ".*,1,n\\)" : ".* \\(1,.*")).toArray(String[]::new);
        assertEquals(every(pairs, "+0 ~1 -1 =4"), SHARDS.carry(names.getFirst().equals("cascades") ? still : null).changes());
        assertEquals(every(pairs, "+2 ~1 -0 =0"), SHARDS.back(0).changes());
    }

    private static Map<String, String> every(List<Pair> pairs, String changes) {
        return IntStream.range(0, pairs.size()).boxed().collect(Collectors.toMap(n -> "m.t" + n, n -> changes));
    }

    @Test
    void compositeKeysInAnotherOrderAndWithNull() {
        SHARDS.product(List.of(TestingShards.table("m.t", "region,code", "name")),
                "CREATE TABLE m.t (region int, code ext.citext, name text, PRIMARY KEY (region, code), UNIQUE (code, region))",
                "CREATE TABLE own.visit (id int PRIMARY KEY, code ext.citext, region bigint, FOREIGN KEY (code, region) REFERENCES m.t "
                        + "(code, region) ON DELETE CASCADE)",
                "CREATE TABLE own.full_visit (id int PRIMARY KEY, code ext.citext, region bigint, FOREIGN KEY (region, code) REFERENCES "
                        + "m.t MATCH FULL ON DELETE SET NULL)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT i % 3, 'Milk' || i, 'n' FROM generate_series(1, 9) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES (1, 'milk1', 1), (2, 'milk2', NULL), (3, NULL, 0)",
                "INSERT INTO own.full_visit VALUES (4, 'mILK4', 1), (5, NULL, NULL)");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.t WHERE code < '7'::text OR true");
        assertEquals(Map.of("m.t", "+0 ~0 -7 =2"), SHARDS.carry("m.t (1,Milk1,n)", "m.t (1,Milk4,n)").changes());
        assertEquals("(1,milk1,1) (2,milk2,) (3,,0) (4,mILK4,1) (5,,)",
                SHARDS.value("SELECT string_agg(v::text, ' ' ORDER BY id) FROM (SELECT * FROM own.visit UNION ALL SELECT * FROM "
                        + "own.full_visit) v"));
    }

    /** The visitor's row is in the master table itself, outside the filter of the data set. */
    @Test
    void rowsOutsideTheFilterRefer() {
        SHARDS.product(List.of(new Table("m.t", List.of("code", "parent", "kind"), List.of("code"), Optional.of("kind <> 'local'"))),
                "CREATE TABLE m.t (code ext.citext PRIMARY KEY, parent ext.citext REFERENCES m.t ON DELETE CASCADE, kind text)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('A', NULL, 'public'), ('B', 'a', 'public'), ('C', 'b', 'public'), "
                + "('D', 'c', 'public')");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO m.t VALUES ('mine', 'c', 'local')");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.t");
        assertEquals(Map.of("m.t", "+0 ~0 -1 =3"), SHARDS.carry("m.t (A,,public)", "m.t (B,a,public)", "m.t (C,b,public)").changes());
        assertEquals("(mine,c,local)", SHARDS.value("SELECT string_agg(t::text, ' ') FROM m.t WHERE kind = 'local'"));
        SHARDS.visit("DELETE FROM m.t WHERE kind = 'local'");
        assertEquals(Map.of("m.t", "+0 ~0 -3 =0"), SHARDS.carry().changes());
    }

    /** The visitor refers to a child of the row: both stay, and the child keeps its other spelling. */
    @Test
    void whatAKeptRowRefersToIsKept() {
        SHARDS.product(List.of(TestingShards.table("m.child", "id", "code"), TestingShards.table("m.t", "code", "name")),
                "CREATE TABLE m.t (code ext.citext PRIMARY KEY, name text)",
                "CREATE TABLE m.child (id numeric PRIMARY KEY, code ext.citext NOT NULL REFERENCES m.t ON DELETE CASCADE)",
                "CREATE TABLE own.visit (child numeric(9,2) REFERENCES m.child ON DELETE CASCADE)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT 'Milk' || i, 'n' FROM generate_series(1, 9) i",
                "INSERT INTO m.child SELECT i, 'mILK' || i FROM generate_series(1, 9) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES (2)");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.t");
        assertEquals(Map.of("m.t", "+0 ~0 -8 =1", "m.child", "+0 ~0 -8 =1"), SHARDS.carry("m.t (Milk2,n)", "m.child (2,mILK2)").changes());
        assertEquals("2.00", SHARDS.value("SELECT string_agg(child::text, ' ') FROM own.visit"));
    }

    @Test
    void partitionsOnBothSides() {
        SHARDS.product(List.of(TestingShards.table("m.t", "region,code", "name")),
                "CREATE TABLE m.t (region text, code ext.citext, name text, PRIMARY KEY (region, code)) PARTITION BY LIST (region)",
                "CREATE TABLE m.t_east PARTITION OF m.t FOR VALUES IN ('east')",
                "CREATE TABLE m.t_rest PARTITION OF m.t DEFAULT",
                "CREATE TABLE own.visit (id int, region text, code ext.citext, FOREIGN KEY (region, code) REFERENCES m.t ON DELETE SET "
                        + "NULL) PARTITION BY RANGE (id)",
                "CREATE TABLE own.visit_low PARTITION OF own.visit FOR VALUES FROM (0) TO (10)",
                "CREATE TABLE own.visit_rest PARTITION OF own.visit DEFAULT",
                "CREATE TABLE own.east (region text, code ext.citext, FOREIGN KEY (region, code) REFERENCES m.t_east ON DELETE CASCADE)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT CASE WHEN i % 2 = 0 THEN 'east' ELSE 'west' END, 'Milk' || i, 'n' "
                + "FROM generate_series(1, 20) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES (1, 'west', 'milk1'), (99, 'east', 'MILK2')",
                "INSERT INTO own.east VALUES ('east', 'mILK4')");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.t WHERE name = 'n' AND region IN ('east', 'west')");
        assertEquals(Map.of("m.t", "+0 ~0 -17 =3"), SHARDS.carry("m.t (west,Milk1,n)", "m.t (east,Milk2,n)", "m.t (east,Milk4,n)")
                .changes());
        assertEquals("(1,west,milk1) (99,east,MILK2) (east,mILK4)",
                SHARDS.value("SELECT (SELECT string_agg(v::text, ' ' ORDER BY id) FROM own.visit v) || ' ' || (SELECT "
                        + "string_agg(e::text, ' ') FROM own.east e)"));
    }

    /**
     * PostgreSQL checks the reference with the master's collation, but finds rows for the ON DELETE action with the visitor's: the
     * visitor's row would be affected by the deletion of any of the three.
     */
    @ParameterizedTest
    @ValueSource(strings = {"CASCADE", "SET NULL", "NO ACTION"})
    void everyRowThatTheVisitorsCollationFindsIsKept(String action) {
        SHARDS.product(List.of(TestingShards.table("m.t", "code", "name")),
                "CREATE TABLE m.t (code text COLLATE \"C\" PRIMARY KEY, name text)",
                "CREATE TABLE own.visit (code text COLLATE ext.ci REFERENCES m.t ON DELETE " + action + ")");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('Milk', '1'), ('milk', '2'), ('MILK', '3'), ('egg', '4')");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES ('milk')");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.t");
        assertEquals(Map.of("m.t", "+0 ~0 -1 =3"), SHARDS.carry("m.t (Milk,1)", "m.t (milk,2)", "m.t (MILK,3)").changes());
        assertEquals("milk", SHARDS.value("SELECT string_agg(code, ' ') FROM own.visit"));
    }

    /** Through the database's search path, operators and functions of the product take precedence over the server's. */
    @ParameterizedTest
    @ValueSource(strings = {"evil, pg_catalog", "evil, m, ext, pg_catalog, public", "\"$user\", evil, pg_catalog"})
    void operatorsOfTheProductDoNotDecide(String path) {
        SHARDS.product(List.of(TestingShards.table("m.t", "id", "code", "name"), TestingShards.table("m.u", "code", "facts")),
                "CREATE TABLE m.t (id int PRIMARY KEY, code text NOT NULL UNIQUE, name text)",
                "CREATE TABLE m.u (code text PRIMARY KEY, facts jsonb)",
                "CREATE TABLE own.visit (t int REFERENCES m.t ON DELETE CASCADE, code text REFERENCES m.t (code) ON DELETE SET NULL, u "
                        + "varchar REFERENCES m.u ON DELETE CASCADE)",
                "CREATE SCHEMA evil", "GRANT USAGE ON SCHEMA evil TO PUBLIC",
                "CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = textne)",
                "CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = int4ne)",
                "CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = int8ne)",
                "CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
                "CREATE OPERATOR evil.*<> (LEFTARG = record, RIGHTARG = record, FUNCTION = record_image_eq)",
                "CREATE OPERATOR evil.< (LEFTARG = text, RIGHTARG = text, FUNCTION = text_gt)",
                "CREATE OPERATOR evil.>= (LEFTARG = text, RIGHTARG = text, FUNCTION = text_lt)",
                "CREATE OPERATOR evil.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = int8lt)",
                "CREATE OPERATOR evil.> (LEFTARG = bigint, RIGHTARG = int, FUNCTION = int84lt)",
                "CREATE OPERATOR evil.>= (LEFTARG = bigint, RIGHTARG = int, FUNCTION = int84lt)",
                "CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = text_larger)",
                "CREATE AGGREGATE evil.count (*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '7')",
                "CREATE AGGREGATE evil.max (int) (SFUNC = int4smaller, STYPE = int)",
                "CREATE FUNCTION evil.md5(text) RETURNS text LANGUAGE sql AS 'SELECT ''same''::pg_catalog.text'",
                "CREATE FUNCTION evil.setval(regclass, int, boolean) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'",
                "CREATE FUNCTION evil.hashtextextended(text, int) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not this "
                        + "function''; END'",
                "CREATE FUNCTION evil.array_length(anyarray, int) RETURNS int LANGUAGE sql AS 'SELECT 0'",
                "CREATE DOMAIN evil.text AS pg_catalog.text CHECK (length(VALUE) < 2)");
        try {
            SHARDS.each("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = " + path + "', current_database()); END $$");
            SHARDS.reconnect();
            TestingShards.visit(SHARDS.source, "SET search_path = pg_catalog",
                    "INSERT INTO m.t SELECT i, 'c' || i, 'n' FROM generate_series(1, 300) i",
                    "INSERT INTO m.u SELECT 'c' || i, '{}' FROM generate_series(1, 300) i");
            SHARDS.carry();
            SHARDS.visit("SET search_path = pg_catalog", "INSERT INTO own.visit VALUES (1, 'c2', 'c3'), (4, NULL, NULL)");
            TestingShards.visit(SHARDS.source, "SET search_path = pg_catalog", "DELETE FROM m.t WHERE id < 6",
                    "DELETE FROM m.u WHERE code IN ('c3', 'c4')", "UPDATE m.t SET name = 'new' WHERE id = 9",
                    "INSERT INTO m.u VALUES ('new', '[]')");
            assertEquals(Map.of("m.t", "+0 ~1 -2 =3", "m.u", "+1 ~0 -1 =1"),
                    SHARDS.carry("m.t (1,c1,n)", "m.t (2,c2,n)", "m.t (4,c4,n)", "m.u (c3,{})").changes());
            assertEquals("(1,c2,c3)(4,,)", SHARDS.value("SELECT pg_catalog.string_agg(v::pg_catalog.text, '' ORDER BY t) FROM own.visit "
                    + "v"));
        } finally {
            SHARDS.each("DO $$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I RESET search_path', pg_catalog.current_database()); "
                    + "END $$");
            SHARDS.reconnect();
        }
    }
}
