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
 * The key columns of a table in one database, with the operators of the unique index over them. Every comparison of keys in SQL uses the
 * operators of that index, qualified with their schemas, so that its meaning depends neither on the search path nor on types that an
 * extension has added.
 *
 * @param columns in the order of the data set
 */
public record Key(List<Column> columns) {
    /**
     * A column of a key.
     *
     * @param type      the type, or the base type of a domain, qualified and quoted
     * @param operators the index's operator class
     * @param equal     the operator as {@code OPERATOR(schema.=)}; {@code less} and {@code atLeast} likewise
     * @param collate   the COLLATE clause for the index's collation; empty for the default one
     * @param canonical whether equal values always have equal text; the numerics 1.0 and 1.00, for example, are equal and differ as text
     */
    record Column(String name, String type, String operators, String equal, String less, String atLeast, String collate,
            boolean canonical) {}

    public Key {
        columns = List.copyOf(columns);
    }

    public List<String> names() {
        return columns.stream().map(Column::name).toList();
    }

    /** Returns the columns whose text may change while their value stays equal. */
    public Set<String> respellable() {
        return columns.stream().filter(c -> !c.canonical()).map(Column::name).collect(Collectors.toSet());
    }

    /** Returns the key columns by their names, such as {@code t."id"}. */
    public List<String> of(String alias) {
        return columns.stream().map(c -> alias + "." + Sql.identifier(c.name())).toList();
    }

    /**
     * Returns the key columns of one of Lockstep's temporary tables, which are named by position to avoid names of the product: {@code
     * g.k1}.
     */
    public List<String> at(String alias) {
        return IntStream.rangeClosed(1, columns.size()).mapToObj(i -> alias + ".k" + i).toList();
    }

    /** Returns a select list that names the key columns as {@link #at} expects: {@code t."id" AS k1, …}. */
    public String select(String alias) {
        var columns = of(alias);
        return IntStream.range(0, columns.size()).mapToObj(i -> columns.get(i) + " AS k" + (i + 1)).collect(Collectors.joining(", "));
    }

    /** Returns the condition that two keys are equal. None of their columns may be NULL. */
    public String equal(List<String> left, List<String> right) {
        return IntStream.range(0, columns.size()).mapToObj(i -> compare(i, left.get(i), columns.get(i).equal(), right.get(i)))
                .collect(Collectors.joining(" AND "));
    }

    /** Returns the condition that a key equals one stored as an array of text. */
    public String equalsText(List<String> left, String array) {
        return equal(left,
                IntStream.range(0, columns.size()).mapToObj(i -> array + "[" + (i + 1) + "]::" + columns.get(i).type()).toList());
    }

    /** Returns an ORDER BY list that sorts rows in the order of key ranges. */
    public String order(String alias) {
        var columns = of(alias);
        return IntStream.range(0, columns.size())
                .mapToObj(i -> columns.get(i) + this.columns.get(i).collate() + " USING " + this.columns.get(i).less())
                .collect(Collectors.joining(", "));
    }

    /** Returns the column list of a CREATE INDEX that supports {@link #equal}. */
    public String index() {
        return columns.stream().map(c -> Sql.identifier(c.name()) + c.collate() + " " + c.operators()).collect(Collectors.joining(", "));
    }

    /** Returns the columns cast to text, separated by commas. */
    public static String text(List<String> columns) {
        return columns.stream().map(c -> c + "::pg_catalog.text").collect(Collectors.joining(", "));
    }

    /**
     * Returns the condition that a row of {@code alias} lies in the range.
     *
     * @param from  the lower bound, inclusive; empty for no bound
     * @param until the upper bound, exclusive; empty for no bound
     */
    public String within(String alias, List<String> from, List<String> until) {
        var conditions = new ArrayList<String>();
        if (!from.isEmpty()) conditions.add(atLeast(of(alias), literals(from)));
        if (!until.isEmpty()) conditions.add(before(of(alias), literals(until)));
        return conditions.isEmpty() ? "true" : String.join(" AND ", conditions);
    }

    /** Returns the condition that a row of {@code alias} lies in one of the parts, which must be in key order. */
    public String within(String alias, List<Part> parts) {
        var ranges = new ArrayList<String>();
        for (int i = 0; i < parts.size();) {
            int last = i;
            while (last + 1 < parts.size() && parts.get(last + 1).from().equals(parts.get(last).until())) last++;
            ranges.add("(" + within(alias, parts.get(i).from(), parts.get(last).until()) + ")");
            i = last + 1;
        }
        return ranges.isEmpty() ? "false" : String.join(" OR ", ranges);
    }

    /**
     * Reports whether these keys ascend in this database, according to the operators that {@link #within} uses. If they do, each row is in
     * exactly one of the ranges between them.
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
                later = later.isEmpty() ? less
                        : "(" + less + " OR (" + compare(i, left.get(i), columns.get(i).equal(), right.get(i)) + " AND " + later + "))";
            }
            return later;
        });
    }

    private String atLeast(List<String> left, List<String> right) {
        return ordered(left, right, columns.stream().map(Column::atLeast).toList()).orElseGet(() -> "NOT " + before(left, right));
    }

    /** Returns a row comparison, which can use an index, unless the columns have different operators. */
    private Optional<String> ordered(List<String> left, List<String> right, List<String> operators) {
        if (columns.size() == 1) return Optional.of(compare(0, left.getFirst(), operators.getFirst(), right.getFirst()));
        if (operators.stream().distinct().count() > 1) return Optional.empty();
        String collated = IntStream.range(0, columns.size()).mapToObj(i -> left.get(i) + columns.get(i).collate())
                .collect(Collectors.joining(", "));
        return Optional.of("ROW(" + collated + ") " + operators.getFirst() + " ROW(" + String.join(", ", right) + ")");
    }
}
