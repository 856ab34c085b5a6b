package lockstep.migration.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import lockstep.masterdata.engine.postgres.PostgresDatabase;
import lockstep.migration.MemoryStore;
import lockstep.migration.Servers;
import lockstep.migration.land.Landing;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Lands values of each type of MySQL 8 in PostgreSQL, reads them back, and compares them as text and as values. */
@Tag("nightly")
class MySqlTypesTest {
    /**
     * @param type     in MySQL
     * @param inserted values as SQL of MySQL
     * @param landing  the type in PostgreSQL
     * @param equal    conditions of PostgreSQL on {@code v} that hold for the values, in the same order
     */
    record Type(String type, List<String> inserted, String landing, List<String> equal) {
        @Override
        public String toString() {
            return type;
        }
    }

    static Stream<Type> types() {
        return Stream.of(
                new Type("tinyint", List.of("-128", "127", "NULL"), "smallint", List.of("v = -128", "v = 127", "v IS NULL")),
                new Type("tinyint unsigned", List.of("255"), "smallint", List.of("v = 255")),
                new Type("tinyint(1)", List.of("2", "TRUE"), "smallint", List.of("v = 2", "v = 1")),
                new Type("smallint", List.of("-32768"), "smallint", List.of("v = -32768")),
                new Type("smallint unsigned", List.of("65535"), "integer", List.of("v = 65535")),
                new Type("mediumint unsigned", List.of("16777215"), "integer", List.of("v = 16777215")),
                new Type("int", List.of("-2147483648"), "integer", List.of("v = -2147483648")),
                new Type("int unsigned", List.of("4294967295"), "bigint", List.of("v = 4294967295")),
                new Type("int(10) unsigned zerofill", List.of("42", "0"), "bigint", List.of("v = 42", "v = 0")),
                new Type("bigint", List.of("-9223372036854775808"), "bigint", List.of("v = -9223372036854775808")),
                new Type("bigint unsigned", List.of("18446744073709551615"), "numeric(20,0)", List.of("v = 18446744073709551615")),
                new Type("decimal(10,2)", List.of("-0.50", "12345678.90"), "numeric(10,2)", List.of("v = -0.5", "v = 12345678.9")),
                new Type("decimal(65,30)", List.of("12345678901234567890123456789012345.123456789012345678901234567891"), "numeric(65,30)",
                        List.of("v = 12345678901234567890123456789012345.123456789012345678901234567891")),
                new Type("decimal(6,2) unsigned zerofill", List.of("0.5", "12.5"), "numeric(6,2)", List.of("v = 0.5", "v = 12.5")),
                new Type("float", List.of("0.1", "16777216", "1e20", "1.17549e-38", "123456.789"), "real", List.of("v = 0.1::real",
                        "v = 16777216::real", "v = 1e20::real", "v = 1.17549e-38::real", "v = 123456.789::real")),
                new Type("double", List.of("0.1", "1e15", "1e308", "-1.5e-300", "0"), "double precision", List.of("v = 0.1", "v = 1e15",
                        "v = 1e308::float8", "v = -1.5e-300::float8", "v = 0")),
                new Type("bit(1)", List.of("b'1'", "b'0'"), "bit(1)", List.of("v = B'1'", "v = B'0'")),
                new Type("bit(11)", List.of("b'10000000001'"), "bit(11)", List.of("v = B'10000000001'")),
                new Type("bit(64)", List.of("b'1'"), "bit(64)", List.of("v::bigint = 1")),
                new Type("year", List.of("1901", "2155", "0"), "smallint", List.of("v = 1901", "v = 2155", "v = 0")),
                new Type("date", List.of("'1000-01-01'", "'9999-12-31'"), "date", List.of("v = '1000-01-01'", "v = '9999-12-31'")),
                new Type("time", List.of("'838:59:59'", "'-838:59:59'", "'00:00:00'", "'-00:00:01'"), "interval",
                        List.of("v = '838:59:59'", "v = '-838:59:59'", "v = '0'", "v = '-1 second'")),
                new Type("time(6)", List.of("'01:00:00.500000'", "'-12:30:00.000001'"), "interval",
                        List.of("v = '1 hour 0.5 seconds'", "v = '-12:30:00.000001'")),
                new Type("datetime", List.of("'2024-02-29 23:59:59'"), "timestamp without time zone", List.of("v = '2024-02-29 23:59:59'")),
                new Type("datetime(6)", List.of("'2024-02-29 23:59:59.120000'", "'2024-01-01 00:00:00'"), "timestamp without time zone",
                        List.of("v = '2024-02-29 23:59:59.12'", "v = '2024-01-01'")),
                new Type("timestamp(3) NULL", List.of("'2024-07-01 12:00:00.007'"), "timestamp with time zone",
                        List.of("v = '2024-07-01 12:00:00.007+00'")),
                new Type("char(10)", List.of("'ab  '", "''"), "text", List.of("v = 'ab'", "v = ''")),
                new Type("varchar(20) CHARACTER SET latin1", List.of("'größe €'"), "text", List.of("v = 'größe €'")),
                new Type("varchar(20) CHARACTER SET utf16", List.of("'naïve'"), "text", List.of("v = 'naïve'")),
                new Type("text CHARACTER SET utf8mb4", List.of("'😀\\t\\n\\\\N\\r'", "'\\\\.'", "NULL"), "text",
                        List.of("v = E'😀\\t\\n\\\\N\\r'", "v = E'\\\\.'", "v IS NULL")),
                new Type("binary(4)", List.of("x'00ff'"), "bytea", List.of("v = '\\x00ff0000'")),
                new Type("varbinary(9)", List.of("x'5c090a'", "x''"), "bytea", List.of("v = '\\x5c090a'", "v = ''")),
                new Type("longblob", List.of("REPEAT(x'c3', 70000)"), "bytea", List.of("length(v) = 70000")),
                new Type("enum('o','p, q','')", List.of("'o'", "'p, q'", "''"), "text", List.of("v = 'o'", "v = 'p, q'", "v = ''")),
                new Type("set('a','b','c')", List.of("'c,a'", "''"), "text", List.of("v = 'a,c'", "v = ''")),
                new Type("json", List.of("'{\"b\": [1, 2.50, null], \"a\": \"\\\\u00e4\\\\n\"}'", "'1e100'"), "json",
                        List.of("v::jsonb = '{\"a\": \"ä\\n\", \"b\": [1, 2.5, null]}'", "v::text = '1e100'")));
    }

    @ParameterizedTest
    @MethodSource("types")
    void everyValueArrives(Type type) {
        var mySql = Servers.mySql();
        mySql.execute("SET NAMES utf8mb4; SET time_zone = '+00:00'; CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, v " + type.type()
                + "); INSERT INTO t (v) VALUES (" + String.join("), (", type.inserted()) + ")");
        var source = new MySqlSource(mySql.login());
        var tables = source.tables();
        assertEquals(type.landing(), tables.getFirst().columns().getLast().type());
        var target = Servers.database();
        // compares the digest of what was sent with that of what PostgreSQL writes
        new Landing("m", new PostgresDatabase(target), new MemoryStore(), 1).land(source, tables, progress -> {});
        for (int i = 0; i < type.equal().size(); i++)
            assertEquals(List.of("t"),
                    Servers.query(target, "SELECT " + type.equal().get(i) + " FROM migrate_m_old.t WHERE id = " + (i + 1)),
                    type.equal().get(i) + ": " + Servers.query(target, "SELECT v::text FROM migrate_m_old.t"));
        assertEquals(List.of("" + type.inserted().size()), Servers.query(target, "SELECT count(*) FROM migrate_m_old.t"));
    }

    @Test
    void whatPostgresCannotHoldIsReportedWithCountsAndExamples() {
        var mySql = Servers.mySql();
        mySql.execute("SET sql_mode = ''; CREATE TABLE t (id int PRIMARY KEY, day date, at datetime, note varchar(9), place point); "
                + "INSERT INTO t VALUES (1, '0000-00-00', '2024-00-01', 'a\\0b', NULL), (2, '2024-01-00', NULL, 'b', NULL), "
                + "(3, '2024-01-01', '2024-01-01', 'c', NULL); CREATE TABLE nokey (a int)");
        var source = new MySqlSource(mySql.login());
        assertEquals(List.of(
                "nokey: it has no primary key, so it is read by one connection, and its changes can't be followed; add a primary key if it "
                        + "changes during the migration",
                "t.place: values of type point can't be copied; leave the table out, or copy the column at the source into one of another "
                        + "type, such as ST_AsText or ST_AsWKB of a geometry",
                "t.day: 2 rows have a date with a zero, such as 0000-00-00, which PostgreSQL does not know, such as id = 1; 2; set it to "
                        + "NULL or to a date at the source",
                "t.at: 1 rows have a date with a zero, such as 0000-00-00, which PostgreSQL does not know, such as id = 1; set it to NULL "
                        + "or to a date at the source",
                "t.note: 1 rows have the character U+0000, which PostgreSQL's text can't hold, such as id = 1; remove it at the source"),
                source.findings(source.tables()).stream().map(Finding::toString).toList());
    }

    @Test
    void whatKeepsChangesFromBeingFollowedIsReported() {
        var mySql = Servers.mySql();
        mySql.execute("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, parent int, "
                + "CONSTRAINT up FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE); SET GLOBAL binlog_row_metadata = MINIMAL");
        try {
            var source = new MySqlSource(mySql.login());
            var findings = source.findings(source.tables());
            assertTrue(findings.stream().noneMatch(Finding::refuses), findings::toString);
            assertEquals(List.of("the server: binlog_row_metadata is MINIMAL, so changes can't be followed; set it to FULL",
                    "child: foreign key up cascades, and the binary log of this version does not contain what it changes; upgrade to MySQL "
                            + "9.6, or delete and update the rows of child explicitly while changes are followed"),
                    findings.stream().map(Finding::toString).toList());
        } finally {
            mySql.execute("SET GLOBAL binlog_row_metadata = FULL");
        }
    }
}
