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

/** Reads tables, keys and foreign keys from a database's catalogue. */
public final class Schema {
    /**
     * A column of a table.
     *
     * @param optional       an INSERT may omit it, because it is nullable or has a default
     * @param alwaysIdentity {@code GENERATED ALWAYS AS IDENTITY}: an UPDATE can't set it
     * @param domain         whether its type is a domain
     */
    public record ColumnInfo(String name, String type, boolean nullable, boolean generated, boolean optional, boolean alwaysIdentity,
            boolean domain) {}

    /**
     * A table. It has no columns when it does not exist.
     *
     * @param keys      one for each set of columns with a unique index, in the index's order
     * @param inherited whether tables that are not its partitions inherit from it
     */
    public record TableInfo(String name, Map<String, ColumnInfo> columns, List<Key> keys, boolean inherited) {
        boolean exists() {
            return !columns.isEmpty();
        }

        /** Returns the key over these columns, or empty unless they are NOT NULL and have a unique index. */
        public Optional<Key> key(List<String> names) {
            if (!columns.keySet().containsAll(names) || names.stream().anyMatch(n -> columns.get(n).nullable())) return Optional.empty();
            return keys.stream().filter(k -> k.columns().size() == names.size() && Set.copyOf(k.names()).equals(Set.copyOf(names)))
                    .findFirst()
                    .map(k -> new Key(names.stream()
                            .map(n -> k.columns().stream().filter(c -> c.name().equals(n)).findFirst().orElseThrow()).toList()));
        }

        /** As {@link #key}, for a table that was already checked against its data set. */
        public Key knownKey(List<String> names) {
            return key(names).orElseThrow(() -> new Fault.SchemaMismatch("key (" + String.join(", ", names) + ") of " + name
                    + " is no longer a unique index over columns that are NOT NULL: sync again when the migration there is done"));
        }
    }

    /**
     * A foreign key from a child table's columns to a parent table's.
     *
     * @param cascadesUpdates whether the foreign key is {@code ON UPDATE CASCADE}
     */
    public record Reference(String child, String parent, List<ReferenceColumn> columns, boolean cascadesUpdates) {
        public List<String> childColumns() {
            return columns.stream().map(ReferenceColumn::child).toList();
        }

        public List<String> parentColumns() {
            return columns.stream().map(ReferenceColumn::parent).toList();
        }

        /** Returns the condition that a child row refers to a parent row, with the operators of the constraint. */
        public String refers(String childAlias, String parentAlias) {
            return columns.stream()
                    .map(c -> parentAlias + "." + Sql.identifier(c.parent()) + c.parentCast() + " " + c.operator() + " " + childAlias + "."
                            + Sql.identifier(c.child()) + c.childCast())
                    .collect(Collectors.joining(" AND "));
        }
    }

    /**
     * A pair of columns of a foreign key.
     *
     * @param operator   the constraint's equality operator, with the parent on the left
     * @param parentCast the cast or collation that the operator needs on the parent's column; usually empty
     * @param childCast  the same for the child's column
     */
    record ReferenceColumn(String child, String parent, String operator, String parentCast, String childCast) {}

    private Schema() {}

    /** Returns the size of the tables on disk, with their partitions. */
    public static long bytes(Connection connection, Collection<String> tables) throws SQLException {
        String literals = tables.stream().map(table -> Sql.literal(Sql.table(table))).collect(Collectors.joining(", "));
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(Sql.named("table_bytes", Map.of("tables", literals)))) {
            row.next();
            return row.getLong(1);
        }
    }

    /** Returns the tables by name, in the order of {@code names}. A table that does not exist has no columns. */
    public static Map<String, TableInfo> tables(Connection connection, Collection<String> names) throws SQLException {
        var columns = new HashMap<String, Map<String, ColumnInfo>>();
        var inherited = new HashSet<String>();
        try (var query = query(connection, "columns", names); var row = query.executeQuery()) {
            while (row.next()) {
                boolean nullable = !row.getBoolean(4);
                columns.computeIfAbsent(row.getString(1), n -> new LinkedHashMap<>())
                        .put(row.getString(2), new ColumnInfo(row.getString(2), row.getString(3), nullable, row.getBoolean(5),
                                nullable || row.getBoolean(6), row.getBoolean(7), row.getBoolean(8)));
                if (row.getBoolean(9)) inherited.add(row.getString(1));
            }
        }
        var keys = new HashMap<String, Map<Long, List<Key.Column>>>();
        try (var query = query(connection, "unique_keys", names); var row = query.executeQuery()) {
            while (row.next())
                keys.computeIfAbsent(row.getString(1), n -> new LinkedHashMap<>()).computeIfAbsent(row.getLong(2), i -> new ArrayList<>())
                        .add(new Key.Column(row.getString(3), row.getString(4), row.getString(5), row.getString(6), row.getString(7),
                                row.getString(8), row.getString(9), row.getBoolean(10)));
        }
        var tables = new LinkedHashMap<String, TableInfo>();
        for (String name : names)
            tables.put(name, new TableInfo(name, columns.getOrDefault(name, Map.of()),
                    keys.getOrDefault(name, Map.of()).values().stream().map(Key::new).toList(), inherited.contains(name)));
        return tables;
    }

    public static TableInfo table(Connection connection, String name) throws SQLException {
        return tables(connection, List.of(name)).get(name);
    }

    /** Prepares a query whose first three parameters are arrays of the tables' names: as given, their schemas, and without schema. */
    static PreparedStatement query(Connection connection, String name, Collection<String> tables) throws SQLException {
        var query = connection.prepareStatement(Sql.named(name));
        var parts = tables.stream().map(TableName::parse).toList();
        query.setArray(1, connection.createArrayOf("text", tables.toArray()));
        query.setArray(2, connection.createArrayOf("text", parts.stream().map(TableName::schema).toArray()));
        query.setArray(3, connection.createArrayOf("text", parts.stream().map(TableName::table).toArray()));
        return query;
    }

    /** Reports whether the table's rows are physically ordered by this column, according to the server's statistics. */
    public static boolean isInOrderOf(Connection connection, String table, String column) throws SQLException {
        try (var query = connection.prepareStatement(
                "SELECT FROM pg_catalog.pg_stats WHERE schemaname = ? AND tablename = ? AND attname = ? AND abs(correlation) > 0.9")) {
            var name = TableName.parse(table);
            query.setString(1, name.schema());
            query.setString(2, name.table());
            query.setString(3, column);
            return query.executeQuery().next();
        }
    }

    /** Returns the reasons why a table can't be part of a data set, at a source or a target. */
    public static List<String> problems(TableInfo table, List<String> key) {
        var problems = new ArrayList<String>();
        if (table.inherited())
            problems.add("other tables inherit from " + table.name()
                    + ", so reading it returns their rows too; only partitions may inherit");
        if (table.columns().keySet().containsAll(key) && table.key(key).isEmpty())
            problems.add(
                    "key (" + String.join(", ", key) + ") of " + table.name() + " is not a unique index over columns that are NOT NULL");
        return problems;
    }

    /** Returns all foreign keys, of any table, that refer to one of these tables. */
    public static List<Reference> referencesTo(Connection connection, Collection<String> tables) throws SQLException {
        var references = new LinkedHashMap<Long, Reference>();
        try (var query = query(connection, "references", tables); var row = query.executeQuery()) {
            while (row.next()) {
                var column = new ReferenceColumn(row.getString(6), row.getString(7), row.getString(8), row.getString(9), row.getString(10));
                var reference = new Reference(new TableName(row.getString(2), row.getString(3)).toString(),
                        new TableName(row.getString(4), row.getString(5)).toString(), List.of(column), row.getBoolean(11));
                references.merge(row.getLong(1), reference,
                        (before, more) -> new Reference(before.child(), before.parent(),
                                Stream.concat(before.columns().stream(), more.columns().stream()).toList(), before.cascadesUpdates()));
            }
        }
        return List.copyOf(references.values());
    }

    /** Returns the product's triggers that fire on writes to these tables, such as {@code audit of master.drug}. */
    public static List<String> firingTriggers(Connection connection, Collection<String> tables) throws SQLException {
        var triggers = new ArrayList<String>();
        try (var query = query(connection, "firing_triggers", tables); var row = query.executeQuery()) {
            while (row.next()) triggers.add(row.getString(1));
        }
        return triggers;
    }

    /** A sequence that generates a column's values: the column owns it, or its default uses it. */
    record Numbering(String table, String column, String sequence, boolean numeric) {}

    static List<Numbering> numberings(Connection connection, Collection<String> tables) throws SQLException {
        var numberings = new ArrayList<Numbering>();
        try (var query = query(connection, "owned_sequences", tables); var row = query.executeQuery()) {
            while (row.next()) numberings.add(new Numbering(row.getString(1), row.getString(2),
                    new TableName(row.getString(3), row.getString(4)).toString(), row.getBoolean(5)));
        }
        return numberings;
    }

    /**
     * Groups and orders the tables so that each follows the tables it refers to. Tables that refer to each other in a cycle
     * form one group. A reference of a table to itself does not count.
     */
    public static List<List<String>> parentsFirst(List<String> tables, List<Reference> references) {
        var left = new LinkedHashSet<>(tables);
        var ordered = new ArrayList<List<String>>();
        while (!left.isEmpty()) {
            // the smallest closure is either one table or a cycle
            var next = left.stream().map(t -> closure(t, left, references)).min(Comparator.comparingInt(Set::size)).orElseThrow();
            ordered.add(tables.stream().filter(next::contains).toList());
            left.removeAll(next);
        }
        return ordered;
    }

    /** Returns a table and all tables among these that it refers to, directly or indirectly. */
    private static Set<String> closure(String table, Set<String> among, List<Reference> references) {
        var closure = new LinkedHashSet<>(List.of(table));
        for (boolean grows = true; grows;)
            grows = closure.addAll(references.stream().filter(r -> closure.contains(r.child()) && among.contains(r.parent()))
                    .map(Reference::parent).toList());
        return closure;
    }

    public static List<String> strings(Array array) throws SQLException {
        return List.of((String[]) array.getArray());
    }
}
