package lockstep.landscape;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A schema-qualified table name. {@link #toString} writes it as in SQL, with quotes only where they are needed, so that equal names
 * have equal text: {@code master.drug}, {@code "Order Desk"."lineItem"}.
 *
 * @param schema as the catalog stores it
 * @param table  as the catalog stores it
 */
public record TableName(String schema, String table) {
    /** PostgreSQL's NAMEDATALEN minus one. */
    public static final int MAX_BYTES = 63;

    private static final String PLAIN = "[a-z_][a-z0-9_]*";
    private static final String PART = "(" + PLAIN + "|\"(?:[^\"\\x00-\\x1f\\x7f]|\"\")+\")";
    static final Pattern PATTERN = Pattern.compile(PART + "\\." + PART);

    public TableName {
        for (String part : new String[]{schema, table})
            if (part.isEmpty() || part.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES)
                throw new IllegalArgumentException("a PostgreSQL name has 1 to " + MAX_BYTES + " bytes, but '" + part + "' has "
                        + part.getBytes(StandardCharsets.UTF_8).length);
    }

    /**
     * Parses a name written as in SQL. A name with characters other than lowercase letters, digits and underscores must be quoted.
     *
     * @throws IllegalArgumentException if the name is invalid
     */
    public static TableName parse(String sql) {
        Matcher parts = PATTERN.matcher(sql);
        if (!parts.matches()) throw new IllegalArgumentException(
                "'" + sql + "' is not a table name as in SQL, such as master.drug or \"Order Desk\".\"lineItem\"");
        return new TableName(unquoted(parts.group(1)), unquoted(parts.group(2)));
    }

    private static String unquoted(String part) {
        return part.startsWith("\"") ? part.substring(1, part.length() - 1).replace("\"\"", "\"") : part;
    }

    private static String quoted(String part) {
        return part.matches(PLAIN) ? part : '"' + part.replace("\"", "\"\"") + '"';
    }

    @Override
    public String toString() {
        return quoted(schema) + "." + quoted(table);
    }
}
