package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests that keys that are equal but differ as text identify the same row: an update brings the source's spelling, and rows that refer
 * to it stay.
 */
@Tag("nightly")
class EqualKeysTest {
    private static final TestingShards SHARDS = new TestingShards("CREATE EXTENSION citext SCHEMA ext", "CREATE EXTENSION cube SCHEMA ext",
            "CREATE COLLATION ext.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
            "CREATE COLLATION ext.no_accents (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
            "CREATE DOMAIN ext.amount AS numeric CHECK (VALUE > 0)",
            "CREATE DOMAIN ext.small_amount AS ext.amount", "CREATE DOMAIN ext.code AS ext.citext",
            "CREATE DOMAIN ext.ci_text AS text COLLATE ext.ci", "CREATE DOMAIN ext.padded AS bpchar",
            "CREATE TYPE ext.pair AS (a numeric, b text)", "CREATE TYPE ext.float_range AS RANGE (SUBTYPE = numeric)",
            "CREATE TYPE ext.ci_range AS RANGE (SUBTYPE = text, COLLATION = ext.ci)");

    /** The SQL for the key of row {@code i}, before and after its spelling changes. */
    private record Key(String type, String before, String after) {}

    private static final Map<String, List<Key>> FAMILIES = Map.of(
            "text", List.of(
                    new Key("text COLLATE ext.ci", "'Abc' || i", "'ABC' || i"),
                    new Key("text COLLATE ext.no_accents", "'résumé ' || i", "'Resume ' || i"),
                    new Key("varchar(20) COLLATE ext.ci", "'Abc' || i", "'ABC' || i"),
                    new Key("ext.ci_text", "'Abc' || i", "'aBC' || i"),
                    new Key("ext.citext", "'Abc' || i", "'ABC' || i"),
                    new Key("ext.code", "'Abc' || i", "'ABC' || i"),
                    new Key("bpchar", "'a' || i", "'a' || i || '   '"),
                    new Key("ext.padded", "'a' || i || ' '", "'a' || i"),
                    new Key("char(6) COLLATE ext.ci", "'Abc' || i", "'ABC' || i")),
            "numbers", List.of(
                    new Key("numeric", "i", "i * 1.00"),
                    new Key("numeric", "i * 1.500", "i * 1.5"),
                    new Key("ext.amount", "i", "i * 1.0"),
                    new Key("ext.small_amount", "i * 1.0", "i"),
                    new Key("double precision", "(2 - i)::double precision", "CASE WHEN i = 2 THEN '-0'::double precision ELSE 2 - i END"),
                    new Key("real", "CASE WHEN i = 2 THEN '-0'::real ELSE i END", "CASE WHEN i = 2 THEN 0 ELSE i END"),
                    new Key("interval", "i * interval '1 day'", "i * interval '24 hours'"),
                    new Key("interval", "i * interval '30 days'", "i * interval '1 month'"),
                    new Key("ext.cube", "ext.cube(CASE WHEN i = 2 THEN '-0'::double precision ELSE i END)",
                            "ext.cube(CASE WHEN i = 2 THEN 0 ELSE i END)")),
            "containers", List.of(
                    new Key("jsonb", "jsonb_build_object('n', i * 1.0)", "jsonb_build_object('n', i * 1.00)"),
                    new Key("numrange", "numrange(i, i + 1)", "numrange(i * 1.0, (i + 1) * 1.00)"),
                    new Key("nummultirange", "nummultirange(numrange(i, i + 1))", "nummultirange(numrange(i * 1.0, i + 1))"),
                    new Key("ext.float_range", "ext.float_range(i, i + 0.5)", "ext.float_range(i * 1.0, i + 0.50)"),
                    new Key("ext.ci_range", "ext.ci_range('a' || i, 'z')", "ext.ci_range('A' || i, 'Z')"),
                    new Key("numeric[]", "ARRAY[i * 1.0, NULL]", "ARRAY[i::numeric, NULL]"),
                    new Key("text[] COLLATE ext.ci", "ARRAY['Abc' || i]", "ARRAY['ABC' || i]"),
                    new Key("ext.citext[]", "ARRAY['Abc' || i]", "ARRAY['ABC' || i]"),
                    new Key("ext.amount[]", "ARRAY[i * 1.0]", "ARRAY[i * 1.00]"),
                    new Key("double precision[]", "ARRAY[i, 0]", "ARRAY[i, '-0'::double precision]"),
                    new Key("ext.pair", "ROW(i * 1.0, 'x')::ext.pair", "ROW(i, 'x')::ext.pair")));

    private static String[] forEach(List<Key> keys, IntFunction<String> statement) {
        return IntStream.range(0, keys.size()).mapToObj(statement).toArray(String[]::new);
    }

    private static Map<String, String> every(List<Key> keys, String parents, String children) {
        var changes = IntStream.range(0, keys.size()).boxed().collect(Collectors.toMap(n -> "m.t" + n, n -> parents));
        IntStream.range(0, keys.size()).forEach(n -> changes.put("m.c" + n, children));
        return changes;
    }

    @ParameterizedTest
    @ValueSource(strings = {"text", "numbers", "containers"})
    void anotherSpellingIsOneUpdate(String family) {
        var keys = FAMILIES.get(family);
        var tables = new ArrayList<Table>();
        var ddl = new ArrayList<String>();
        for (int n = 0; n < keys.size(); n++) {
            tables.add(TestingShards.table("m.c" + n, "id", "k"));
            tables.add(TestingShards.table("m.t" + n, "k", "id", "name"));
            ddl.add("CREATE TABLE m.t" + n + " (id int NOT NULL, k " + keys.get(n).type() + " PRIMARY KEY, name text)");
            ddl.add("CREATE TABLE m.c" + n + " (id int PRIMARY KEY, k " + keys.get(n).type() + " REFERENCES m.t" + n + ")");
            ddl.add("CREATE TABLE own.visit" + n + " (id int PRIMARY KEY, k " + keys.get(n).type() + " REFERENCES m.t" + n
                    + " ON DELETE CASCADE)");
        }
        SHARDS.product(tables, ddl.toArray(String[]::new));
        TestingShards.visit(SHARDS.source, forEach(keys, n -> "INSERT INTO m.t" + n + " SELECT i, " + keys.get(n).before()
                + ", 'n' FROM generate_series(1, 4) i"));
        TestingShards.visit(SHARDS.source, forEach(keys, n -> "INSERT INTO m.c" + n + " SELECT id, k FROM m.t" + n + " WHERE id < 4"));
        SHARDS.carry();
        SHARDS.visit(forEach(keys, n -> "INSERT INTO own.visit" + n + " SELECT i, " + keys.get(n).before()
                + " FROM generate_series(1, 3) i"));
        String visitors = IntStream.range(0, keys.size()).mapToObj(n -> "SELECT '" + n + " ' || v::text AS row FROM own.visit" + n + " v")
                .collect(Collectors.joining(" UNION ALL ", "SELECT string_agg(row, chr(10) ORDER BY row COLLATE \"C\") FROM (", ") rows"));
        String before = SHARDS.value(visitors);

        TestingShards.visit(SHARDS.source, forEach(keys, n -> "UPDATE m.t" + n + " SET k = r.k FROM (SELECT " + keys.get(n).after()
                + " AS k FROM generate_series(2, 2) i) r WHERE id = 2"));
        assertEquals(every(keys, "+0 ~1 -0 =0", "+0 ~0 -0 =0"), SHARDS.carry().changes());
        assertEquals(before, SHARDS.value(visitors));

        // deleted and inserted with another spelling and other values; a child has its parent's spelling
        TestingShards.visit(SHARDS.source, forEach(keys, n -> "DELETE FROM m.t" + n + " WHERE id = 4"));
        TestingShards.visit(SHARDS.source, forEach(keys, n -> "INSERT INTO m.t" + n + " SELECT i, " + keys.get(n).after()
                + ", 'new' FROM generate_series(4, 4) i"));
        TestingShards.visit(SHARDS.source, forEach(keys, n -> "UPDATE m.c" + n + " c SET k = t.k FROM m.t" + n
                + " t WHERE c.id = 2 AND t.id = 2"));
        assertEquals(every(keys, "+0 ~1 -0 =0", "+0 ~1 -0 =0"), SHARDS.carry().changes());
        assertEquals(before, SHARDS.value(visitors));
        assertEquals(every(keys, "+0 ~2 -0 =0", "+0 ~1 -0 =0"), SHARDS.back(0).changes());
        assertEquals(before, SHARDS.value(visitors));
    }

    /** There are enough keys for several ranges, which begin at keys that change their spelling. */
    @ParameterizedTest
    @ValueSource(strings = {"text COLLATE ext.ci", "ext.citext", "numeric", "ext.pair"})
    void manyKeysAtOnce(String type) {
        SHARDS.product(List.of(TestingShards.table("m.t", "k", "v")), "CREATE TABLE m.t (k " + type + " PRIMARY KEY, v int)",
                "CREATE TABLE own.visit (k " + type + " REFERENCES m.t)");
        boolean text = type.contains("ci");
        String before = text ? "'key ' || md5(i::text)" : type.equals("numeric") ? "i" : "ROW(i, 'x')::ext.pair";
        String after = text ? "upper(k::text)" : type.equals("numeric") ? "k * 1.0" : "ROW((k).a * 1.0, 'x')::ext.pair";
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT " + before + ", i FROM generate_series(1, 600) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit SELECT k FROM m.t WHERE v % 2 = 0");
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET k = " + after + " WHERE v % 60 = 0", "UPDATE m.t SET v = -v WHERE v % 100 = 7");
        assertEquals(Map.of("m.t", "+0 ~16 -0 =0"), SHARDS.carry().changes());
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET k = " + after + (type.equals("numeric")
                || type.equals("ext.pair") ? "" : " || '  '::text") + " WHERE v % 60 <> 0",
                text ? "UPDATE m.t SET k = upper(rtrim(k::text))" : "UPDATE m.t SET v = v");
        assertEquals(Map.of("m.t", "+0 ~590 -0 =0"), SHARDS.carry().changes());
        assertEquals("300", SHARDS.value("SELECT count(*) FROM own.visit"));
        assertEquals(Map.of("m.t", "+0 ~600 -0 =0"), SHARDS.back(0).changes());
    }

    @Test
    void oneColumnOfSeveral() {
        SHARDS.product(List.of(TestingShards.table("m.t", "region,k,at", "v")),
                "CREATE TABLE m.t (region int, k ext.citext, at numeric, v int, PRIMARY KEY (at, region, k))",
                "CREATE TABLE own.visit (at numeric, region int, k ext.citext, FOREIGN KEY (at, region, k) REFERENCES m.t)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT i % 3, 'Abc' || i, i, i FROM generate_series(1, 9) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES (4.00, 1, 'ABC4')");
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET k = upper(k::text) WHERE v = 4", "UPDATE m.t SET at = 5.0 WHERE v = 5",
                "UPDATE m.t SET region = 7 WHERE v = 6");
        assertEquals(Map.of("m.t", "+1 ~2 -1 =0"), SHARDS.carry().changes());
        assertEquals("(4.00,1,ABC4)", SHARDS.value("SELECT string_agg(v::text, ' ') FROM own.visit v"));
    }

    @Test
    void collationsOfAKeysColumnsMayDiffer() {
        SHARDS.product(List.of(TestingShards.table("m.t", "k,region,code", "v")),
                "CREATE TABLE m.t (k text COLLATE ext.ci, region name, code text COLLATE ext.no_accents, v int, PRIMARY KEY (k, region, "
                        + "code))",
                "CREATE TABLE own.visit (k text COLLATE ext.ci, region name, code text COLLATE ext.no_accents,"
                        + " FOREIGN KEY (k, region, code) REFERENCES m.t ON DELETE CASCADE)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t SELECT 'Abc' || i, 'r', 'é' || i, i FROM generate_series(1, 9) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES ('aBC4', 'r', 'e4')");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.t WHERE v IN (4, 5)", "UPDATE m.t SET code = 'E6' WHERE v = 6");
        assertEquals(Map.of("m.t", "+0 ~1 -1 =1"), SHARDS.carry("m.t (Abc4,r,é4,4)").changes());
        assertEquals(Map.of("m.t", "+1 ~1 -0 =0"), SHARDS.back(0).changes());
    }

    /** For example timetz, of which equal values have equal text. */
    @Test
    void anotherSpellingThatIsNotEqualIsAnotherRow() {
        SHARDS.product(List.of(TestingShards.table("m.t", "k", "v")), "CREATE TABLE m.t (k timetz PRIMARY KEY, v int)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('12:00+00', 1), ('13:00+00', 2)");
        SHARDS.carry();
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET k = '14:00+02' WHERE v = 1");
        assertEquals(Map.of("m.t", "+1 ~0 -1 =0"), SHARDS.carry().changes());
    }

    /** A foreign key cascades the new spelling to rows that have another spelling at the source, in the same table and in another one. */
    @Test
    void aKeyThatCarriesItsSpellingOn() {
        SHARDS.product(List.of(TestingShards.table("m.c", "id", "k"), TestingShards.table("m.t", "k", "up")),
                "CREATE TABLE m.t (k ext.citext PRIMARY KEY, up ext.citext REFERENCES m.t ON UPDATE CASCADE)",
                "CREATE TABLE m.c (id int PRIMARY KEY, k ext.citext REFERENCES m.t ON UPDATE CASCADE)",
                "CREATE TABLE own.visit (k ext.citext REFERENCES m.t ON UPDATE CASCADE)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('Abc', NULL), ('child', 'abc'), ('other', 'child')",
                "INSERT INTO m.c VALUES (1, 'ABC'), (2, 'abc')");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES ('ABC')");
        TestingShards.visit(SHARDS.source, "SET search_path = ext, public", "UPDATE m.t SET k = 'aBC' WHERE k = 'abc'",
                "UPDATE m.t SET up = 'ABC' WHERE k = 'child'", "UPDATE m.c SET k = 'Abc' WHERE id = 1");
        // a dry run can't predict which rows the foreign key changes
        String id = SHARDS.dump();
        for (var target : SHARDS.targets()) {
            SHARDS.sync.restore(SHARDS.writer(target), id);
            SHARDS.assertHolds(target, SHARDS.rows(SHARDS.source));
        }
        assertEquals("aBC", SHARDS.value("SELECT string_agg(k::text, ' ') FROM own.visit"));
    }

    @Test
    void aKeptRowThatComesBackSpelledDifferently() {
        SHARDS.product(List.of(TestingShards.table("m.t", "k", "v")), "CREATE TABLE m.t (k text COLLATE ext.ci PRIMARY KEY, v int)",
                "CREATE TABLE own.visit (k text COLLATE ext.ci REFERENCES m.t ON DELETE CASCADE)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('Abc', 1), ('Def', 2)");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES ('abc')");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.t WHERE v = 1");
        assertEquals(Map.of("m.t", "+0 ~0 -0 =1"), SHARDS.carry("m.t (Abc,1)").changes());
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('ABC', 1)");
        assertEquals(Map.of("m.t", "+0 ~1 -0 =0"), SHARDS.carry().changes());
        assertEquals("abc", SHARDS.value("SELECT string_agg(k, ' ') FROM own.visit"));
        TestingShards.visit(SHARDS.source, "DELETE FROM m.t WHERE v = 1");
        assertEquals(Map.of("m.t", "+0 ~0 -0 =1"), SHARDS.carry("m.t (ABC,1)").changes());
        // a visitor changes the spelling of the kept row, which stays kept
        SHARDS.visit("UPDATE m.t SET k = 'aBc' WHERE v = 1");
        assertEquals(Map.of("m.t", "+0 ~0 -0 =1"), SHARDS.carry("m.t (aBc,1)").changes());
        SHARDS.visit("DELETE FROM own.visit");
        assertEquals(Map.of("m.t", "+0 ~0 -1 =0"), SHARDS.carry().changes());
    }

    @Test
    void aTargetThatSpelledAKeyDifferentlyIsRepaired() {
        SHARDS.product(List.of(TestingShards.table("m.t", "k", "v")), "CREATE TABLE m.t (k ext.citext PRIMARY KEY, v int)",
                "CREATE TABLE own.visit (k ext.citext REFERENCES m.t)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('Abc', 1), ('Def', 2)");
        String id = SHARDS.dump();
        for (var target : SHARDS.targets()) SHARDS.sync.restore(SHARDS.writer(target), id);
        SHARDS.visit("UPDATE m.t SET k = 'ABC' WHERE v = 1", "INSERT INTO own.visit VALUES ('abc')", "SELECT pg_stat_force_next_flush()");
        var repaired = SHARDS.sync.restore(SHARDS.writer(SHARDS.follows), id, Mode.REPAIR);
        assertEquals(Map.of("m.t", "+0 ~1 -0 =0"), TestingShards.changes(repaired));
        SHARDS.assertHolds(SHARDS.follows, SHARDS.rows(SHARDS.source));
    }

    /** The keys are equal according to the index, which identifies rows, but not according to the column's collation. */
    @Test
    void aUniqueIndexWhoseCollationIsLaxerThanTheColumns() {
        SHARDS.product(List.of(TestingShards.table("m.t", "k", "v")), "CREATE TABLE m.t (k text NOT NULL, v int)",
                "CREATE UNIQUE INDEX ON m.t (k COLLATE ext.ci)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('Abc', 1), ('Def', 2)");
        SHARDS.carry();
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET k = 'ABC' WHERE v = 1", "DELETE FROM m.t WHERE v = 2",
                "INSERT INTO m.t VALUES ('dEF', 3)");
        assertEquals(Map.of("m.t", "+0 ~2 -0 =0"), SHARDS.carry().changes());
        assertEquals(Map.of("m.t", "+0 ~2 -0 =0"), SHARDS.back(0).changes());
    }

    /** The keys differ according to the index, but are equal according to their type's operator or the column's collation. */
    @ParameterizedTest
    @ValueSource(strings = {"text COLLATE ext.ci; k COLLATE \"C\"; 'Abc'; 'ABC'; 'aBC'",
            "ext.pair; k record_image_ops; ROW(1,'x')::ext.pair; ROW(1.0,'x')::ext.pair; ROW(1.00,'x')::ext.pair",
            "varchar COLLATE ext.no_accents; k COLLATE \"und-x-icu\"; 'resume'; 'résumé'; 'Resume'"})
    void aUniqueIndexThatIsStricterThanTheColumn(String given) {
        var parts = given.split("; ");
        SHARDS.product(List.of(TestingShards.table("m.t", "k", "v")), "CREATE TABLE m.t (k " + parts[0] + " NOT NULL, v int)",
                "CREATE UNIQUE INDEX ON m.t (" + parts[1] + ")");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES (" + parts[2] + ", 1), (" + parts[3] + ", 2)");
        SHARDS.carry();
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET v = v + 10", "INSERT INTO m.t VALUES (" + parts[4] + ", 3)");
        assertEquals(Map.of("m.t", "+1 ~2 -0 =0"), SHARDS.carry().changes());
        TestingShards.visit(SHARDS.source, "DELETE FROM m.t WHERE v = 11");
        assertEquals(Map.of("m.t", "+0 ~0 -1 =0"), SHARDS.carry().changes());
        assertEquals(Map.of("m.t", "+1 ~1 -1 =0"), SHARDS.back(0).changes());
    }

    @Test
    void aRowOfTheShardsOwnWithAnEqualKeyIsNotOverwritten() {
        SHARDS.product(List.of(new Table("m.t", List.of("k", "v"), List.of("k"), Optional.of("v > 0"))),
                "CREATE TABLE m.t (k text COLLATE ext.ci PRIMARY KEY, v int)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('Abc', 1)");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO m.t VALUES ('Mine', -1)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('MINE', 2)");
        String id = SHARDS.dump();
        for (var target : SHARDS.targets()) {
            var refused = assertThrows(Fault.MergeConflict.class, () -> SHARDS.sync.restore(SHARDS.writer(target), id));
            assertTrue(refused.getMessage().contains("(Mine)"), refused.getMessage());
        }
        assertEquals("Abc 1, Mine -1", SHARDS.value("SELECT string_agg(k || ' ' || v, ', ' ORDER BY v DESC) FROM m.t"));
    }

    @Test
    void anImportBringsTheFilesSpelling() {
        SHARDS.product(List.of(TestingShards.table("m.t", "code", "name"), TestingShards.table("m.u", "code", "name")),
                "CREATE TABLE m.t (code text COLLATE ext.ci PRIMARY KEY, name text)",
                "CREATE TABLE m.u (code numeric PRIMARY KEY, name text)",
                "CREATE TABLE own.visit (code text COLLATE ext.ci REFERENCES m.t ON DELETE CASCADE)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES ('Abc', '1'), ('Def', '2')",
                "INSERT INTO m.u VALUES (7, '1'), (8, '2')", "INSERT INTO own.visit VALUES ('aBC')");
        for (boolean dryRun : List.of(true, false)) {
            assertEquals("0 1 0", SHARDS.imported("m.t", "code,name\nABC,1\nDef,2\n", dryRun));
            assertEquals("0 1 0", SHARDS.imported("m.u", "code,name\n7.00,1\n8,2\n", dryRun));
        }
        assertEquals("ABC 1, Def 2", TestingShards.value(SHARDS.source,
                "SELECT string_agg(code || ' ' || name, ', ' ORDER BY name) FROM m.t"));
        assertEquals("7.00 8", TestingShards.value(SHARDS.source, "SELECT string_agg(code::text, ' ' ORDER BY name) FROM m.u"));
        assertEquals("aBC", TestingShards.value(SHARDS.source, "SELECT string_agg(code, ' ') FROM own.visit"));
    }
}
