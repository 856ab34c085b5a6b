package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Dump and restore is the identity, for schemas and rows made from a seed; compared by SQL that shares no code with the engine. */
class GeneratedSchemaTest {
    private static final List<String> TYPES = List.of("text", "integer", "bigint", "numeric", "numeric(20,5)", "double precision", "real", "boolean", "date",
            "timestamp with time zone", "timestamp without time zone", "interval", "bytea", "jsonb", "json", "text[]", "integer[]", "uuid", "inet", "int4range",
            "character varying(40)", "xml", "point", "money");
    private static final List<String> KEY_TYPES = List.of("integer", "bigint", "text", "uuid", "date", "numeric");
    private static final List<String> TEXTS = List.of("", " ", "\\N", "\\", "\t", "a\tb", "line\nline", "\r\n", "\\.", "\"quoted\" 'single'", "漢字かな", "🙂👩‍⚕️", "{}", "NULL",
            "\u0001\u007f", "x".repeat(5000), "\\t\\n", "tab\\\tand\\\\");

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void isTheIdentity(long seed) {
        var random = new Random(seed);
        var tables = new ArrayList<Generated>();
        for (int i = 0; i <= random.nextInt(3); i++) tables.add(generate(random, i));
        var dataSet = new DataSet("generated", "source", tables.stream().map(Generated::table).toList());
        var source = TestingServer.database();
        var target = TestingServer.database();
        for (var database : List.of(source, target)) {
            database.execute("CREATE SCHEMA g", Sql.named("state"));
            for (Generated table : tables) database.execute(table.ddl());
        }
        var sync = new TestingSync(dataSet);
        for (int round = 0; round < 4; round++) {
            for (Generated table : tables) change(random, source, table, round);
            sync.run(source, target, "round-" + round);
            for (Generated table : tables) assertEquals(contents(source, table), contents(target, table), "seed " + seed + ", round " + round + ": " + table.ddl());
        }
    }

    private record Generated(Table table, List<String> types, String ddl) {}

    private static Generated generate(Random random, int number) {
        var columns = new ArrayList<String>();
        var types = new ArrayList<String>();
        int keys = 1 + random.nextInt(2);
        for (int i = 0; i < keys; i++) {
            columns.add("key " + i);
            types.add(KEY_TYPES.get(random.nextInt(KEY_TYPES.size())));
        }
        for (int i = 0; i < random.nextInt(7); i++) {
            columns.add("Column" + i);
            types.add(TYPES.get(random.nextInt(TYPES.size())));
        }
        var ddl = new ArrayList<String>();
        for (int i = 0; i < columns.size(); i++) ddl.add(Sql.identifier(columns.get(i)) + " " + types.get(i));
        var key = columns.subList(0, keys);
        String name = "g.t" + number;
        return new Generated(new Table(name, columns, key, Optional.empty()), types,
                "CREATE TABLE " + Sql.table(name) + " (" + String.join(", ", ddl) + ", PRIMARY KEY (" + Sql.columns("", key) + "))");
    }

    private static void change(Random random, TestingDatabase source, Generated generated, int round) {
        Table table = generated.table();
        source.run(connection -> {
            if (round > 0) {
                Sql.execute(connection, "DELETE FROM " + Sql.table(table.name()) + " WHERE random() < 0.2");
                for (int i = table.key().size(); i < table.columns().size(); i++)
                    Sql.execute(connection, "UPDATE " + Sql.table(table.name()) + " SET " + Sql.identifier(table.columns().get(i)) + " = "
                            + value(random, generated.types().get(i)) + " WHERE random() < 0.1");
            }
            int rows = random.nextInt(round == 2 ? 2 : 200);
            for (int i = 0; i < rows; i++)
                Sql.execute(connection, "INSERT INTO " + Sql.table(table.name()) + " VALUES (" + generated.types().stream()
                        .map(t -> value(random, t)).collect(Collectors.joining(", ")).replaceFirst("^NULL", "DEFAULT") + ") ON CONFLICT DO NOTHING");
            return null;
        });
    }

    /** A literal that fits the type; key columns come without NULL because the types of keys below have none. */
    private static String value(Random random, String type) {
        int n = random.nextInt();
        String value = switch (type) {
            case "text" -> TEXTS.get(random.nextInt(TEXTS.size())) + (random.nextInt(3) == 0 ? "" : n);
            case "character varying(40)" -> "v" + n;
            case "integer", "bigint" -> Integer.toString(n);
            case "numeric" -> n + "." + "0".repeat(random.nextInt(5)) + random.nextInt(3);
            case "numeric(20,5)" -> n + ".12345";
            case "double precision", "real" -> random.nextInt(9) == 0 ? List.of("NaN", "Infinity", "-0", "1e-30").get(random.nextInt(4)) : Double.toString(random.nextGaussian());
            case "boolean" -> Boolean.toString(random.nextBoolean());
            case "date" -> "20" + (10 + random.nextInt(80)) + "-0" + (1 + random.nextInt(9)) + "-1" + random.nextInt(10);
            case "timestamp with time zone", "timestamp without time zone" -> "2026-03-29 0" + random.nextInt(10) + ":30:00." + random.nextInt(1_000_000) + "+02";
            case "interval" -> n % 1000 + " days " + random.nextInt(60) + " seconds";
            case "bytea" -> "\\x" + "00ff0a09".repeat(random.nextInt(4));
            case "jsonb", "json" -> "{\"b\": [1.0, 1.00, null], \"a\": \"" + n + "\\u3042\\t\"}";
            case "text[]" -> random.nextInt(5) == 0 ? "{}" : "{NULL,\"a,b\",\"\\\\\"," + n + "}";
            case "integer[]" -> "{{1," + n + "},{NULL,3}}";
            case "uuid" -> new java.util.UUID(random.nextLong(), random.nextLong()).toString();
            case "inet" -> "10.0." + random.nextInt(256) + ".0/24";
            case "int4range" -> random.nextInt(5) == 0 ? "empty" : "[1," + (2 + random.nextInt(100)) + ")";
            case "xml" -> "<a b=\"" + n + "\">\n</a>";
            case "point" -> "(" + random.nextInt(100) + ",0.1)";
            case "money" -> Integer.toString(n);
            default -> throw new IllegalStateException(type);
        };
        boolean mayBeNull = !KEY_TYPES.contains(type);
        return mayBeNull && random.nextInt(6) == 0 ? "NULL" : Sql.literal(value) + "::" + type;
    }

    private static String contents(TestingDatabase database, Generated generated) {
        return database.value("SELECT count(*) || ' ' || coalesce(string_agg(r, chr(10) ORDER BY r COLLATE \"C\"), '') FROM (SELECT ROW(" + Sql.columns("t.", generated.table().columns())
                + ")::text AS r FROM " + Sql.table(generated.table().name()) + " t) rows");
    }
}
