package lockstep.masterdata.engine;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.landscape.TableName;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * A schema generated from a seed: master tables with keys, unique columns and foreign keys of many types, and visitors' tables that refer
 * to them. Each key, unique column and reference has a number, its class: values are equal according to the product's operators if their
 * classes are equal, however they are spelled. So a test can predict the result without comparing the values themselves.
 */
final class GeneratedProduct {
    /** Rows of the source have classes below this one; a shard's own rows have higher ones. */
    static final int CLASSES = 24;
    /** The types that products use, created once in a database. */
    static final String[] TYPES_DDL = {
            "CREATE SCHEMA ext", "CREATE EXTENSION citext SCHEMA ext", "CREATE EXTENSION ltree SCHEMA ext",
            "CREATE EXTENSION cube SCHEMA ext",
            "CREATE COLLATION ext.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
            "CREATE COLLATION ext.no_accents (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
            "CREATE DOMAIN ext.code AS ext.citext CHECK (length(VALUE::text) > 0)", "CREATE DOMAIN ext.ci_text AS text COLLATE ext.ci",
            "CREATE DOMAIN ext.amount AS numeric CHECK (VALUE >= 0)",
            "CREATE DOMAIN ext.small AS ext.amount", "CREATE TYPE ext.pair AS (a numeric, b text)",
            "CREATE TYPE ext.ci_range AS RANGE (SUBTYPE = text, COLLATION = ext.ci)",
            "DO $$ BEGIN EXECUTE 'CREATE TYPE ext.kind AS ENUM (' || (SELECT string_agg(quote_literal('k' || i), ', ' ORDER BY i DESC) "
                    + "FROM "
                    + "generate_series(0, 49) i) || ')'; END $$"};

    /** @param forVisitors types of visitors' columns that can refer to one of this type */
    record Type(String name, List<String> forVisitors, List<Function<Integer, String>> spellings) {
        /** Returns an SQL literal of the class for a column. */
        String literal(String column, int of, Random random) {
            String text = column.matches("int|bigint|smallint") ? Integer.toString(of) : spellings.get(random.nextInt(spellings.size()))
                    .apply(of);
            return Sql.literal(text);
        }
    }

    private static Type type(String name, String forVisitors, List<Function<Integer, String>> spellings) {
        return new Type(name, List.of(forVisitors.split("; ")), spellings);
    }

    /** @param spellings SQL with {@code #} for the class and {@code ##} for the next one */
    private static Type type(String name, String forVisitors, String... spellings) {
        return new Type(name, List.of(forVisitors.split("; ")), List.of(spellings).stream().<Function<Integer,
                String>>map(s -> of -> s.replace("##", Integer.toString(of + 1)).replace("#", Integer.toString(of))).toList());
    }

    private static final List<Type> TYPES = List.of(
            type("int", "int; bigint; smallint", "#"), type("bigint", "bigint; int; smallint", "#"),
            type("smallint", "smallint; int; bigint", "#"), type("text", "text; varchar; varchar(20)", "v#"),
            type("text COLLATE \"C\"", "text COLLATE \"C\"; text COLLATE \"en-x-icu\"; varchar(9)", "v#"),
            type("varchar(20)", "varchar(20); text", "v#"), type("name", "name; text", "v#"),
            type("text COLLATE ext.ci", "text COLLATE ext.ci; text; varchar(20)", "Val #", "VAL #", "val #"),
            type("text COLLATE ext.no_accents", "text COLLATE ext.no_accents; text", "é#", "E#", "e#"),
            type("varchar(12) COLLATE ext.ci", "varchar(12) COLLATE ext.ci; text COLLATE ext.ci", "Val #", "VAL #"),
            type("ext.ci_text", "ext.ci_text; text", "Val #", "vAL #"),
            type("ext.citext", "ext.citext; ext.code", "Val #", "VAL #", "val #"),
            type("ext.code", "ext.citext; ext.code", "Val #", "VAL #"), type("numeric", "numeric; numeric(12,3); int", "#", "#.0", "#.000"),
            type("numeric(10,2)", "numeric(10,2); numeric", "#", "#.0"), type("ext.amount", "ext.amount; numeric", "#", "#.00"),
            type("ext.small", "ext.amount; numeric(9,1)", "#", "#.00"), type("char(8)", "char(8); bpchar; char(12)", "v#"),
            type("bpchar", "bpchar; char(9)", "v#", "v#  ", "v# "),
            type("char(8) COLLATE ext.ci", "char(8) COLLATE ext.ci; bpchar", "v#", "V#"),
            type("double precision", "double precision; real", List.of(of -> Integer.toString(of), of -> of == 0 ? "-0" : of + ".0")),
            type("interval", "interval", List.of(of -> of + " days", of -> of * 24 + ":00:00")),
            type("jsonb", "jsonb", "{\"n\": #}", "{\"n\": #.0}", "{\"n\": #.00}"), type("numrange", "numrange", "[#,##)", "[#.0,##.00)"),
            type("nummultirange", "nummultirange", "{[#,##)}", "{[#.0,##)}"), type("ext.ci_range", "ext.ci_range", "[a#,z)", "[A#,z)"),
            type("numeric[]", "numeric[]", "{#,NULL}", "{#.0,NULL}"),
            type("text[] COLLATE ext.ci", "text[] COLLATE ext.ci; text[]", "{Val #}", "{VAL #}"),
            type("ext.citext[]", "ext.citext[]", "{Val #}", "{val #}"), type("ext.ltree", "ext.ltree", "Top.v#"),
            type("ext.pair", "ext.pair", "(#,x)", "(#.0,x)"),
            type("ext.cube", "ext.cube", List.of(of -> "(" + of + ")", of -> of == 0 ? "(-0)" : "(" + of + ".0)")),
            type("ext.kind", "ext.kind", "k#"), type("bytea", "bytea", "v#"),
            type("date", "date; timestamp", List.of(of -> LocalDate.of(2026, 1, 1).plusDays(of).toString())),
            type("timestamptz", "timestamptz", List.of(of -> "2026-01-01 00:00:00." + (of + 100) + "+00", of -> "2026-01-01 09:00:00."
                    + (of + 100) + "+09")),
            type("inet", "inet; cidr", "10.0.0.#"),
            type("uuid", "uuid", List.of(of -> new UUID(of * 1234567L, of).toString())));
    private static final List<String> NAMES = List.of("n", "t", "s", "g", "k", "c", "m", "o", "key", "{key}", "{table}", "select", "größe",
            "a b", "a\"b", "own", "place", "lockstep_kept", "A", "hash", "row");
    private static final List<String> VALUE_TYPES = List.of("text", "integer", "numeric", "numeric(20,5)", "double precision", "real",
            "boolean", "date", "timestamptz", "timestamp", "interval", "bytea", "jsonb", "json", "text[]", "integer[]", "uuid", "inet",
            "int4range",
            "varchar(40)", "xml", "point", "money", "ext.citext");
    private static final List<String> TEXTS = List.of("", " ", "\\N", "\\", "\t", "a\tb", "line\nline", "\r\n", "\\.",
            "\"quoted\" 'single'", "漢字かな", "🙂👩‍⚕️", "{}", "NULL", "{key}", "\u0001\u007f", "x".repeat(3000), "\\t\\n", "tab\\\tand\\\\");

    record Column(String name, Type type) {
        String quoted() {
            return TestingShards.quoted(name);
        }
    }

    /**
     * A foreign key to a master table.
     *
     * @param of       the column with the class of the row that it refers to
     * @param columns  the referring columns
     * @param byUnique whether it refers to the unique column instead of the key
     */
    record Reference(Master parent, boolean byUnique, String of, List<String> columns, List<String> types, String onDelete,
            String onUpdate, String deferrable) {
        List<Column> parentColumns() {
            return byUnique ? List.of(parent.unique) : parent.key;
        }

        String ddl() {
            return "FOREIGN KEY (" + columns.stream().map(TestingShards::quoted).collect(Collectors.joining(", ")) + ") REFERENCES "
                    + parent.sql + " (" + parentColumns().stream().map(Column::quoted).collect(Collectors.joining(", "))
                    + ") ON DELETE " + onDelete + " ON UPDATE " + onUpdate + deferrable;
        }

        String columnsDdl(boolean notNull) {
            return TestingShards.quoted(of) + " int, " + IntStream.range(0, columns.size())
                    .mapToObj(i -> TestingShards.quoted(columns.get(i)) + " " + types.get(i) + (notNull ? " NOT NULL" : ""))
                    .collect(Collectors.joining(", "));
        }

        /** Returns values of the class for {@link #columns}, or NULLs without a class. */
        List<String> literals(Integer of, Random random) {
            var parents = parentColumns();
            return IntStream.range(0, columns.size()).mapToObj(i -> of == null ? "NULL" : parents.get(i).type().literal(types.get(i),
                    parents.size() == 1 ? of : i == 0 ? of / 100 : of % 100, random)).toList();
        }
    }

    /** A table of the data set. */
    static final class Master {
        String sql;
        /** One or two columns; with two, the class is 100 times the first column's class plus the second's. */
        List<Column> key;
        /** Null if there is none. */
        Column unique;
        boolean uniqueNullable;
        final List<Column> values = new ArrayList<>();
        final List<String> valueTypes = new ArrayList<>();
        final List<Reference> references = new ArrayList<>();
        boolean filtered;
        boolean identity;
        String ddl;

        List<String> columns() {
            var columns = new ArrayList<String>(List.of("kc"));
            key.forEach(c -> columns.add(c.name()));
            if (unique != null) columns.addAll(List.of("uc", unique.name()));
            for (var reference : references) {
                columns.add(reference.of());
                columns.addAll(reference.columns());
            }
            values.forEach(c -> columns.add(c.name()));
            if (filtered) columns.add("kind");
            if (identity) columns.add("idn");
            return columns;
        }

        List<String> keyLiterals(int of, Random random) {
            return key.size() == 1 ? List.of(key.getFirst().type().literal("", of, random))
                    : List.of(key.getFirst().type().literal("", of / 100, random), key.getLast().type().literal("", of % 100, random));
        }

        @Override
        public String toString() {
            return sql;
        }
    }

    /** A table outside the data set, and a shadow table without a foreign key that contains what visitors wrote. */
    record Visitors(String sql, String shadow, Reference reference, boolean notNull) {}

    final List<Master> masters = new ArrayList<>();
    final List<Visitors> visitors = new ArrayList<>();
    final List<String> schemas;
    final List<String> mastersDdl = new ArrayList<>();
    final List<String> visitorsDdl = new ArrayList<>();
    final DataSet dataSet;
    private final Random random;
    private final boolean oddNames;

    GeneratedProduct(long seed, Random random) {
        this.random = random;
        oddNames = random.nextInt(3) == 0;
        String schema = oddNames ? "\"G.{" + seed + "}\"" : "g" + seed;
        String own = oddNames ? "\"v \"\"" + seed + "\"\"\"" : "v" + seed;
        schemas = List.of(schema, own);
        schemas.forEach(s -> mastersDdl.add("CREATE SCHEMA " + s));
        int tables = 1 + random.nextInt(3);
        for (int i = 0; i < tables; i++) master(schema, i);
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            var parent = masters.get(random.nextInt(masters.size()));
            boolean notNull = random.nextInt(5) == 0;
            var reference = reference(parent, "rc", "r", List.of("NO ACTION", "CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"), true);
            var visit = new Visitors(own + ".visit" + i, own + ".shadow" + i, reference, notNull);
            visitors.add(visit);
            visitorsDdl.add("CREATE TABLE " + visit.sql() + " (id int PRIMARY KEY, " + reference.columnsDdl(notNull) + ", note text, "
                    + reference.ddl() + ")");
            visitorsDdl.add("CREATE TABLE " + visit.shadow() + " (id int PRIMARY KEY, " + reference.columnsDdl(false) + ", note text)");
        }
        var inFileOrder = new ArrayList<>(masters);
        if (random.nextBoolean()) java.util.Collections.reverse(inFileOrder);
        dataSet = new DataSet("seed-" + seed, "source", inFileOrder.stream()
                .map(m -> new Table(TableName.parse(m.sql).toString(), m.columns(), m.key.stream().map(Column::name).toList(),
                        m.filtered ? Optional.of("kind <> 'local'") : Optional.empty()))
                .toList());
    }

    String ddl() {
        return String.join(";\n", mastersDdl) + ";\n" + String.join(";\n", visitorsDdl) + ";";
    }

    private <T> T one(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private Column column(List<String> taken, String plain, Type type) {
        String name = plain;
        while (oddNames && random.nextBoolean() && taken.contains(name = one(NAMES))) continue;
        if (taken.contains(name)) name = plain;
        taken.add(name);
        return new Column(name, type);
    }

    private void master(String schema, int number) {
        var master = new Master();
        master.sql = schema + "." + (oddNames ? "\"T." + number + " {table}\"" : "t" + number);
        var taken = new ArrayList<String>();
        master.key = IntStream.range(0, random.nextInt(4) == 0 ? 2 : 1).mapToObj(i -> column(taken, "k" + i, one(TYPES))).toList();
        boolean partitioned = random.nextInt(6) == 0 && master.key.getFirst().type().name().matches("int|bigint|text|varchar\\(20\\)");
        if (!partitioned && random.nextInt(5) < 3) {
            master.unique = column(taken, "u", one(TYPES));
            master.uniqueNullable = random.nextBoolean();
        }
        for (int i = 0; i < random.nextInt(4); i++) {
            String type = one(VALUE_TYPES);
            master.valueTypes.add(type);
            master.values.add(column(taken, "v" + i, null));
        }
        master.filtered = random.nextInt(5) == 0;
        master.identity = random.nextInt(5) == 0;
        if (!masters.isEmpty() && random.nextInt(3) > 0)
            master.references.add(reference(one(masters), "p0", "r0_", random.nextInt(4) == 0 ? List.of("CASCADE", "SET NULL")
                    : List.of("NO ACTION"), false));
        masters.add(master);
        if (random.nextInt(4) == 0) master.references.add(reference(master, "p1", "r1_", random.nextInt(4) == 0 ? List.of("CASCADE")
                : List.of("NO ACTION"), false));
        var ddl = new ArrayList<String>();
        ddl.add("kc int NOT NULL");
        for (Column key : master.key) ddl.add(key.quoted() + " " + key.type().name() + " NOT NULL");
        if (master.unique != null) {
            ddl.add("uc int");
            ddl.add(master.unique.quoted() + " " + master.unique.type().name() + (master.uniqueNullable ? "" : " NOT NULL"));
        }
        for (var reference : master.references) ddl.add(reference.columnsDdl(false));
        for (int i = 0; i < master.values.size(); i++) ddl.add(master.values.get(i).quoted() + " " + master.valueTypes.get(i));
        if (master.filtered) ddl.add("kind text NOT NULL");
        if (master.identity) ddl.add("idn bigint GENERATED ALWAYS AS IDENTITY");
        ddl.add((random.nextInt(4) == 0 ? "UNIQUE (" : "PRIMARY KEY (") + master.key.stream().map(Column::quoted)
                .collect(Collectors.joining(", ")) + ")");
        if (master.unique != null) ddl.add("UNIQUE (" + master.unique.quoted() + ")");
        for (var reference : master.references) ddl.add(reference.ddl());
        mastersDdl.add("CREATE TABLE " + master.sql + " (" + String.join(", ", ddl) + ")"
                + (partitioned ? " PARTITION BY HASH (" + master.key.getFirst().quoted() + ")" : ""));
        if (partitioned)
            for (int i = 0; i < 2; i++) mastersDdl.add("CREATE TABLE " + schema + ".\"" + number + ".part" + i + "\" PARTITION OF "
                    + master.sql + " FOR VALUES WITH (MODULUS 2, REMAINDER " + i + ")");
    }

    private Reference reference(Master parent, String of, String prefix, List<String> onDelete, boolean visitors) {
        boolean byUnique = parent.unique != null && random.nextBoolean();
        var columns = byUnique ? List.of(parent.unique) : parent.key;
        String onUpdate = visitors ? one(List.of("NO ACTION", "NO ACTION", "CASCADE", "RESTRICT", "SET NULL", "SET DEFAULT"))
                : random.nextInt(4) == 0 ? "CASCADE" : "NO ACTION";
        var types = columns.stream().map(c -> one(c.type().forVisitors())).toList();
        String deleting = one(onDelete);
        String deferrable = one(List.of("", "", "", "", " DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE"));
        // To cascade a value, PostgreSQL 17 finds referring rows by their own collation, and leaves dangling references in other rows
        boolean carries = IntStream.range(0, columns.size()).allMatch(i -> collation(columns.get(i).type().name())
                .equals(collation(types.get(i))));
        return new Reference(parent, byUnique, of, IntStream.range(0, columns.size()).mapToObj(i -> prefix + i).toList(), types, deleting,
                onUpdate.equals("CASCADE") && !carries ? "NO ACTION" : onUpdate, deferrable);
    }

    /** Returns the collation of a type, if it is relevant for equality. */
    private static String collation(String type) {
        return type.contains("ext.no_accents") ? "ext.no_accents" : type.matches(".*ext\\.ci(_text)?$") ? "ext.ci" : "";
    }

    /** Returns a literal for a type of {@link Master#valueTypes}, or NULL. */
    String value(String type) {
        int n = random.nextInt();
        String value = switch (type) {
            case "text" -> one(TEXTS) + (random.nextInt(3) == 0 ? "" : n);
            case "varchar(40)", "ext.citext" -> "v" + n;
            case "integer" -> Integer.toString(n);
            case "numeric" -> n + "." + "0".repeat(random.nextInt(5)) + random.nextInt(3);
            case "numeric(20,5)" -> n + ".12345";
            case "double precision", "real" -> random.nextInt(4) == 0 ? one(List.of("NaN", "Infinity", "-0", "1e-30"))
                    : Double.toString(random.nextGaussian());
            case "boolean" -> Boolean.toString(random.nextBoolean());
            case "date" -> "20" + (10 + random.nextInt(80)) + "-0" + (1 + random.nextInt(9)) + "-1" + random.nextInt(10);
            case "timestamptz", "timestamp" -> random.nextInt(9) == 0 ? "infinity" : "2026-03-29 0" + random.nextInt(10) + ":30:00."
                    + random.nextInt(1_000_000) + "+02";
            case "interval" -> n % 1000 + " days " + random.nextInt(60) + " seconds";
            case "bytea" -> "\\x" + "00ff0a09".repeat(random.nextInt(4));
            case "jsonb", "json" -> "{\"b\": [1.0, 1.00, null], \"a\": \"" + n + "\\u3042\\t\"}";
            case "text[]" -> random.nextInt(5) == 0 ? "{}" : "{NULL,\"a,b\",\"\\\\\"," + n + "}";
            case "integer[]" -> "{{1," + n + "},{NULL,3}}";
            case "uuid" -> new UUID(random.nextLong(), random.nextLong()).toString();
            case "inet" -> "10.0." + random.nextInt(256) + ".0/24";
            case "int4range" -> random.nextInt(5) == 0 ? "empty" : "[1," + (2 + random.nextInt(100)) + ")";
            case "xml" -> random.nextInt(5) == 0 ? "text <a/>" : "<a b=\"" + n + "\">\n</a>";
            case "point" -> "(" + random.nextInt(100) + ",0.1)";
            case "money" -> Integer.toString(n);
            default -> throw new IllegalStateException(type);
        };
        return random.nextInt(6) == 0 ? "NULL" : Sql.literal(value);
    }
}
