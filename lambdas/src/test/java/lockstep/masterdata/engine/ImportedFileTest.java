package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import lockstep.masterdata.engine.imports.RawStaging;
import lockstep.masterdata.engine.imports.TableImport.Outcome;
import lockstep.masterdata.engine.imports.TableImport.Rounded;
import lockstep.masterdata.engine.imports.TableImport;
import lockstep.masterdata.engine.postgres.DatabaseRoles;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.Sql;
import org.junit.jupiter.api.Test;

/** Tests that the table gets exactly the values of the file, or that the file is refused with line and column. */
class ImportedFileTest {
    private final TestingDatabase source = TestingServer.database();

    /** A table of the source in schema {@code m}, and a data set with it. */
    private final class Case {
        private final DataSet dataSet;
        private final String name;

        Case(String definition, String... columns) {
            this("list", definition, Optional.empty(), columns);
        }

        Case(String table, String definition, Optional<String> where, String... columns) {
            name = new lockstep.landscape.TableName("m", table).toString();
            source.execute("CREATE SCHEMA IF NOT EXISTS m", "CREATE TABLE m." + Sql.identifier(table) + " (" + definition + ")",
                    Sql.named("state"));
            dataSet = new DataSet("master", "clinic-1", List.of(new Table(name, List.of(columns), List.of(columns[0]), where)));
            prepare();
        }

        void prepare() {
            new DatabaseRoles(source).prepare(new Login("h", 1, source.name(), "reader", "secret"),
                    new Login("h", 1, source.name(), "writer", "secret"), List.of(dataSet));
        }

        Outcome bringIn(String file) {
            return bringIn(file.getBytes(StandardCharsets.UTF_8), false);
        }

        Outcome bringIn(byte[] file, boolean round) {
            return new TableImport(source.as("writer"), Duration.ofSeconds(1)).run(dataSet, name, () -> new ByteArrayInputStream(file),
                    false, round);
        }

        /** Returns all rows as one text, in the order of the key. */
        String rows() {
            var table = dataSet.tables().getFirst();
            return source.value("SELECT string_agg(ROW(" + Sql.columns("", table.columns()) + ")::text, ' ' ORDER BY "
                    + Sql.identifier(table.key().getFirst()) + "::text COLLATE \"C\") FROM " + Sql.table(name));
        }

        String refused(String file, String... words) {
            return refused(file.getBytes(StandardCharsets.UTF_8), words);
        }

        /** Asserts that the file is refused with these words, without names of Lockstep's own tables, and without changes. */
        String refused(byte[] file, String... words) {
            String before = rows();
            var refused = assertThrows(Fault.class, () -> bringIn(file, false));
            assertTrue(refused instanceof Fault.FileRefused || refused instanceof Fault.ImportMismatch, refused::toString);
            String message = refused.getMessage();
            for (String word : words) assertTrue(message.contains(word), word + " is not in: " + message);
            for (String internal : List.of("lockstep_import", "lockstep_file", "lockstep_gone", "lockstep_fresh", "pg_temp"))
                assertFalse(message.contains(internal), message);
            assertTrue(message.toLowerCase(java.util.Locale.ROOT).contains("nothing was changed"), message);
            assertEquals(before, rows());
            return message;
        }
    }

    @Test
    void noMarkerEndsTheFile() {
        var list = new Case("code text PRIMARY KEY, name text", "code", "name");
        for (String file : List.of("code,name\n\\.,x\na,b\nc,d\n", "code,name\na,b\n\\.,x\nc,d\n", "code,name\na,b\nc,d\n\\.,x\n",
                "code,name\r\n\"\\.\",x\r\na,b\r\nc,d\r\n")) {
            assertEquals(3, list.bringIn(file).rows());
            assertEquals("3 x", source.value("SELECT count(*) || ' ' || max(name) FILTER (WHERE code = '\\.') FROM m.list"), file);
        }
        list.refused("code,name\na,b\n\\.\nc,d\n", "line 3: the record has 1 field, and the header has 2");
        list.refused("code,name\na,b\nc,d\n\\.\n", "line 4: the record has 1 field");

        var one = new Case("one", "code text PRIMARY KEY", Optional.empty(), "code");
        for (String file : List.of("code\n\\.\na\nb\n", "code\na\n\\.\nb\n", "code\na\nb\n\\.\n", "code\na\nb\n\\.",
                "code\r\na\r\n\\.\r\nb\r\n", "code\n\"\\.\"\na\nb\n")) {
            assertEquals(3, one.bringIn(file).rows());
            assertEquals("3 1", source.value("SELECT count(*) || ' ' || count(*) FILTER (WHERE code = '\\.') FROM m.one"), file);
        }
        assertEquals(4, one.bringIn("code\n\\N\n\\\n\\\\.\n\\t\n").rows());
        assertEquals("\\ \\N \\\\. \\t", source.value("SELECT string_agg(code, ' ' ORDER BY code COLLATE \"C\") FROM m.one"));
    }

    /** Random records, written by the test's own writer with random quoting, and compared in the server with rows inserted by JDBC. */
    @Test
    void everyValueArrivesAsItIsWritten() {
        var list = new Case("code text PRIMARY KEY, a text, b text", "code", "a", "b");
        source.execute("CREATE TABLE m.expected (code text, a text, b text)");
        String[] pieces = {"\\.", "\\N", "\\", "\n", "\r\n", "\r", "\t", "\"", "\"\"", ",", "\u0001", "\b", "\f", "\u000b", "\u007f", " ",
                "薬", "😀", "e\u0301", "\uFEFF", "\u2028", "a", "0", "NULL", "{", "(", "''", "x".repeat(5000)};
        for (int seed = 0; seed < 25; seed++) {
            var random = new Random(seed);
            String end = random.nextBoolean() ? "\n" : "\r\n";
            var rows = new TreeMap<String, List<String>>();
            for (int i = random.nextInt(40); i >= 0; i--) {
                String code = text(random, pieces);
                rows.put(code, Arrays.asList(code, random.nextInt(4) == 0 ? null : text(random, pieces),
                        random.nextInt(4) == 0 ? null : text(random, pieces)));
            }
            var order = new ArrayList<>(List.of(0, 1, 2));
            java.util.Collections.shuffle(order, random);
            var file = new StringBuilder(random.nextBoolean() ? "\uFEFF" : "")
                    .append(String.join(",", order.stream().map(List.of("code", "a", "b")::get).toList())).append(end);
            for (var row : rows.values())
                file.append(String.join(",", order.stream().map(c -> written(row.get(c), random)).toList())).append(end);
            file.append(end.repeat(random.nextInt(3)));
            source.run(connection -> {
                Sql.execute(connection, "TRUNCATE m.expected");
                try (var insert = connection.prepareStatement("INSERT INTO m.expected VALUES (?, ?, ?)")) {
                    for (var row : rows.values()) {
                        for (int c = 0; c < 3; c++) insert.setString(c + 1, row.get(c));
                        insert.executeUpdate();
                    }
                }
                return null;
            });
            assertEquals(rows.size(), list.bringIn(file.toString()).rows(), "seed " + seed);
            assertEquals("0", source.value(
                    "SELECT count(*) FROM ((TABLE m.expected EXCEPT ALL TABLE m.list) UNION ALL (TABLE m.list EXCEPT ALL TABLE "
                            + "m.expected)) d"),
                    "seed " + seed);
        }
    }

    private static String text(Random random, String[] pieces) {
        var text = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) text.append(pieces[random.nextInt(pieces.length)]);
        return text.toString();
    }

    private static String written(String value, Random random) {
        if (value == null) return "";
        boolean quoted = value.isEmpty() || value.matches("(?s).*[,\"\\n\\r].*") || random.nextInt(3) == 0 || value.startsWith("\uFEFF");
        return quoted ? '"' + value.replace("\"", "\"\"") + '"' : value;
    }

    @Test
    void aLargeFieldArrives() {
        var list = new Case("code text PRIMARY KEY, a text", "code", "a");
        String large = "薬,\"\n\\".repeat(1_000_000);
        list.bringIn("code,a\n1,\"" + large.replace("\"", "\"\"") + "\"\n2,x\n");
        assertEquals("5000000 " + md5(large), source.value("SELECT length(a) || ' ' || md5(a) FROM m.list WHERE code = '1'"));
    }

    private static String md5(String text) {
        try {
            return java.util.HexFormat.of()
                    .formatHex(java.security.MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aFileThatIsNotCsvIsRefusedWithItsLine() {
        var list = new Case("code text PRIMARY KEY, name text", "code", "name");
        list.bringIn("code,name\nA,1\nB,2\n");
        list.refused("code,name\nA,\"1\nB,2\nC,3\n", "line 2, column name: the quote that opens here is not closed");
        list.refused("code,name\nA,1\nB,\"2\nC,\"3\"\n", "line 3, column name: the quote that opens here");
        list.refused("\"code,name\nA,1\n", "line 1, field 1: the quote that opens here");
        list.refused("code,name\nA,1\nB,2 \"two\"\nC,3\"\n", "line 3, column name: there is a quote inside",
                "line 4, column name: there is a quote inside");
        list.refused("code,name\nA\nB,2,3\nC,\"x\ny\",z\n", "line 2: the record has 1 field, and the header has 2",
                "line 3: the record has 3 fields", "line 4: the record has 3 fields, and the header has 2. It extends to line 5");
        list.refused("name,code\n" + "x\n".repeat(12), "line 2: ", "line 6: ", "There are 7 more such lines");
        list.refused("code,name\nA,1\rB,2\nC,3\n", "line 2: there is a carriage return");
        list.refused("code,name\nA,1\n\nB,2\n", "line 3: the line is blank, and there are records after it");
        list.refused("\ncode,name\nA,1\n", "line 1: the line is blank");
        list.refused("code,name\nA,x\0y\n", "line 2, column name: the value has a NUL");
        list.refused("code,name\nA,caf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1), "line 2, column name: the byte 0xE9 is not UTF-8");
        list.refused("code,name\nA,x\n".getBytes(StandardCharsets.UTF_16LE), "UTF-16");
        list.refused("", "the file is empty");
        list.refused("code,name\n", "the file has a header and no rows, which would empty m.list");
        list.refused("code,name\n\n\n", "would empty m.list");
    }

    @Test
    void blankLinesAtTheEndAreNoRecords() {
        var list = new Case("code text PRIMARY KEY, name text", "code", "name");
        for (String end : List.of("", "\n", "\n\n", "\n\n\n", "\n  \n\t\n", "\r\n\r\n"))
            assertEquals(1, list.bringIn("code,name\nA,1" + end).rows(), end);
    }

    @Test
    void aHeaderIsMatchedWhateverItsCase() {
        var list = new Case("code text PRIMARY KEY, \"Größe\" text, name text", "code", "Größe", "name");
        for (String header : List.of("code,Größe,name", "CODE,GRÖSSE".replace("GRÖSSE", "GRÖßE") + ",Name", " code , größe,name\t",
                "\"Code\",\" Größe \",NAME")) {
            list.bringIn(header + "\nA,1,2\n");
            assertEquals("(A,1,2)", list.rows());
        }
        list.refused("A,1,2\nB,3,4\n", "line 1: the file has no header: it begins with 'A,1,2'", "code,Größe,name");
        list.refused("code;name\n1;2\n", "line 1: the file is not comma-separated", "Save it with commas");
        list.refused("code\tname\n1\t2\n", "not comma-separated");
        list.refused("code,name\nA,1\n", "line 1: the header does not fit: it lacks Größe");
        list.refused("code,Größe,name,extra,\nA,1,2,3,\n", "it has extra, a column without a name, which the data set does not");
        list.refused("code,Größe,name,Name\nA,1,2,3\n", "it names name more than once");

        var alike = new Case("alike", "\"Id\" text PRIMARY KEY, id text, \"ID\" text", Optional.empty(), "Id", "id", "ID");
        alike.bringIn("ID,id,Id\n1,2,3\n");
        assertEquals("(3,2,1)", alike.rows());
        alike.refused("iD,id,Id\n1,2,3\n", "it lacks ID", "'iD' (Id or id or ID?)");
    }

    @Test
    void everyValueThatDoesNotFitIsReportedAtOnce() {
        source.execute("CREATE SCHEMA m", "CREATE TYPE m.mood AS ENUM ('good', 'bad')", "CREATE DOMAIN m.short AS varchar(3) NOT NULL",
                "CREATE DOMAIN m.even AS int CHECK (VALUE % 2 = 0)",
                "CREATE FUNCTION m.strict(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN IF t ~ '^x' THEN RAISE EXCEPTION "
                        + "'no x: %', t; END IF; RETURN true; END$$",
                "CREATE DOMAIN m.no_x AS text CHECK (m.strict(VALUE))");
        var list = new Case(
                "id int PRIMARY KEY, d date, n numeric(5,2), m m.mood, s m.short, e m.even, x m.no_x, v varchar(4), b bit(3), a int[]",
                "id", "d", "n", "m", "s", "e", "x", "v", "b", "a");
        source.execute("GRANT EXECUTE ON FUNCTION m.strict TO PUBLIC");
        String header = "id,d,n,m,s,e,x,v,b,a\n";
        list.bringIn(header + "1,2026-01-31,1.5,good,abc,2,y,four,101,\"{1,2}\"\n");
        String all = list.refused(header
                + "a,2026-01-31,1.5,good,abc,2,y,four,101,{}\n2,31.01.2026,1.5,good,abc,2,y,four,101,{}\n3,2026-02-30,1234.5,ugly,abcd,3,"
                + "xy,five5,10,{\n4,,,,,,,,,\n,,,,q,,x,,,\n",
                "line 2, column id: invalid input syntax for type integer: \"a\"", "line 3, column d: date/time field value out of range",
                "line 4, column d: date/time field value out of range: \"2026-02-30\"",
                "line 4, column n: numeric field overflow", "line 4, column m: invalid input value for enum m.mood: \"ugly\"",
                "line 4, column s: value too long for type character varying(3)",
                "line 5, column s: the value is missing", "line 6, column id: the value is missing",
                "line 4, column e: value for domain m.even violates check constraint", "line 4, column x: no x: xy",
                "line 4, column v: value too long", "line 4, column b: bit string length 2 does not match type bit(3)",
                "line 4, column a: malformed array literal");
        assertTrue(all.lines().count() < 30, all);
        var many = new StringBuilder("id,d,n,m,s,e,x,v,b,a\n");
        for (int i = 0; i < 300; i++)
            many.append(i).append(",,,,a,,").append(i < 100 ? "y" : i == 200 ? "x1" : i > 220 ? "x2" : "").append(",,,\n");
        list.refused(many.toString(), "line 202, column x: no x: x1");
        var bad = new StringBuilder("id,d,n,m,s,e,x,v,b,a\n");
        for (int i = 0; i < 300; i++) bad.append(i).append(",,one,,a,,,,,\n");
        list.refused(bad.toString(), "line 2, column n", "line 6, column n", "and 295 more",
                "The column is numeric(5,2). Write numbers with digits");
    }

    @Test
    void rowsThatRepeatAKeyAndChecksAreReportedTogether() {
        var list = new Case(
                "id int PRIMARY KEY, code text UNIQUE, a int, b int, CONSTRAINT positive CHECK (a > 0), CONSTRAINT divides CHECK (100 / b "
                        + "> 1 AND 'x%d' IS NOT NULL), UNIQUE (a, b)",
                "id", "code", "a", "b");
        list.refused("id,code,a,b\n1,A,1,1\n2,B,2,1\n1,C,3,1\n4,A,4,1\n5,,-1,2\n6,,-1,2\n7,,8,\n8,,8,\n",
                "line 4 repeats (id)=(1) of line 2", "line 5 repeats (code)=(A) of line 2", "line 7 repeats (a, b)=(-1, 2) of line 6",
                "line 6 (5), line 7 (6): the check positive, (a > 0), refuses it");
        list.refused("id,code,a,b\n1,A,1,1\n2,B,2,5\n3,C,3,0\n4,D,4,1\n", "line 4: the check divides", "fails: division by zero");
        list.refused("id,code,a,b\n1,A,1,60\n", "line 2 (1): the check divides");
    }

    @Test
    void aValueThatWouldLoseAPartIsRefusedOrListed() {
        source.execute("CREATE SCHEMA m", "CREATE DOMAIN m.price AS numeric(10,2)");
        var list = new Case(
                "id int PRIMARY KEY, n numeric(5,2), p m.price, a numeric(3,1)[], ts timestamp(0), tz timestamptz(3), t time, d date, v "
                        + "varchar(3), c char(3), m money, f float4, u numeric, z numeric(5,-2)",
                "id", "n", "p", "a", "ts", "tz", "t", "d", "v", "c", "m", "f", "u", "z");
        String kept = "id,n,p,a,ts,tz,t,d,v,c,m,f,u,z\n1,1.5,1.50,\"{1.0,2.50}\",2026-01-01 00:00:00.000,2026-01-01 "
                + "00:00:00.120+09,12:00,2026-01-31 00:00:00,abc,ab "
                + ",$1.20,0.1234567891,1.00000000000000000001,100\n2,,,,,,,,,,,,,\n3,NaN,1e1,{},infinity,epoch,24:00:00,-infinity,,,1,,,\n";
        assertEquals(0, list.bringIn(kept).rounded());
        String losing = "id,n,p,a,ts,tz,t,d,v,c,m,f,u,z\n1,1.005,0.001,\"{1.0,2.55}\",2026-01-01 00:00:00.5,2026-01-01 "
                + "00:00:00.1234,12:00:00.1234567,2026-01-31 12:30,\"ab  \",ab    ,1.234,0.1,1,150\n2,1.5,,,2026-01-01 "
                + "00:00+09,,12:00+02,2026-01-31,,,,,,\n";
        list.refused(losing, "line 2, column n: '1.005' would become '1.01'", "line 2, column p: '0.001' would become '0.00'",
                "column a: '{1.0,2.55}' would become '{1.0,2.6}'", "column ts: '2026-01-01 00:00:00.5'",
                "line 3, column ts: '2026-01-01 00:00+09' would become '2026-01-01 00:00:00'", "column tz:", "column t: '12:00:00.1234567'",
                "line 3, column t: '12:00+02'", "column d: '2026-01-31 12:30' would become '2026-01-31'",
                "column v: 'ab  ' would become 'ab '", "column m: '1.234' would become '$1.23'", "column z: '150' would become '200'",
                "or accept this with --round");
        var done = list.bringIn(losing.getBytes(StandardCharsets.UTF_8), true);
        assertEquals(12, done.rounded());
        assertTrue(done.roundings().contains(new Rounded(2, "n", "1.005", "1.01")), done.roundings()::toString);
        assertEquals("1.01 0.00", source.value("SELECT n || ' ' || p FROM m.list WHERE id = 1"));
    }

    @Test
    void whatATypeCutsIsNoticed() {
        var list = new Case("id int PRIMARY KEY, n name, c \"char\", j jsonb, k json", "id", "n", "c", "j", "k");
        assertEquals(
                0, list
                        .bringIn("id,n,c,j,k\n1," + "n".repeat(63)
                                + ",x,\"{\"\"a\"\": 1.0, \"\"b\"\": {\"\"a\"\": 2}}\",\"{\"\"a\"\":1,\"\"a\"\":2}\"\n2,\"\",\"\",[],\n")
                        .rounded());
        list.refused("id,n,c,j,k\n1," + "n".repeat(64) + ",xy,\"{\"\"a\"\":1,\"\"a\"\":2}\",\n", "line 2, column n: '" + "n".repeat(64),
                "column c: 'xy' would become 'x'", "column j: '{\"a\":1,\"a\":2}' would become '{\"a\": 2}'");
    }

    /** The writer may use a column even if it lacks USAGE on its type's schema. */
    @Test
    void aTypeInASchemaWithoutUsageIsReportedWithItsLine() {
        source.execute("CREATE SCHEMA types", "CREATE TYPE types.mood AS ENUM ('good', 'bad')");
        var list = new Case("id int PRIMARY KEY, m types.mood", "id", "m");
        source.execute("REVOKE USAGE ON SCHEMA types FROM writer");
        assertEquals(2, list.bringIn("id,m\n1,good\n2,bad\n").rows());
        list.refused("id,m\n1,good\n2,bad\n3,ugly\n4,bad\n", "line 4: invalid input value for enum", "ugly");
    }

    @Test
    void noNameOfTheProductCollidesWithOurs() {
        String[] names = {"record", "line", "c1", "t", "s", "r", "g", "d", "v", "e", "lockstep_record", "lockstep_record_", "n", "place",
                "a\"b", "{table}", "%d", "select", "Größe", "x y", "message", "typed", "ctid2"};
        var definition = new StringBuilder();
        for (String name : names) definition.append(name.equals(names[0]) ? Sql.identifier(name) + " text PRIMARY KEY"
                : ", " + Sql.identifier(name) + " text CHECK (" + Sql.identifier(name) + " <> 'no')");
        var list = new Case("Order % Desk", definition.toString(), Optional.empty(), names);
        String header = String.join(",", Arrays.stream(names).map(n -> '"' + n.replace("\"", "\"\"") + '"').toList());
        assertEquals(List.of(2L, 2L, 0L),
                counts(list.bringIn(header + "\n" + String.join(",", java.util.Collections.nCopies(names.length, "a")) + "\n"
                        + String.join(",", java.util.Collections.nCopies(names.length, "b")) + "\n")));
        assertEquals(List.of(1L, 0L, 1L), counts(list.bringIn(header + "\n" + "a" + ",z".repeat(names.length - 1) + "\n")));
        String refused = list.refused(header + "\n" + "a" + ",no".repeat(names.length - 1) + "\n", "line 2 (a): the check", "a\"b", "%d");
        assertEquals(names.length - 1, refused.lines().filter(l -> l.contains("refuses it")).count(), refused);
    }

    private static List<Long> counts(Outcome outcome) {
        return List.of(outcome.rows(), outcome.inserted(), outcome.updated());
    }

    @Test
    void aTriggerThatChangesRowsIsReported() {
        var list = new Case("code text PRIMARY KEY, name text, changed text", "code", "name", "changed");
        source.execute("CREATE FUNCTION m.touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.changed := 'now'; RETURN NEW; END$$",
                "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON m.list FOR EACH ROW EXECUTE FUNCTION m.touch()");
        list.refused("code,name,changed\nA,1,before\nB,2,now\n", "line 2: changed is 'now' instead of 'before'", "touch");
        assertEquals(List.of(1L, 1L, 0L), counts(list.bringIn("code,name,changed\nB,2,now\n")));
        source.execute(
                "CREATE OR REPLACE FUNCTION m.touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN CASE WHEN NEW.code = 'C' THEN "
                        + "NULL ELSE NEW END; END$$");
        list.refused("code,name,changed\nB,2,now\nC,3,now\n", "line 3: the table has no such row", "has 1 rows", "instead of 2");
    }

    @Test
    void anEqualKeyThatIsSpelledDifferentlyIsAnUpdate() {
        source.execute("CREATE SCHEMA m", "CREATE COLLATION m.ci (provider=icu, locale='und-u-ks-level2', deterministic=false)");
        var list = new Case("code text COLLATE m.ci PRIMARY KEY, name text", "code", "name");
        list.bringIn("code,name\nAbc,1\nDef,2\n");
        assertEquals(List.of(2L, 0L, 1L), counts(list.bringIn("code,name\nABC,1\nDef,2\n")));
        assertEquals("(ABC,1) (Def,2)", list.rows());
        list.refused("code,name\nABC,1\nabc,2\n", "line 3 repeats (code)=(abc) of line 2");
        var number = new Case("number", "n numeric PRIMARY KEY, name text", Optional.empty(), "n", "name");
        number.bringIn("n,name\n1.0,x\n");
        assertEquals(List.of(1L, 0L, 1L), counts(number.bringIn("n,name\n1.00,x\n")));
        assertEquals("(1.00,x)", number.rows());
    }

    @Test
    void anIdentityColumnOutsideTheKeyBecomesWhatTheFileSays() {
        var list = new Case("id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE, name text", "code", "id",
                "name");
        source.execute("INSERT INTO m.list (code, name) VALUES ('A', 'a'), ('B', 'b'), ('C', 'c')");
        assertEquals(List.of(3L, 0L, 1L), counts(list.bringIn("code,id,name\nA,1,a\nB,2,bee\nC,3,c\n")));
        assertEquals("(A,1,a) (B,2,bee) (C,3,c)", list.rows());
        assertEquals(List.of(1L, 0L, 1L), counts(list.bringIn("code,id,name\nA,7,a\n")));
        assertEquals("(A,7,a)", list.rows());
    }

    /** Lost and changed records are detected. */
    @Test
    void whatDoesNotArriveIsFound() {
        source.transaction(connection -> {
            for (String tampering : List.of("DELETE FROM pg_temp.lockstep_file WHERE record = 2",
                    "UPDATE pg_temp.lockstep_file SET c1 = 'b ' WHERE record = 2",
                    "UPDATE pg_temp.lockstep_file SET c2 = '' WHERE record = 2",
                    "INSERT INTO pg_temp.lockstep_file SELECT * FROM pg_temp.lockstep_file LIMIT 1",
                    "UPDATE pg_temp.lockstep_file SET c1 = 'c' WHERE record = 1")) {
                try (var raw = new RawStaging(connection, 2)) {
                    raw.append(2, List.of("a", "\\."));
                    raw.append(3, Arrays.asList("b", null));
                    raw.finish();
                    raw.verify();
                    Sql.execute(connection, tampering);
                    var found = assertThrows(Fault.ImportMismatch.class, raw::verify, tampering);
                    assertTrue(found.getMessage().contains("the file has 2 records"), found::getMessage);
                }
                Sql.execute(connection, "DROP TABLE pg_temp.lockstep_file");
            }
            return null;
        });
    }

    @Test
    void aCharacterThatTheServerDoesNotHaveIsReported() {
        source.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
        var latin = new TestingDatabase(source.port(), "latin", "postgres");
        latin.execute("CREATE TABLE public.list (code text PRIMARY KEY, name text)");
        var dataSet = new DataSet("master", "clinic-1",
                List.of(new Table("public.list", List.of("code", "name"), List.of("code"), Optional.empty())));
        var tables = new TableImport(latin, Duration.ofSeconds(1));
        assertEquals(1,
                tables.run(dataSet, "public.list",
                        () -> new ByteArrayInputStream("code,name\nA,caf\u00e9\n".getBytes(StandardCharsets.UTF_8)), false, false)
                        .inserted());
        var refused = assertThrows(Fault.FileRefused.class,
                () -> tables.run(dataSet, "public.list",
                        () -> new ByteArrayInputStream("code,name\nA,\"x\ny\"\nB,薬\n".getBytes(StandardCharsets.UTF_8)), false, false));
        assertTrue(refused.getMessage().startsWith("line 4: the server refuses a value: character with byte sequence"),
                refused::getMessage);
    }
}
