package lockstep.migration.source;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import lockstep.masterdata.engine.copy.Column;
import lockstep.masterdata.engine.copy.CopyText;
import lockstep.masterdata.engine.copy.CopyText.ByteSink;

/**
 * A column of MySQL: the PostgreSQL type in which it lands, and how its values become COPY text. Every value keeps its meaning, and the
 * text is exactly what PostgreSQL writes for it, so that digests of both sides can be compared. docs/migrate.md has the table of types.
 */
record MySqlColumn(String name, Kind kind, String landing) {
    /** How a value is read. The server sends text, except for bytes and bits. */
    enum Kind {
        /** Digits that mean the same in PostgreSQL. */
        NUMBER,
        /** The server writes a FLOAT with six digits only, so it is read as a DOUBLE. */
        FLOAT, DOUBLE, TEXT, BYTES, BITS,
        /** Fractions of a second without trailing zeros. */
        DATE, TIME, TIMESTAMP, TIMESTAMP_WITH_ZONE
    }

    /**
     * Returns the column, or empty if its type is not supported.
     *
     * @param dataType   the name of its type
     * @param columnType the type as MySQL declares it, such as {@code int unsigned zerofill}
     * @param precision  of DECIMAL; the length of BIT
     */
    static Optional<MySqlColumn> of(String name, String dataType, String columnType, long precision, long scale) {
        boolean unsigned = columnType.contains("unsigned");
        Kind kind = switch (dataType.toLowerCase(Locale.ROOT)) {
            case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year" -> Kind.NUMBER;
            case "float" -> Kind.FLOAT;
            case "double" -> Kind.DOUBLE;
            case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json" -> Kind.TEXT;
            case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob" -> Kind.BYTES;
            case "bit" -> Kind.BITS;
            case "date" -> Kind.DATE;
            case "time" -> Kind.TIME;
            case "datetime" -> Kind.TIMESTAMP;
            case "timestamp" -> Kind.TIMESTAMP_WITH_ZONE;
            default -> null;
        };
        if (kind == null) return Optional.empty();
        String landing = switch (dataType.toLowerCase(Locale.ROOT)) {
            case "tinyint", "year" -> "smallint";
            case "smallint" -> unsigned ? "integer" : "smallint";
            case "mediumint" -> "integer";
            case "int" -> unsigned ? "bigint" : "integer";
            case "bigint" -> unsigned ? "numeric(20,0)" : "bigint";
            case "decimal" -> "numeric(" + precision + "," + scale + ")";
            case "float" -> "real";
            case "double" -> "double precision";
            case "json" -> "json";
            case "bit" -> "bit(" + precision + ")";
            case "date" -> "date";
            case "time" -> "interval";
            case "datetime" -> "timestamp without time zone";
            case "timestamp" -> "timestamp with time zone";
            default -> kind == Kind.BYTES ? "bytea" : "text";
        };
        return Optional.of(new MySqlColumn(name, kind, landing));
    }

    static String quoted(String name) {
        return '`' + name.replace("`", "``") + '`';
    }

    Column column() {
        return new Column(name, landing);
    }

    /** The expression that is selected. */
    String selected() {
        return kind == Kind.FLOAT ? "CAST(" + quoted(name) + " AS DOUBLE)" : quoted(name);
    }

    /** A condition of values that PostgreSQL can't hold, with what they are. */
    record Unusable(String condition, String what, String remedy) {}

    List<Unusable> unusable() {
        String quoted = quoted(name);
        return switch (kind) {
            case DATE, TIMESTAMP, TIMESTAMP_WITH_ZONE -> List.of(
                    new Unusable("(" + quoted + " IS NOT NULL AND (YEAR(" + quoted + ") = 0 OR MONTH(" + quoted + ") = 0 OR DAY(" + quoted
                            + ") = 0))", "a date with a zero, such as 0000-00-00, which PostgreSQL does not know",
                            "set it to NULL or to a date at the source"));
            case TEXT -> List.of(
                    new Unusable("INSTR(CAST(CONVERT(" + quoted + " USING utf8mb4) AS BINARY), 0x00) > 0",
                            "the character U+0000, which PostgreSQL's text can't hold", "remove it at the source"));
            default -> List.of();
        };
    }

    /** Writes a non-NULL value as COPY text. */
    void write(byte[] value, ByteSink line) {
        switch (kind) {
            case NUMBER -> ascii(number(value), line);
            case FLOAT -> ascii(FloatText.of((float) Double.parseDouble(text(value))), line);
            case DOUBLE -> ascii(FloatText.of(Double.parseDouble(text(value))), line);
            case TEXT -> CopyText.escape(value, line);
            case BYTES -> {
                ascii("\\\\x", line);
                for (byte next : value) {
                    line.write((byte) HexFormat.of().toHighHexDigit(next));
                    line.write((byte) HexFormat.of().toLowHexDigit(next));
                }
            }
            case BITS -> {
                int bits = Integer.parseInt(landing.substring(4, landing.length() - 1));
                for (int bit = bits - 1; bit >= 0; bit--)
                    line.write((byte) ('0' + (value[value.length - 1 - bit / 8] >> bit % 8 & 1)));
            }
            case DATE -> ascii(text(value), line);
            case TIME -> ascii(interval(text(value)), line);
            case TIMESTAMP -> ascii(withoutZeros(text(value)), line);
            case TIMESTAMP_WITH_ZONE -> ascii(withoutZeros(text(value)) + "+00", line);
        }
    }

    /** Removes what ZEROFILL adds. */
    private static String number(byte[] value) {
        int zeros = 0;
        while (zeros + 1 < value.length && value[zeros] == '0' && value[zeros + 1] != '.') zeros++;
        return new String(value, zeros, value.length - zeros, StandardCharsets.ISO_8859_1);
    }

    /** Returns a time such as -838:59:59.5 as an ISO 8601 duration. */
    private static String interval(String time) {
        String sign = time.startsWith("-") ? "-" : "";
        String[] fields = time.substring(sign.length()).split(":");
        var text = new StringBuilder("PT");
        for (int i = 0; i < 3; i++) {
            String field = new BigDecimal(fields[i]).stripTrailingZeros().toPlainString();
            if (!field.equals("0")) text.append(sign).append(field).append("HMS".charAt(i));
        }
        return text.length() == 2 ? "PT0S" : text.toString();
    }

    private static String withoutZeros(String time) {
        if (time.indexOf('.') < 0) return time;
        int end = time.length();
        while (time.charAt(end - 1) == '0') end--;
        return time.substring(0, time.charAt(end - 1) == '.' ? end - 1 : end);
    }

    private static String text(byte[] value) {
        return new String(value, StandardCharsets.ISO_8859_1);
    }

    private static void ascii(String text, ByteSink line) {
        for (int i = 0; i < text.length(); i++) line.write((byte) text.charAt(i));
    }
}
