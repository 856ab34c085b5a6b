package lockstep.masterdata.schema;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;

/**
 * The tables of a data set in one database, and the types of their columns. Texts are formatted by PostgreSQL with
 * {@code search_path = pg_catalog}, so that equal definitions have equal texts.
 *
 * @param complete false when only columns and their types are known, as for a manifest of an earlier version
 * @param tables   the existing tables
 * @param types    enums, domains, composite types and ranges of the data set's columns, by their names
 */
public record SchemaDescription(boolean complete, List<TableDescription> tables, Map<String, TypeDescription> types) {
    public SchemaDescription {
        tables = List.copyOf(tables);
        types = Map.copyOf(types);
    }

    /**
     * @param name    as {@code lockstep.yaml} writes it
     * @param kind    {@code table} or what it is instead, such as {@code view}
     * @param parent  whether tables that are not its partitions inherit from it
     */
    public record TableDescription(String name, String kind, boolean parent, boolean unlogged, List<ColumnDescription> columns,
            List<UniqueIndex> uniqueIndexes,
            List<Constraint> constraints, List<ForeignKey> foreignKeys, List<Sequence> sequences) {
        public TableDescription {
            columns = List.copyOf(columns);
            uniqueIndexes = List.copyOf(uniqueIndexes);
            constraints = List.copyOf(constraints);
            foreignKeys = List.copyOf(foreignKeys);
            sequences = List.copyOf(sequences);
        }

        public Optional<ColumnDescription> column(String column) {
            return columns.stream().filter(c -> c.name().equals(column)).findFirst();
        }
    }

    /** @param optional whether an INSERT may omit the column */
    public record ColumnDescription(String name, String type, boolean notNull, boolean generated, boolean optional,
            Optional<CollationDescription> collation) {}

    /** @param locale the locale; the database's own when empty */
    public record CollationDescription(String name, boolean deterministic, Optional<String> locale) {
        @Override
        public String toString() {
            return name + locale.map(l -> " (" + l + ")").orElse("") + (deterministic ? "" : ", not deterministic");
        }
    }

    /**
     * @param columns    the columns in the index's order, including those that expressions use
     * @param collations the columns' collations; empty for columns without one
     * @param partial    the text of its expressions and predicate; empty for an index without these
     * @param usable     whether it is a valid B-tree
     */
    public record UniqueIndex(String name, List<String> columns, List<String> collations, Optional<String> partial, boolean usable) {
        public UniqueIndex {
            columns = List.copyOf(columns);
            collations = List.copyOf(collations);
        }
    }

    /** A check or exclusion constraint of a table. */
    public record Constraint(String name, boolean exclusion, List<String> columns, String definition) {
        public Constraint {
            columns = List.copyOf(columns);
        }

        /** Returns a hash of the definition, to be shared when the definition names columns that must not leave the source. */
        String fingerprint() {
            try {
                return "sha256:" + HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(definition.getBytes(StandardCharsets.UTF_8)));
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    public record ForeignKey(String name, List<String> columns, String table, String definition) {
        public ForeignKey {
            columns = List.copyOf(columns);
        }
    }

    /** A sequence that generates a column's values. */
    public record Sequence(String column, String name, long increment, long maximum) {}

    /**
     * @param kind     {@code enum}, {@code domain}, {@code composite} or {@code range}
     * @param labels   the labels of an enum, in order
     * @param of       a domain's base type, a range's subtype, or a composite type's attributes
     * @param checks   a domain's constraints: name → definition
     */
    public record TypeDescription(String kind, List<String> labels, String of, boolean notNull, Map<String, String> checks) {
        public TypeDescription {
            labels = List.copyOf(labels);
            checks = Map.copyOf(checks);
        }
    }

    public Optional<TableDescription> table(String name) {
        return tables.stream().filter(t -> t.name().equals(name)).findFirst();
    }

    /** Removes everything about columns outside the data set. The result may leave the source. */
    public SchemaDescription shared(DataSet dataSet) {
        var shared = new ArrayList<TableDescription>();
        for (Table table : dataSet.tables()) table(table.name()).ifPresent(found -> shared.add(shared(found, Set.copyOf(table.columns()))));
        return new SchemaDescription(complete, shared, types);
    }

    private static TableDescription shared(TableDescription table, Set<String> allowed) {
        var constraints = table.constraints().stream().map(c -> allowed.containsAll(c.columns()) ? c
                : new Constraint("", c.exclusion(), c.columns().stream().filter(allowed::contains).toList(), c.fingerprint()));
        return new TableDescription(table.name(), table.kind(), table.parent(), table.unlogged(),
                table.columns().stream().filter(c -> allowed.contains(c.name())).toList(),
                table.uniqueIndexes().stream().filter(i -> allowed.containsAll(i.columns())).toList(), constraints.toList(),
                table.foreignKeys().stream().filter(f -> allowed.containsAll(f.columns())).toList(), List.of());
    }
}
