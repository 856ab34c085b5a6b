package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lockstep.landscape.Table;
import org.junit.jupiter.api.Test;

/** Tests that all names that PostgreSQL accepts work for schemas, tables and columns, and all values as keys. */
class NamesTest {
    private static final TestingShards SHARDS = new TestingShards();
    /** Names that Lockstep's own SQL uses, placeholders, reserved words, and other unusual names. */
    private static final List<String> COLUMNS = List.of("n", "t", "s", "g", "k", "c", "p", "m", "o", "f", "x", "d", "q", "r", "w", "v",
            "i", "b", "e", "l", "key", "table", "own", "rows", "row", "hash", "place", "highest",
            "numbered", "count", "last_value", "is_called", "data_set", "table_name", "lockstep_kept", "lockstep_record", "staging",
            "fresh", "gone", "moved", "condition", "record", "{key}", "{table}", "{n}", "{columns}", "select", "größe",
            "a b", "a\"b", "a.b", "a,b", "A", "user", "order", "end", "null", "true", "current_date", "ctid_", "?", "$1", "'", "%s", "\\",
            "列", "🙂", "x".repeat(63));

    private static List<String> quoted(List<String> names, String suffix) {
        return names.stream().map(n -> TestingShards.quoted(n) + suffix).toList();
    }

    /** Uses every name in a key of three columns, in a foreign key, and in another column. */
    @Test
    void columns() {
        var tables = new ArrayList<Table>();
        var ddl = new ArrayList<String>();
        var rows = new ArrayList<String>();
        var changes = new ArrayList<String>();
        for (int at = 0; at < COLUMNS.size(); at += 3) {
            var key = COLUMNS.subList(at, Math.min(at + 3, COLUMNS.size()));
            var others = IntStream.of(3, 4, 5).map(by -> (by + key.size() + COLUMNS.indexOf(key.getFirst())) % COLUMNS.size())
                    .mapToObj(COLUMNS::get).filter(c -> !key.contains(c)).distinct().toList();
            String name = "m.t" + tables.size();
            tables.add(new Table(name, Stream.concat(key.stream(), others.stream()).toList(), key, Optional.empty()));
            String keys = String.join(", ", quoted(key, ""));
            ddl.add("CREATE TABLE " + name + " (" + String.join(", ", quoted(key, " text")) + ", " + String.join(", ",
                    quoted(others, " text")) + ", PRIMARY KEY (" + keys + "), UNIQUE (" + String.join(", ", quoted(others, "")) + "))");
            ddl.add("CREATE TABLE own." + name.substring(2) + " (" + String.join(", ", quoted(key, " text")) + ", FOREIGN KEY (" + keys
                    + ") REFERENCES " + name + " ON DELETE CASCADE)");
            rows.add("INSERT INTO " + name + " SELECT " + "'key of some length ' || i, ".repeat(key.size())
                    + "'other ' || i, ".repeat(others.size()).replaceFirst(", $", "") + " FROM generate_series(1, 120) i");
            String first = TestingShards.quoted(key.getFirst());
            String other = TestingShards.quoted(others.getFirst());
            changes.add("DELETE FROM " + name + " WHERE " + first + " IN ('key of some length 7', 'key of some length 8')");
            changes.add("UPDATE " + name + " SET " + other + " = 'changed ' || " + first + " WHERE " + first
                    + " IN ('key of some length 70', 'key of some length 80')");
            changes.add("INSERT INTO " + name + " SELECT " + "'new', ".repeat(key.size()) + "'new', ".repeat(others.size())
                    .replaceFirst(", $", ""));
        }
        SHARDS.product(tables, ddl.toArray(String[]::new));
        TestingShards.visit(SHARDS.source, rows.toArray(String[]::new));
        SHARDS.carry();
        SHARDS.visit(IntStream.range(0, tables.size()).mapToObj(n -> "INSERT INTO own.t" + n + " SELECT " + String.join(", ",
                quoted(tables.get(n).key(), "")) + " FROM m.t" + n + " WHERE "
                + TestingShards.quoted(tables.get(n).key().getFirst()) + " = 'key of some length 7'").toArray(String[]::new));
        var kept = SHARDS.rows(SHARDS.follows).stream().filter(r -> r.contains("\"key of some length 7\"")).toArray(String[]::new);
        assertEquals(tables.size(), kept.length);
        TestingShards.visit(SHARDS.source, changes.toArray(String[]::new));
        assertEquals(every(tables, "+1 ~2 -1 =1"), SHARDS.carry(kept).changes());
        assertEquals(every(tables, "+1 ~2 -1 =0"), SHARDS.back(0).changes());
    }

    private static Map<String, String> every(List<Table> tables, String changes) {
        return tables.stream().collect(Collectors.toMap(Table::name, t -> changes));
    }

    /** A table with ranges of single rows. */
    @Test
    void aKeyColumnNamedN() {
        SHARDS.product(List.of(TestingShards.table("m.numbers", "n")), "CREATE TABLE m.numbers (n int PRIMARY KEY)");
        TestingShards.visit(SHARDS.source, "INSERT INTO m.numbers SELECT generate_series(1, 3000)");
        SHARDS.carry();
        TestingShards.visit(SHARDS.source, "DELETE FROM m.numbers WHERE n % 1000 = 3", "INSERT INTO m.numbers VALUES (-1)");
        assertEquals(Map.of("m.numbers", "+1 ~0 -3 =0"), SHARDS.carry().changes());
    }

    private static final List<String> VALUES = List.of("{table_name}", "{key}", "{table}", "{n}", "{condition}", "{{key}}", "{", "}", "$1",
            "$$", "%s", "%I", "?", "??", ":name", "'", "''", "\\", "\\\\", "\\N", "\\.", "\\'", "\"", ",", "(", ")", "NULL", "", " ",
            "\t", "\n", "\r\n", "--", "/*", ";", "é", "e\u0301", "薬", "🙂", "\u0001", "key", "a'); DROP TABLE m.template; --");

    private static String literal(String value) {
        return "'" + value.replace("'", "''") + "'";
    }

    /** Unusual text as keys at which ranges begin, in deltas, and as keys of kept rows. */
    @Test
    void values() {
        SHARDS.product(List.of(TestingShards.table("m.template", "code", "body"), TestingShards.table("m.pair", "a,b", "body"),
                TestingShards.table("m.bare", "code")), "CREATE TABLE m.template (code text PRIMARY KEY, body text)",
                "CREATE TABLE m.pair (a varchar, b text COLLATE \"C\", body text, PRIMARY KEY (a, b))",
                "CREATE TABLE m.bare (code text PRIMARY KEY)", "CREATE TABLE own.visit (code text REFERENCES m.template ON DELETE CASCADE)",
                "CREATE TABLE own.pair (a text, b text, FOREIGN KEY (a, b) REFERENCES m.pair ON DELETE SET NULL)");
        for (String value : VALUES)
            TestingShards.visit(SHARDS.source, "INSERT INTO m.template SELECT " + literal(value)
                    + " || nullif(g, 0), repeat('x', 100) FROM generate_series(1, 9) g",
                    "INSERT INTO m.pair SELECT " + literal(value) + ", CASE g WHEN 1 THEN " + literal(value)
                            + " ELSE g::text END, repeat('x', 100) FROM generate_series(1, 9) g",
                    "INSERT INTO m.bare VALUES (" + literal(value)
                            + ")");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO own.visit SELECT code FROM m.template WHERE code LIKE '%3'",
                "INSERT INTO own.pair SELECT a, b FROM m.pair WHERE b = '3'");
        TestingShards.visit(SHARDS.source, "DELETE FROM m.template WHERE code LIKE '%3' OR code LIKE '%4'",
                "UPDATE m.template SET body = code WHERE code LIKE '%5'", "DELETE FROM m.pair WHERE b = '3' OR a = b",
                "UPDATE m.pair SET body = a WHERE b = '6'");
        int n = VALUES.size();
        var kept = SHARDS.rows(SHARDS.follows).stream().filter(r -> r.startsWith("m.template") ? r.matches("(?s).*3\"?,x+\\)")
                : r.startsWith("m.pair") && r.matches("(?s).*,3,x+\\)")).toArray(String[]::new);
        assertEquals(2 * n, kept.length);
        assertEquals(Map.of("m.template", "+0 ~" + n + " -" + n + " =" + n, "m.pair", "+0 ~" + n + " -" + n + " =" + n, "m.bare",
                "+0 ~0 -0 =0"), SHARDS.carry(kept).changes());
        assertEquals(n + " " + n, SHARDS.value("SELECT (SELECT count(*) FROM own.visit) || ' ' || (SELECT count(*) FROM own.pair WHERE a "
                + "IS NOT NULL)"));
        TestingShards.visit(SHARDS.source, "INSERT INTO m.template SELECT code || '3', code FROM m.bare",
                "DELETE FROM m.bare WHERE code IN ('', '{key}', '''', '\\')");
        assertEquals(Map.of("m.template", "+0 ~" + n + " -0 =0", "m.pair", "+0 ~0 -0 =" + n, "m.bare", "+0 ~0 -4 =0"),
                SHARDS.carry(Stream.of(kept).filter(r -> r.startsWith("m.pair")).toArray(String[]::new)).changes());
    }

    /** Pairs that differ only in the position of the dot, and names that look like SQL. */
    private static final List<String> TABLES = List.of("\"Order Desk\".\"lineItem\"", "\"a.b\".\"c\"\"d\"", "\"a.b\".c", "a.\"b.c\"",
            "\"größe\".\"select\"", "\"table\".\"Table-Name\"", "\"'\".\"'\"", "\"{table}\".\"{key}\"",
            "\"%I $$\".\"a);--\"", "m.\"lineItem\"", "m.\"lineitem\"", "m.\"LINEITEM\"", "m.staging", "m.lockstep_gone_0", "m.\""
                    + "x".repeat(63) + "\"",
            "\"Lockstep\".applied", "m.\"🙂\"");

    /**
     * All steps, with children in the data set, visitors' references, sequences, indexes that are dropped at the first sync, and
     * partitions.
     */
    @Test
    void tables() {
        var tables = TABLES.stream().map(name -> TestingShards.table(name, "Id", "größe", "select", "up")).toList();
        var ddl = new ArrayList<String>();
        for (String schema : List.of("\"Order Desk\"", "\"a.b\"", "a", "\"größe\"", "\"table\"", "\"'\"", "\"{table}\"", "\"%I $$\"",
                "\"Lockstep\""))
            ddl.add("CREATE SCHEMA " + schema);
        for (int n = 0; n < TABLES.size(); n++) {
            String up = n == 0 ? TABLES.getFirst() : TABLES.get(n - 1);
            ddl.add("CREATE TABLE " + TABLES.get(n) + " (\"Id\" serial, \"größe\" text NOT NULL, \"select\" int, up int, CONSTRAINT "
                    + "\"the key. " + n + "\" PRIMARY KEY (\"Id\"), CONSTRAINT \"größe '" + n + "\" UNIQUE (\"größe\"))");
            ddl.add("ALTER TABLE " + TABLES.get(n) + " ADD CONSTRAINT \"up.{table}\" FOREIGN KEY (up) REFERENCES " + up);
            ddl.add("CREATE INDEX \"by.größe{n} " + n + "\" ON " + TABLES.get(n) + " (lower(\"größe\"), \"select\")");
            ddl.add("CREATE TABLE own.\"Visit.{n} " + n + "\" (\"größe\" text REFERENCES " + TABLES.get(n)
                    + " (\"größe\") ON DELETE CASCADE)");
        }
        SHARDS.product(tables, ddl.toArray(String[]::new));
        String catalogue = "SELECT string_agg(d, chr(10) ORDER BY d) FROM (SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN "
                + "pg_class c ON c.oid = i.indrelid WHERE c.relnamespace::regnamespace::text !~ '^(pg_|lockstep)'"
                + " UNION ALL SELECT conname || ' ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE "
                + "connamespace::regnamespace::text !~ '^(pg_|lockstep|information)') c(d)";
        String before = SHARDS.value(catalogue);
        for (String table : TABLES) TestingShards.visit(SHARDS.source, "INSERT INTO " + table
                + " (\"größe\", \"select\", up) SELECT 'size ' || i, i, i FROM generate_series(1, 60) i");
        assertEquals(every(tables, "+60 ~0 -0 =0"), SHARDS.carry().changes());
        assertEquals(before, SHARDS.value(catalogue));
        assertEquals("61", SHARDS.value("SELECT string_agg(DISTINCT nextval(pg_get_serial_sequence(name, 'Id'))::text, ' ') FROM "
                + "unnest(ARRAY[" + TABLES.stream().map(NamesTest::literal).collect(Collectors.joining(", ")) + "]) name"));

        for (int n = 0; n < TABLES.size(); n++) SHARDS.visit("INSERT INTO own.\"Visit.{n} " + n + "\" VALUES ('size 7')");
        var kept = SHARDS.rows(SHARDS.follows).stream().filter(r -> r.contains("(7,")).toArray(String[]::new);
        for (String table : TABLES.reversed()) TestingShards.visit(SHARDS.source, "DELETE FROM " + table + " WHERE \"select\" IN (7, 8)",
                "UPDATE " + table + " SET \"select\" = -1 WHERE \"größe\" = 'size 9'");
        assertEquals(every(tables, "+0 ~1 -1 =1"), SHARDS.carry(kept).changes());
        assertEquals(every(tables, "+1 ~1 -0 =0"), SHARDS.back(0).changes());
    }

    @Test
    void tablesWithPartitionsAndFilters() {
        SHARDS.product(List.of(new Table("\"a.b\".\"Parts\"", List.of("{key}", "Region.", "größe"), List.of("{key}", "Region."),
                Optional.of("\"größe\" <> '{table}' AND \"{key}\" >= 0"))), "CREATE SCHEMA \"a.b\"",
                "CREATE TABLE \"a.b\".\"Parts\" (\"{key}\" int, \"Region.\" text, \"größe\" text, PRIMARY KEY (\"{key}\", \"Region.\")) "
                        + "PARTITION BY LIST (\"Region.\")",
                "CREATE TABLE \"a.b\".\"Parts.east\" PARTITION OF \"a.b\".\"Parts\" FOR VALUES IN ('east')",
                "CREATE TABLE m.\"a.b.Parts\" PARTITION OF \"a.b\".\"Parts\" DEFAULT");
        TestingShards.visit(SHARDS.source, "INSERT INTO \"a.b\".\"Parts\" SELECT i, CASE WHEN i % 2 = 0 THEN 'east' ELSE '{key}' END, "
                + "'g' || i FROM generate_series(-10, 300) i");
        SHARDS.carry();
        SHARDS.visit("INSERT INTO \"a.b\".\"Parts\" VALUES (5000, 'east', '{table}')");
        TestingShards.visit(SHARDS.source, "UPDATE \"a.b\".\"Parts\" SET \"größe\" = '{table}' WHERE \"{key}\" = 3",
                "DELETE FROM \"a.b\".\"Parts\" WHERE \"{key}\" = 4",
                "UPDATE \"a.b\".\"Parts\" SET \"größe\" = 'new' WHERE \"{key}\" IN (5, -5)");
        assertEquals(Map.of("\"a.b\".\"Parts\"", "+0 ~1 -2 =0"), SHARDS.carry().changes());
        assertEquals("1", SHARDS.value("SELECT count(*) FROM \"a.b\".\"Parts\" WHERE \"größe\" = '{table}'"));
    }

    @Test
    void anImportOfATableWithSuchNames() {
        String name = "\"a.b\".\"Order {table}\"";
        SHARDS.product(List.of(TestingShards.table(name, "{key}", "größe", "a,b", "a\"b", "lockstep_kept", "t")), "CREATE SCHEMA \"a.b\"",
                "CREATE TABLE " + name + " (\"{key}\" text PRIMARY KEY, \"größe\" int, \"a,b\" text, \"a\"\"b\" text, lockstep_kept "
                        + "bool, t text)");
        TestingShards.visit(SHARDS.source, "INSERT INTO " + name
                + " VALUES ('{key}', 1, 'a', 'b', true, 't'), ('''', 2, 'a', 'b', true, 't'), ('{table}', 3, 'a', 'b', false, 't')");
        String csv = "\"a\"\"b\",\"a,b\",größe,{key},t,lockstep_kept\nb,a,1,{key},t,true\nb,a,20,',t,true\nb,a,4,{condition},t,true\n";
        for (boolean dryRun : List.of(true, false)) {
            assertEquals("1 1 1", SHARDS.imported(name, csv, dryRun));
        }
        assertEquals("' 20, {condition} 4, {key} 1", TestingShards.value(SHARDS.source,
                "SELECT string_agg(\"{key}\" || ' ' || \"größe\", ', ' ORDER BY \"{key}\" COLLATE \"C\") FROM " + name));
    }
}
