package lockstep.masterdata.engine.postgres;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.landscape.TableName;
import lockstep.masterdata.engine.Fault;

/** What a database's catalogue says of tables. */
public final class Schema {
    /**
     * A column of a table.
     *
     * @param optional       an INSERT may leave it out: it may be NULL or has a default
     * @param alwaysIdentity {@code GENERATED ALWAYS AS IDENTITY}: no UPDATE may set it
     */
    public record ColumnInfo(String name, String type, boolean nullable, boolean generated, boolean optional, boolean alwaysIdentity) {}

    /**
     * A table; without columns when there is none of that name.
     *
     * @param keys      one for each set of columns that a unique index keeps distinct, in the index's order
     * @param inherited tables inherit from it that are not its partitions
     */
    public record TableInfo(String name, Map<String, ColumnInfo> columns, List<Key> keys, boolean inherited) {
        boolean exists() {
            return !columns.isEmpty();
        }

        /** How the database compares rows by these columns; nothing unless a unique index over columns that are NOT NULL keeps them distinct. */
        public Optional<Key> key(List<String> names) {
            if (!columns.keySet().containsAll(names) || names.stream().anyMatch(n -> columns.get(n).nullable())) return Optional.empty();
            return keys.stream().filter(k -> k.columns().size() == names.size() && Set.copyOf(k.names()).equals(Set.copyOf(names))).findFirst()
                    .map(k -> new Key(names.stream().map(n -> k.columns().stream().filter(c -> c.name().equals(n)).findFirst().orElseThrow()).toList()));
        }

        /** The same of a table that was found fit for its data set before. */
        public Key knownKey(List<String> names) {
            return key(names).orElseThrow(() -> new Fault.SchemaMismatch("key (" + String.join(", ", names) + ") of " + name
                    + " is no longer a unique index over columns that are NOT NULL: sync again when the migration there is done"));
        }
    }

    /**
     * A foreign key from a child table's columns to a parent table's.
     *
     * @param cascadesUpdates a change of the parent's columns is carried on to the child's ({@code ON UPDATE CASCADE})
     */
    public record Reference(String child, String parent, List<ReferenceColumn> columns, boolean cascadesUpdates) {
        public List<String> childColumns() {
            return columns.stream().map(ReferenceColumn::child).toList();
        }

        public List<String> parentColumns() {
            return columns.stream().map(ReferenceColumn::parent).toList();
        }

        /** Whether the child's row refers to the parent's, as the constraint itself decides it. */
        public String refers(String childAlias, String parentAlias) {
            return columns.stream().map(c -> parentAlias + "." + Sql.identifier(c.parent()) + c.parentCast() + " " + c.operator() + " " + childAlias + "." + Sql.identifier(c.child()) + c.childCast())
                    .collect(Collectors.joining(" AND "));
        }
    }

    /**
     * A column that refers to another.
     *
     * @param operator   of the constraint: parent = child
     * @param parentCast what the operator's type and collation want, mostly empty
     * @param childCast  the same of the child
     */
    record ReferenceColumn(String child, String parent, String operator, String parentCast, String childCast) {}

    private Schema() {}

    /** The tables by name, each with its columns and keys; without columns when there is no such table. */
    public static Map<String, TableInfo> tables(Connection connection, Collection<String> names) throws SQLException {
        var columns = new HashMap<String, Map<String, ColumnInfo>>();
        var inherited = new HashSet<String>();
        try (var query = query(connection, "columns", names); var row = query.executeQuery()) {
            while (row.next()) {
                boolean nullable = !row.getBoolean(4);
                columns.computeIfAbsent(row.getString(1), n -> new LinkedHashMap<>())
                        .put(row.getString(2), new ColumnInfo(row.getString(2), row.getString(3), nullable, row.getBoolean(5), nullable || row.getBoolean(6), row.getBoolean(7)));
                if (row.getBoolean(8)) inherited.add(row.getString(1));
            }
        }
        var keys = new HashMap<String, Map<Long, List<Key.Column>>>();
        try (var query = query(connection, "unique_keys", names); var row = query.executeQuery()) {
            while (row.next())
                keys.computeIfAbsent(row.getString(1), n -> new LinkedHashMap<>()).computeIfAbsent(row.getLong(2), i -> new ArrayList<>())
                        .add(new Key.Column(row.getString(3), row.getString(4), row.getString(5), row.getString(6), row.getString(7), row.getString(8), row.getString(9), row.getBoolean(10)));
        }
        var tables = new LinkedHashMap<String, TableInfo>();
        for (String name : names)
            tables.put(name, new TableInfo(name, columns.getOrDefault(name, Map.of()), keys.getOrDefault(name, Map.of()).values().stream().map(Key::new).toList(), inherited.contains(name)));
        return tables;
    }

    public static TableInfo table(Connection connection, String name) throws SQLException {
        return tables(connection, List.of(name)).get(name);
    }

    /** A query whose first three parameters are arrays: names as they are told, schemas, and names of tables there. */
    static PreparedStatement query(Connection connection, String name, Collection<String> tables) throws SQLException {
        var query = connection.prepareStatement(Sql.named(name));
        var parts = tables.stream().map(TableName::parse).toList();
        query.setArray(1, connection.createArrayOf("text", tables.toArray()));
        query.setArray(2, connection.createArrayOf("text", parts.stream().map(TableName::schema).toArray()));
        query.setArray(3, connection.createArrayOf("text", parts.stream().map(TableName::table).toArray()));
        return query;
    }

    /** Whether the table's rows lie in the order of this column, as far as the server knows. */
    public static boolean isInOrderOf(Connection connection, String table, String column) throws SQLException {
        try (var query = connection.prepareStatement("SELECT FROM pg_catalog.pg_stats WHERE schemaname = ? AND tablename = ? AND attname = ? AND abs(correlation) > 0.9")) {
            var name = TableName.parse(table);
            query.setString(1, name.schema());
            query.setString(2, name.table());
            query.setString(3, column);
            return query.executeQuery().next();
        }
    }

    /** What speaks against a table of a data set at the source as at a target. */
    public static List<String> problems(TableInfo table, List<String> key) {
        var problems = new ArrayList<String>();
        if (table.inherited())
            problems.add("other tables inherit from " + table.name() + ", and their rows would be taken for its own; only partitions may");
        if (table.columns().keySet().containsAll(key) && table.key(key).isEmpty())
            problems.add("key (" + String.join(", ", key) + ") of " + table.name() + " is not a unique index over columns that are NOT NULL");
        return problems;
    }

    /** Every foreign key, of any table, that refers to one of these. */
    public static List<Reference> referencesTo(Connection connection, Collection<String> tables) throws SQLException {
        var references = new LinkedHashMap<Long, Reference>();
        try (var query = query(connection, "references", tables); var row = query.executeQuery()) {
            while (row.next()) {
                var column = new ReferenceColumn(row.getString(6), row.getString(7), row.getString(8), row.getString(9), row.getString(10));
                var reference = new Reference(new TableName(row.getString(2), row.getString(3)).toString(), new TableName(row.getString(4), row.getString(5)).toString(), List.of(column), row.getBoolean(11));
                references.merge(row.getLong(1), reference,
                        (before, more) -> new Reference(before.child(), before.parent(), Stream.concat(before.columns().stream(), more.columns().stream()).toList(), before.cascadesUpdates()));
            }
        }
        return List.copyOf(references.values());
    }

    /** Triggers of the product that fire when somebody writes to one of these tables, such as {@code audit of master.drug}. */
    public static List<String> firingTriggers(Connection connection, Collection<String> tables) throws SQLException {
        var triggers = new ArrayList<String>();
        try (var query = query(connection, "firing_triggers", tables); var row = query.executeQuery()) {
            while (row.next()) triggers.add(row.getString(1));
        }
        return triggers;
    }

    /** A sequence that numbers a column: the column owns it, or takes its default from it. */
    record Numbering(String table, String column, String sequence, boolean numeric) {}

    static List<Numbering> numberings(Connection connection, Collection<String> tables) throws SQLException {
        var numberings = new ArrayList<Numbering>();
        try (var query = query(connection, "owned_sequences", tables); var row = query.executeQuery()) {
            while (row.next()) numberings.add(new Numbering(row.getString(1), row.getString(2), new TableName(row.getString(3), row.getString(4)).toString(), row.getBoolean(5)));
        }
        return numberings;
    }

    /**
     * The tables ordered so that each comes after those it refers to, and together with those it refers to in a circle. A
     * reference of a table to itself does not count.
     */
    public static List<List<String>> parentsFirst(List<String> tables, List<Reference> references) {
        var left = new LinkedHashSet<>(tables);
        var ordered = new ArrayList<List<String>>();
        while (!left.isEmpty()) {
            // no smaller set is closed, so all of this one refer to each other
            var next = left.stream().map(t -> closure(t, left, references)).min(Comparator.comparingInt(Set::size)).orElseThrow();
            ordered.add(tables.stream().filter(next::contains).toList());
            left.removeAll(next);
        }
        return ordered;
    }

    /** A table and all those among these that it refers to, by others or not. */
    private static Set<String> closure(String table, Set<String> among, List<Reference> references) {
        var closure = new LinkedHashSet<>(List.of(table));
        for (boolean grows = true; grows; )
            grows = closure.addAll(references.stream().filter(r -> closure.contains(r.child()) && among.contains(r.parent())).map(Reference::parent).toList());
        return closure;
    }

    public static List<String> strings(Array array) throws SQLException {
        return List.of((String[]) array.getArray());
    }
}
