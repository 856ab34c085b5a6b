package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.masterdata.engine.parts.Part;

/**
 * The columns that identify a row of a table in one database, and how the unique index over them compares values there. Every comparison of
 * keys in SQL is written with the operators of that index, qualified with their schemas: what {@code =} means must depend neither on the
 * search path nor on which types an extension added.
 *
 * @param columns in the order of the data set
 */
public record Key(List<Column> columns) {
    /**
     * A column of a key.
     *
     * @param type      a domain's base type, qualified and quoted
     * @param operators the index's operator class
     * @param equal     the operator, as {@code OPERATOR(schema.=)}; the others likewise
     * @param collate   the clause for the index's collation; mostly empty, for the default one
     * @param canonical equal values have equal text; otherwise a key may be spelled otherwise and stay the same, as 1.0 and 1.00
     */
    record Column(String name, String type, String operators, String equal, String less, String atLeast, String collate, boolean canonical) {}

    public Key {
        columns = List.copyOf(columns);
    }

    public List<String> names() {
        return columns.stream().map(Column::name).toList();
    }

    /** The columns whose text may change while their value stays equal. */
    public Set<String> respellable() {
        return columns.stream().filter(c -> !c.canonical()).map(Column::name).collect(Collectors.toSet());
    }

    /** The columns of a table of the product, or of one that has their names, such as {@code t."id"}. */
    public List<String> of(String alias) {
        return columns.stream().map(c -> alias + "." + Sql.identifier(c.name())).toList();
    }

    /** The columns of a table of ours, which are named by their places so that they meet no name of the product: {@code g.k1}. */
    public List<String> at(String alias) {
        return IntStream.rangeClosed(1, columns.size()).mapToObj(i -> alias + ".k" + i).toList();
    }

    /** {@code t."id" AS k1, …}: makes columns for {@link #at}. */
    public String select(String alias) {
        var columns = of(alias);
        return IntStream.range(0, columns.size()).mapToObj(i -> columns.get(i) + " AS k" + (i + 1)).collect(Collectors.joining(", "));
    }

    /** Whether two keys are equal. No column of either is NULL. */
    public String equal(List<String> left, List<String> right) {
        return IntStream.range(0, columns.size()).mapToObj(i -> compare(i, left.get(i), columns.get(i).equal(), right.get(i))).collect(Collectors.joining(" AND "));
    }

    /** Whether a key is the one that is kept as an array of text. */
    public String equalsText(List<String> left, String array) {
        return equal(left, IntStream.range(0, columns.size()).mapToObj(i -> array + "[" + (i + 1) + "]::" + columns.get(i).type()).toList());
    }

    /** For ORDER BY: the order in which ranges follow each other. */
    public String order(String alias) {
        var columns = of(alias);
        return IntStream.range(0, columns.size())
                .mapToObj(i -> columns.get(i) + this.columns.get(i).collate() + " USING " + this.columns.get(i).less()).collect(Collectors.joining(", "));
    }

    /** For CREATE INDEX: one that answers {@link #equal}. */
    public String index() {
        return columns.stream().map(c -> Sql.identifier(c.name()) + c.collate() + " " + c.operators()).collect(Collectors.joining(", "));
    }

    /** The columns as text, with commas. */
    public static String text(List<String> columns) {
        return columns.stream().map(c -> c + "::pg_catalog.text").collect(Collectors.joining(", "));
    }

    /**
     * Whether a row of {@code alias} lies in the range.
     *
     * @param from  the least key; empty for no bound
     * @param until the least key beyond the range; empty for no bound
     */
    public String within(String alias, List<String> from, List<String> until) {
        var conditions = new ArrayList<String>();
        if (!from.isEmpty()) conditions.add(atLeast(of(alias), literals(from)));
        if (!until.isEmpty()) conditions.add(before(of(alias), literals(until)));
        return conditions.isEmpty() ? "true" : String.join(" AND ", conditions);
    }

    /** Whether a row of {@code alias} lies in one of the parts, which are in the order of the key. */
    public String within(String alias, List<Part> parts) {
        var ranges = new ArrayList<String>();
        for (int i = 0; i < parts.size(); ) {
            int last = i;
            while (last + 1 < parts.size() && parts.get(last + 1).from().equals(parts.get(last).until())) last++;
            ranges.add("(" + within(alias, parts.get(i).from(), parts.get(last).until()) + ")");
            i = last + 1;
        }
        return ranges.isEmpty() ? "false" : String.join(" OR ", ranges);
    }

    /**
     * Whether these keys ascend in this database, by the operators that {@link #within} uses. Then each row is in exactly one of the ranges
     * between them.
     */
    public boolean ascends(Connection connection, List<List<String>> bounds) throws SQLException {
        if (bounds.size() < 2) return true;
        var ascends = new ArrayList<String>();
        for (int i = 1; i < bounds.size(); i++) ascends.add(before(literals(bounds.get(i - 1)), literals(bounds.get(i))));
        try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT " + String.join(" AND ", ascends))) {
            row.next();
            return row.getBoolean(1);
        }
    }

    private List<String> literals(List<String> values) {
        return IntStream.range(0, columns.size()).mapToObj(i -> Sql.literal(values.get(i)) + "::" + columns.get(i).type()).toList();
    }

    private String compare(int i, String left, String operator, String right) {
        return left + columns.get(i).collate() + " " + operator + " " + right;
    }

    private String before(List<String> left, List<String> right) {
        return ordered(left, right, columns.stream().map(Column::less).toList()).orElseGet(() -> {
            String later = "";
            for (int i = columns.size() - 1; i >= 0; i--) {
                String less = compare(i, left.get(i), columns.get(i).less(), right.get(i));
                later = later.isEmpty() ? less : "(" + less + " OR (" + compare(i, left.get(i), columns.get(i).equal(), right.get(i)) + " AND " + later + "))";
            }
            return later;
        });
    }

    private String atLeast(List<String> left, List<String> right) {
        return ordered(left, right, columns.stream().map(Column::atLeast).toList()).orElseGet(() -> "NOT " + before(left, right));
    }

    /** A comparison of rows, which an index can answer; it takes one operator for all columns. */
    private Optional<String> ordered(List<String> left, List<String> right, List<String> operators) {
        if (columns.size() == 1) return Optional.of(compare(0, left.getFirst(), operators.getFirst(), right.getFirst()));
        if (operators.stream().distinct().count() > 1) return Optional.empty();
        String collated = IntStream.range(0, columns.size()).mapToObj(i -> left.get(i) + columns.get(i).collate()).collect(Collectors.joining(", "));
        return Optional.of("ROW(" + collated + ") " + operators.getFirst() + " ROW(" + String.join(", ", right) + ")");
    }
}
