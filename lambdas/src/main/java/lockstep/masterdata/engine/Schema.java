package lockstep.masterdata.engine;

import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What a database's catalogue says of tables. */
final class Schema {
    /** @param optional an INSERT may leave it out: it may be NULL or has a default */
    record ColumnInfo(String name, String type, boolean nullable, boolean generated, boolean optional) {}

    /** @param uniqueKeys sets of columns that are distinct in every row */
    record TableInfo(String name, Map<String, ColumnInfo> columns, Set<Set<String>> uniqueKeys) {
        boolean exists() {
            return !columns.isEmpty();
        }

        boolean hasKey(Collection<String> key) {
            return uniqueKeys.contains(Set.copyOf(key)) && key.stream().noneMatch(k -> columns.get(k).nullable());
        }
    }

    /**
     * A foreign key from a child table's columns to a parent table's.
     *
     * @param collations clauses for comparing these, mostly empty
     */
    record Reference(String child, String parent, List<String> childColumns, List<String> parentColumns, List<String> collations) {
        /** {@code child.x = parent.y AND …} */
        String refers(String childPrefix, String parentPrefix) {
            return IntStream.range(0, childColumns.size()).mapToObj(i -> childPrefix + Sql.identifier(childColumns.get(i)) + " = " + parentPrefix + Sql.identifier(parentColumns.get(i)) + collations.get(i))
                    .collect(Collectors.joining(" AND "));
        }
    }

    private Schema() {}

    /** The table's columns and keys; no columns when there is no such table. */
    static TableInfo table(Connection connection, String name) throws SQLException {
        var columns = new LinkedHashMap<String, ColumnInfo>();
        try (var query = connection.prepareStatement(Sql.named("columns"))) {
            query.setString(1, name);
            try (var row = query.executeQuery()) {
                while (row.next()) {
                    boolean nullable = !row.getBoolean(3);
                    columns.put(row.getString(1), new ColumnInfo(row.getString(1), row.getString(2), nullable,
                            row.getBoolean(4), nullable || row.getBoolean(5)));
                }
            }
        }
        var keys = new HashSet<Set<String>>();
        try (var query = connection.prepareStatement(Sql.named("unique_keys"))) {
            query.setString(1, name);
            try (var row = query.executeQuery()) {
                while (row.next()) keys.add(Set.copyOf(strings(row.getArray(1))));
            }
        }
        return new TableInfo(name, columns, keys);
    }

    /** Column → {@code COLLATE …} for the columns that have one. */
    static Map<String, String> collations(Connection connection, String name) throws SQLException {
        var collations = new LinkedHashMap<String, String>();
        try (var query = connection.prepareStatement("SELECT a.attname, ' COLLATE ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname)"
                + " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace"
                + " WHERE a.attrelid = ?::regclass AND a.attnum > 0")) {
            query.setString(1, Sql.table(name));
            try (var row = query.executeQuery()) {
                while (row.next()) collations.put(row.getString(1), row.getString(2));
            }
        }
        return collations;
    }

    /** Whether the table's rows lie in the order of this column, as far as the server knows. */
    static boolean isInOrderOf(Connection connection, String table, String column) throws SQLException {
        try (var query = connection.prepareStatement("SELECT FROM pg_catalog.pg_stats WHERE schemaname || '.' || tablename = ? AND attname = ? AND abs(correlation) > 0.9")) {
            query.setString(1, table);
            query.setString(2, column);
            return query.executeQuery().next();
        }
    }

    /** Whether tables inherit from it that are not its partitions. */
    private static boolean hasHeirs(Connection connection, String name) throws SQLException {
        try (var query = connection.prepareStatement("SELECT FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhparent"
                + " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname || '.' || c.relname = ?")) {
            query.setString(1, name);
            return query.executeQuery().next();
        }
    }

    /** What speaks against a table of a data set at the source as at a target. */
    static List<String> problems(Connection connection, TableInfo table, List<String> key) throws SQLException {
        var problems = new ArrayList<String>();
        if (hasHeirs(connection, table.name()))
            problems.add("other tables inherit from " + table.name() + ", and their rows would be taken for its own; only partitions may");
        if (table.columns().keySet().containsAll(key) && !table.hasKey(key))
            problems.add("key (" + String.join(", ", key) + ") of " + table.name() + " is not a unique index over columns that are NOT NULL");
        return problems;
    }

    /** Every foreign key, of any table, that refers to one of these. */
    static List<Reference> referencesTo(Connection connection, Collection<String> tables) throws SQLException {
        var references = new ArrayList<Reference>();
        try (var query = connection.prepareStatement(Sql.named("references"))) {
            query.setArray(1, connection.createArrayOf("text", tables.toArray()));
            try (var row = query.executeQuery()) {
                while (row.next())
                    references.add(new Reference(row.getString(1), row.getString(2), strings(row.getArray(3)), strings(row.getArray(4)), strings(row.getArray(5))));
            }
        }
        return references;
    }

    /** Those of the tables of which a policy may hide rows from this login. */
    static List<String> hidingRows(Connection connection, Collection<String> tables) throws SQLException {
        var hiding = new ArrayList<String>();
        try (var query = connection.prepareStatement(Sql.named("hiding_rows"))) {
            query.setArray(1, connection.createArrayOf("text", tables.toArray()));
            try (var row = query.executeQuery()) {
                while (row.next()) hiding.add(row.getString(1));
            }
        }
        return hiding;
    }

    /** Triggers of the product that fire when somebody writes to one of these tables, such as {@code audit of master.drug}. */
    static List<String> firingTriggers(Connection connection, Collection<String> tables) throws SQLException {
        var triggers = new ArrayList<String>();
        try (var query = connection.prepareStatement(Sql.named("firing_triggers"))) {
            query.setArray(1, connection.createArrayOf("text", tables.toArray()));
            try (var row = query.executeQuery()) {
                while (row.next()) triggers.add(row.getString(1));
            }
        }
        return triggers;
    }

    /** Column → {@code schema.sequence} for the sequences that belong to the table. */
    static Map<String, String> ownedSequences(Connection connection, String table) throws SQLException {
        var sequences = new LinkedHashMap<String, String>();
        try (var query = connection.prepareStatement(Sql.named("owned_sequences"))) {
            query.setString(1, table);
            try (var row = query.executeQuery()) {
                while (row.next()) sequences.put(row.getString(1), row.getString(2));
            }
        }
        return sequences;
    }

    /**
     * The tables ordered so that each comes after those it refers to, and together with those it refers to in a circle. A
     * reference of a table to itself does not count.
     */
    static List<List<String>> parentsFirst(List<String> tables, List<Reference> references) {
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

    static List<String> strings(Array array) throws SQLException {
        return List.of((String[]) array.getArray());
    }
}
