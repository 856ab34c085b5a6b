package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.masterdata.engine.postgres.Sequences;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests identity columns, and sequences that follow the copied rows; if a sequence can't follow, the rows are copied nevertheless. */
class IdentityAndSequencesTest {
    private static final TestingShards SHARDS = new TestingShards();

    /** All kinds of changes to rows with identity columns. */
    @Test
    void anIdentityColumnOutsideTheKey() {
        SHARDS.product(List.of(TestingShards.table("m.ident", "code", "id", "name")),
                "CREATE TABLE m.ident (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE, name text)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.ident (code, name) SELECT 'C' || i, 'n' FROM generate_series(1, 300) i");
        SHARDS.carry();
        TestingShards.visit(SHARDS.source, "UPDATE m.ident SET name = 'changed' WHERE code = 'C1'");
        assertEquals(Map.of("m.ident", "+0 ~1 -0 =0"), SHARDS.carry().changes());
        TestingShards.visit(SHARDS.source, "UPDATE m.ident SET name = name || '!'", "DELETE FROM m.ident WHERE id = 5",
                "INSERT INTO m.ident (code) VALUES ('new')", "UPDATE m.ident SET name = NULL WHERE id = 6");
        assertEquals(Map.of("m.ident", "+1 ~299 -1 =0"), SHARDS.carry().changes());
        assertEquals("302", SHARDS.value("INSERT INTO m.ident (code) VALUES ('mine') RETURNING id"));
        SHARDS.visit("DELETE FROM m.ident WHERE code = 'mine'");
        assertEquals(Map.of("m.ident", "+1 ~299 -1 =0"), SHARDS.back(0).changes());
    }

    /**
     * A row that was deleted and inserted again at the source has another number. It gets that number here, too, and the rows that
     * refer to it by its key stay.
     */
    @Test
    void anIdentityValueThatChanges() {
        renumberedProduct("NO ACTION");
        assertEquals(Map.of("m.ident", "+0 ~2 -1 =0"), SHARDS.carry().changes());
        assertEquals("301 C7 again 5", SHARDS.value("SELECT id || ' ' || code || ' ' || name || ' ' || hint FROM m.ident WHERE code = "
                + "'C7'"));
        assertEquals("1", SHARDS.value("SELECT count(*) FROM own.visit"));
        assertEquals(Map.of("m.ident", "+1 ~2 -0 =0"), SHARDS.back(0).changes());
    }

    /**
     * The row can't be deleted and inserted again, because the visitor's row would be deleted, too. The message contains the statement that
     * helps.
     */
    @ParameterizedTest
    @ValueSource(strings = {"CASCADE", "SET NULL"})
    void anIdentityValueThatChangesUnderAKeyThatDeletes(String action) {
        renumberedProduct(action);
        String id = SHARDS.dump();
        var before = SHARDS.rows(SHARDS.follows);
        for (var target : SHARDS.targets()) {
            var refused = assertThrows(Fault.MergeConflict.class, () -> SHARDS.sync.restore(SHARDS.writer(target), id));
            assertEquals(before, SHARDS.rows(target));
            var statement = Pattern.compile("ALTER TABLE [^;]+;").matcher(refused.getMessage());
            assertTrue(statement.find(), refused.getMessage());
            TestingShards.visit(target, statement.group());
        }
        assertEquals(Map.of("m.ident", "+0 ~2 -1 =0"), SHARDS.carry().changes());
        assertEquals("C7", SHARDS.value("SELECT string_agg(code, ' ') FROM own.visit"));
    }

    private static void renumberedProduct(String action) {
        SHARDS.product(List.of(TestingShards.table("m.ident", "code", "id", "name")),
                "CREATE TABLE m.ident (id bigint GENERATED ALWAYS AS IDENTITY UNIQUE, code text PRIMARY KEY, name text, hint int "
                        + "GENERATED ALWAYS AS (length(name)) STORED)",
                "CREATE TABLE own.visit (code text REFERENCES m.ident ON DELETE " + action + ")");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.ident (code, name) SELECT 'C' || i, 'n' FROM generate_series(1, 300) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES ('C7')");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.ident WHERE code IN ('C7', 'C8', 'C9')",
                "INSERT INTO m.ident (code, name) VALUES ('C7', 'again'), ('C8', 'n')");
    }

    /** Visitors and tables of the data set refer to the identity column; their rows must never refer to another row. */
    @Test
    void anIdentityColumnThatIsReferredTo() {
        SHARDS.product(List.of(TestingShards.table("m.pair", "a,b", "note"),
                TestingShards.table("m.ident", "code", "id", "name", "parent")),
                "CREATE TABLE m.ident (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE, name text, parent "
                        + "bigint REFERENCES m.ident)",
                "CREATE TABLE m.pair (a bigint REFERENCES m.ident, b bigint REFERENCES m.ident, note text, PRIMARY KEY (a, b))",
                "CREATE TABLE own.visit (ident bigint REFERENCES m.ident ON DELETE CASCADE)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.ident (code, name, parent) SELECT 'C' || i, 'n', nullif(i / 2, 0) FROM "
                + "generate_series(1, 200) i", "INSERT INTO m.pair SELECT i, i + 1, 'n' FROM generate_series(1, 199) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit VALUES (7), (200)");
        TestingShards.visit(SHARDS.source, "UPDATE m.ident SET name = 'changed', parent = 1 WHERE id IN (7, 8, 9)",
                "DELETE FROM m.pair WHERE 200 IN (a, b) OR 199 IN (a, b)", "DELETE FROM m.ident WHERE id IN (200, 199)",
                "INSERT INTO m.ident (code, parent) VALUES ('new', 201)", "INSERT INTO m.pair VALUES (201, 1, 'new')");
        assertEquals(Map.of("m.ident", "+1 ~3 -1 =1", "m.pair", "+1 ~0 -2 =0"), SHARDS.carry("m.ident (C200,200,n,100)").changes());
        assertEquals("7 200", SHARDS.value("SELECT string_agg(ident::text, ' ' ORDER BY ident) FROM own.visit"));
    }

    @Test
    void identitiesOfEveryKindAtOnce() {
        SHARDS.product(List.of(TestingShards.table("m.t", "code", "a", "b"), TestingShards.table("m.small", "code", "id"),
                TestingShards.table("m.parts", "code,region", "id")),
                "CREATE TABLE m.t (code text PRIMARY KEY, a int GENERATED BY DEFAULT AS IDENTITY (START WITH 100 INCREMENT BY -1 "
                        + "MINVALUE -10000 MAXVALUE 1000), b bigserial)",
                "CREATE TABLE m.small (code text PRIMARY KEY, id smallint GENERATED ALWAYS AS IDENTITY (MINVALUE -5 START WITH -5))",
                "CREATE TABLE m.parts (code text, region text, id int GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (code, region)) "
                        + "PARTITION BY LIST (region)",
                "CREATE TABLE m.parts_all PARTITION OF m.parts DEFAULT");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t (code) SELECT 'C' || i FROM generate_series(1, 50) i",
                "INSERT INTO m.small (code) SELECT 'C' || i FROM generate_series(1, 50) i",
                "INSERT INTO m.parts (code, region) SELECT 'C' || i, 'r' || i % 3 FROM generate_series(1, 50) i");
        SHARDS.carry();
        TestingShards.visit(SHARDS.source, "UPDATE m.t SET a = a - 1000, b = b + 1000 WHERE code = 'C9'",
                "DELETE FROM m.small WHERE code = 'C9'", "INSERT INTO m.small (code) VALUES ('C9')",
                "DELETE FROM m.parts WHERE code = 'C9'", "INSERT INTO m.parts (code, region) VALUES ('C9', 'r0')");
        assertEquals(Map.of("m.t", "+0 ~1 -0 =0", "m.small", "+0 ~1 -0 =0", "m.parts", "+0 ~1 -0 =0"), SHARDS.carry().changes());
        assertEquals("-909 1010", SHARDS.value("INSERT INTO m.t (code) VALUES ('mine') RETURNING a || ' ' || b"));
        assertEquals("46", SHARDS.value("INSERT INTO m.small (code) VALUES ('mine') RETURNING id"));
        assertEquals("52", SHARDS.value("INSERT INTO m.parts (code, region) VALUES ('mine', 'r') RETURNING id"));
    }

    @Test
    void anImportUpdatesBesideAnIdentityColumn() {
        SHARDS.product(List.of(TestingShards.table("m.ident", "code", "id", "name")),
                "CREATE TABLE m.ident (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE, name text)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.ident (code, name) VALUES ('A', 'a'), ('B', 'b'), ('C', 'c')");
        for (boolean dryRun : List.of(true, false)) assertEquals("0 1 0",
                SHARDS.imported("m.ident", "code,id,name\nA,1,a\nB,2,bee\nC,3,c\n", dryRun));
        assertEquals("1 1 1", SHARDS.imported("m.ident", "id,name,code\n1,a,A\n2,bee,D\n30,see,C\n", false));
        assertEquals("1 A a, 2 D bee, 30 C see", TestingShards.value(SHARDS.source,
                "SELECT string_agg(id || ' ' || code || ' ' || name, ', ' ORDER BY id) FROM m.ident"));
        assertEquals("31", TestingShards.value(SHARDS.source, "INSERT INTO m.ident (code) VALUES ('next') RETURNING id"));
    }

    /**
     * Sequences that can't return a value after the highest of the copied rows, each with its own table {@code m.t}; the writer
     * may not use the last one.
     */
    private static final List<String> CANNOT_FOLLOW = List.of("CREATE SEQUENCE m.s MAXVALUE 999 OWNED BY m.t.id",
            "CREATE SEQUENCE m.s MINVALUE -20 MAXVALUE -10 INCREMENT -1 OWNED BY m.t.id",
            "CREATE SEQUENCE m.s MAXVALUE 500 CYCLE OWNED BY m.t.id", "CREATE SEQUENCE m.s AS smallint MAXVALUE 100 OWNED BY m.t.id",
            "CREATE SEQUENCE m.s OWNED BY m.t.name", "CREATE SEQUENCE m.s OWNED BY m.t.at",
            "CREATE SEQUENCE m.s OWNED BY m.t.ratio", "CREATE SEQUENCE m.s OWNED BY m.t.amount",
            "CREATE SEQUENCE m.s MAXVALUE 999; ALTER TABLE m.t ALTER id SET DEFAULT nextval('m.s')",
            "CREATE SEQUENCE m.s MINVALUE 20000 START 20000 OWNED BY m.t.id", "CREATE SEQUENCE m.s OWNED BY m.t.id");

    private static String[] eachTable(String statement) {
        return IntStream.range(0, CANNOT_FOLLOW.size()).mapToObj(n -> statement.replace("m.t", "m.t" + n)).toArray(String[]::new);
    }

    private static Map<String, String> every(String changes) {
        return IntStream.range(0, CANNOT_FOLLOW.size()).boxed().collect(Collectors.toMap(n -> "m.t" + n, n -> changes));
    }

    @Test
    void aSequenceThatCannotFollowDoesNotStopASync() {
        var ddl = new ArrayList<>(List.of(eachTable("CREATE TABLE m.t (id smallint PRIMARY KEY, name text, at timestamptz, ratio double "
                + "precision, amount numeric)")));
        for (int n = 0; n < CANNOT_FOLLOW.size(); n++) ddl.add(CANNOT_FOLLOW.get(n).replace("m.s", "m.s" + n).replace("m.t", "m.t" + n));
        SHARDS.product(IntStream.range(0, CANNOT_FOLLOW.size()).mapToObj(n -> TestingShards.table("m.t" + n, "id", "name", "at", "ratio",
                "amount")).toList(), ddl.toArray(String[]::new));
        SHARDS.each("REVOKE ALL ON SEQUENCE m.s" + (CANNOT_FOLLOW.size() - 1) + " FROM " + TestingShards.WRITER);
        TestingShards.visit(SHARDS.source, eachTable("INSERT INTO m.t VALUES (1, 'mg', 'infinity', 'NaN', 1e30), (2, 'g', now(), "
                + "'-Infinity', 'NaN')"));
        SHARDS.carry();
        TestingShards.visit(SHARDS.source, eachTable("INSERT INTO m.t VALUES (9999, 'other', '2026-01-01', 'Infinity', 'Infinity')"));
        var carried = SHARDS.carry();
        assertEquals(every("+1 ~0 -0 =0"), carried.changes());
        for (var result : carried.results()) {
            int n = Integer.parseInt(result.name().substring("m.t".length()));
            if (n == 9) assertEquals(List.of(), result.warnings());
            if (List.of(0, 2, 3, 4, 5, 8, 10).contains(n))
                assertTrue(result.warnings().stream().anyMatch(w -> w.contains("m.s" + n + " ") && w.contains(result.name())),
                        CANNOT_FOLLOW.get(n) + ": " + result.warnings());
        }
        TestingShards.visit(SHARDS.source, eachTable("DELETE FROM m.t WHERE id = 2"));
        TestingShards.visit(SHARDS.source, eachTable("UPDATE m.t SET id = -9999 WHERE id = 1"));
        assertEquals(every("+1 ~0 -2 =0"), SHARDS.carry().changes());
        assertEquals("20000", SHARDS.value("SELECT nextval('m.s9')"));
    }

    /** Descending sequences, other increments, and a sequence that two tables share: the next value is not in use. */
    @ParameterizedTest
    @ValueSource(strings = {"CREATE SEQUENCE m.s INCREMENT -1 OWNED BY m.t.id; -1; -100; -101",
            "CREATE SEQUENCE m.s INCREMENT 10 OWNED BY m.t.id; 1; 101; 111", "CREATE SEQUENCE m.s CACHE 20 OWNED BY m.t.id; 1; 100; 101",
            "CREATE SEQUENCE m.\"S.1 {key}\" OWNED BY m.t.id; 1; 100; 101"})
    void aSequenceThatCanFollowDoes(String given) {
        var parts = given.split("; ");
        SHARDS.product(List.of(TestingShards.table("m.t", "id")), "CREATE TABLE m.t (id int PRIMARY KEY)", parts[0]);
        TestingShards.visit(SHARDS.source, "INSERT INTO m.t VALUES (" + parts[1] + "), (" + parts[2] + ")");
        SHARDS.carry();
        String name = parts[0].contains("{key}") ? "m.\"S.1 {key}\"" : "m.s";
        assertEquals(parts[3], SHARDS.value("SELECT nextval('" + name + "')"));
    }
}
