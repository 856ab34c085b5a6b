package lockstep.masterdata.schema;

import static lockstep.masterdata.schema.Identifiers.identifier;
import static lockstep.masterdata.schema.Identifiers.list;
import static lockstep.masterdata.schema.Identifiers.literal;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.schema.Finding.Kind;
import lockstep.masterdata.schema.SchemaDescription.ColumnDescription;
import lockstep.masterdata.schema.SchemaDescription.Constraint;
import lockstep.masterdata.schema.SchemaDescription.ForeignKey;
import lockstep.masterdata.schema.SchemaDescription.Sequence;
import lockstep.masterdata.schema.SchemaDescription.TableDescription;
import lockstep.masterdata.schema.SchemaDescription.TypeDescription;
import lockstep.masterdata.schema.SchemaDescription.UniqueIndex;

/**
 * Compares the schema of a data set at the source, at a target, and in lockstep.yaml. It works on descriptions and does not access a
 * database.
 */
public final class SchemaComparison {
    private final DataSet dataSet;
    private final List<Finding> findings = new ArrayList<>();

    private SchemaComparison(DataSet dataSet) {
        this.dataSet = dataSet;
    }

    /** Finds everything in the data set that the source lacks. */
    public static List<Finding> ofSource(DataSet dataSet, SchemaDescription source) {
        var comparison = new SchemaComparison(dataSet);
        for (Table table : dataSet.tables()) comparison.fits(table, source, Optional.empty());
        return comparison.findings;
    }

    /**
     * Finds differences between a target and its source or the data set that could affect a sync.
     *
     * @param source the source's shared description; if it is not {@link SchemaDescription#complete}, only columns are compared
     */
    public static List<Finding> ofTarget(DataSet dataSet, SchemaDescription source, SchemaDescription target) {
        var comparison = new SchemaComparison(dataSet);
        for (Table table : dataSet.tables()) {
            comparison.fits(table, target, Optional.of(source));
            comparison.compare(table, source, target);
        }
        if (source.complete()) comparison.compareTypes(source.types(), target.types());
        return comparison.findings;
    }

    /**
     * Finds sequences of a target that cannot follow the values of the source.
     *
     * @param highest the highest value of a column at the source, by {@code table.column}
     */
    public static List<Finding> sequences(DataSet dataSet, SchemaDescription target, Map<String, Long> highest) {
        var comparison = new SchemaComparison(dataSet);
        for (Table table : dataSet.tables())
            target.table(table.name()).ifPresent(found -> found.sequences().stream().filter(s -> table.columns().contains(s.column()))
                    .forEach(s -> comparison.sequence(table, found.column(s.column()).orElseThrow().type(), s,
                            Optional.ofNullable(highest.get(table.name() + "." + s.column())))));
        return comparison.findings;
    }

    private void fits(Table table, SchemaDescription database, Optional<SchemaDescription> source) {
        String name = table.name();
        var found = database.table(name);
        if (found.isEmpty()) {
            error(name, "table " + name + " does not exist", source.isPresent() ? "migrate this shard to the release of the source"
                    : "migrate the source, or take the table out of the data set in lockstep.yaml");
            return;
        }
        TableDescription here = found.get();
        if (!here.kind().equals("table")) {
            error(name, name + " is a " + here.kind() + "; a data set holds ordinary and partitioned tables only",
                    "name a table in lockstep.yaml, or replace the " + here.kind() + " by a table");
            return;
        }
        if (here.parent())
            error(name, "other tables inherit from " + name + ", so reading it returns their rows too; only partitions may inherit",
                    "make them partitions, or end the inheritance: ALTER TABLE child NO INHERIT " + name);
        if (here.unlogged())
            warning(name, "table " + name + " is unlogged: a crash of the server empties it", "ALTER TABLE " + name + " SET LOGGED");
        for (String column : table.columns()) {
            String place = name + "." + identifier(column);
            var known = here.column(column);
            if (known.isEmpty()) {
                error(place, "column " + place + " does not exist", source.flatMap(s -> s.table(name)).flatMap(t -> t.column(column))
                        .map(c -> "ALTER TABLE " + name + " ADD COLUMN " + identifier(column) + " " + c.type())
                        .orElse("migrate the database, or take the column out of the data set in lockstep.yaml"));
            } else if (known.get().generated()) {
                error(place, "column " + place + " is generated" + (source.isPresent() ? " here" : "; leave it out of the data set"),
                        "take " + column + " out of `columns` of " + name + " in lockstep.yaml");
            }
        }
        if (table.key().stream().allMatch(k -> here.column(k).isPresent())) key(table, here);
        if (source.isPresent())
            for (ColumnDescription column : here.columns())
                if (!table.columns().contains(column.name()) && !column.optional() && !column.generated())
                    error(name + "." + identifier(column.name()),
                            "column " + name + "." + identifier(column.name()) + " is NOT NULL without a default and not in the data set",
                            "ALTER TABLE " + name + " ALTER COLUMN " + identifier(column.name())
                                    + " SET DEFAULT …, or DROP NOT NULL, or add it to `columns` in lockstep.yaml");
    }

    private void key(Table table, TableDescription here) {
        var nullable = table.key().stream().filter(k -> !here.column(k).orElseThrow().notNull()).toList();
        boolean unique = here.uniqueIndexes().stream()
                .anyMatch(i -> i.usable() && i.partial().isEmpty() && Set.copyOf(i.columns()).equals(Set.copyOf(table.key())));
        if (unique && nullable.isEmpty()) return;
        var statements = new ArrayList<String>();
        nullable.forEach(k -> statements.add("ALTER TABLE " + table.name() + " ALTER COLUMN " + identifier(k) + " SET NOT NULL"));
        if (!unique) statements.add("ALTER TABLE " + table.name() + " ADD UNIQUE (" + list(table.key()) + ")");
        error(table.name(),
                "key (" + String.join(", ", table.key()) + ") of " + table.name() + " is not a unique index over columns that are NOT NULL"
                        + (unique ? ": " + String.join(", ", nullable) + " may be NULL" : ""),
                String.join("; ", statements));
    }

    private void compare(Table table, SchemaDescription source, SchemaDescription target) {
        var there = source.table(table.name());
        var here = target.table(table.name());
        if (there.isEmpty() || here.isEmpty() || !here.get().kind().equals("table")) return;
        for (String column : table.columns()) {
            var from = there.get().column(column);
            var to = here.get().column(column);
            if (from.isPresent() && to.isPresent() && !to.get().generated()) compare(table, from.get(), to.get(), source.complete());
        }
        if (!source.complete()) return;
        compareUniqueIndexes(table, there.get(), here.get());
        for (Constraint constraint : here.get().constraints()) compare(table, constraint, there.get().constraints());
        for (ForeignKey key : here.get().foreignKeys()) compare(table, key, there.get().foreignKeys());
    }

    private void compare(Table table, ColumnDescription there, ColumnDescription here, boolean complete) {
        String place = table.name() + "." + identifier(here.name());
        String alter = "ALTER TABLE " + table.name() + " ALTER COLUMN " + identifier(here.name());
        if (!here.type().equals(there.type())) error(place,
                "column " + place + " is " + here.type() + " here and " + there.type() + " at the source", alter + " TYPE " + there.type());
        if (!complete) return;
        if (here.type().equals(there.type()) && !here.collation().equals(there.collation()))
            warning(place,
                    "column " + place + " has collation " + collation(here) + " here and " + collation(there)
                            + " at the source: values may compare and sort differently",
                    alter + " TYPE " + there.type() + there.collation().map(c -> " COLLATE " + c.name()).orElse(""));
        if (here.notNull() && !there.notNull() && !table.key().contains(here.name()))
            warning(place, "column " + place + " is NOT NULL here and may be NULL at the source", alter + " DROP NOT NULL");
    }

    private static String collation(ColumnDescription column) {
        return column.collation().map(Object::toString).orElse("none");
    }

    private void compareUniqueIndexes(Table table, TableDescription there, TableDescription here) {
        var known = new HashSet<Set<String>>();
        there.uniqueIndexes().stream().filter(i -> i.partial().isEmpty()).forEach(i -> known.add(Set.copyOf(i.columns())));
        known.add(Set.copyOf(table.key()));
        var partial = there.uniqueIndexes().stream().flatMap(i -> i.partial().stream()).toList();
        for (UniqueIndex index : here.uniqueIndexes()) {
            var same = there.uniqueIndexes().stream()
                    .filter(i -> i.partial().equals(index.partial()) && i.columns().equals(index.columns())).toList();
            if (!same.isEmpty()) {
                // different collations of columns are reported with the columns
                boolean columnsDiffer = index.columns().stream().anyMatch(c -> !here.column(c).flatMap(ColumnDescription::collation)
                        .equals(there.column(c).flatMap(ColumnDescription::collation)));
                if (!columnsDiffer && same.stream().noneMatch(i -> i.collations().equals(index.collations())))
                    warning(table.name(),
                            "unique index " + identifier(index.name()) + " of " + table.name() + " compares with collations ("
                                    + String.join("; ", index.collations()) + ") here and ("
                                    + String.join("; ", same.getFirst().collations()) + ") at the source",
                            "create it again with the source's collations");
                continue;
            }
            if (index.columns().isEmpty() || !table.columns().containsAll(index.columns())
                    || index.partial().filter(partial::contains).isPresent())
                continue;
            if (known.stream().anyMatch(k -> index.columns().containsAll(k)) && index.partial().isEmpty()) continue;
            warning(table.name(),
                    "unique index " + identifier(index.name()) + " of " + table.name() + " over "
                            + index.partial().orElse("(" + list(index.columns()) + ")")
                            + " exists only here: rows that the source allows may be refused",
                    "create it at the source as well, or drop it here: " + drop(table, index));
        }
    }

    private static String drop(Table table, UniqueIndex index) {
        String schema = lockstep.landscape.TableName.parse(table.name()).schema();
        return "ALTER TABLE " + table.name() + " DROP CONSTRAINT " + identifier(index.name()) + ", or DROP INDEX " + identifier(schema)
                + "." + identifier(index.name());
    }

    private void compare(Table table, Constraint here, List<Constraint> there) {
        if (there.stream().anyMatch(c -> c.definition().equals(here.definition()) || c.definition().equals(here.fingerprint()))) return;
        // columns outside the data set have their defaults in every row that a sync inserts
        if (!here.columns().isEmpty() && here.columns().stream().noneMatch(table.columns()::contains)) return;
        String what = (here.exclusion() ? "exclusion" : "check") + " constraint " + identifier(here.name()) + " of " + table.name();
        var other = there.stream().filter(c -> c.name().equals(here.name()) && c.exclusion() == here.exclusion()).findFirst();
        String drop = "ALTER TABLE " + table.name() + " DROP CONSTRAINT " + identifier(here.name());
        if (other.isPresent())
            warning(table.name(), what + " is " + here.definition() + " here and " + other.get().definition() + " at the source",
                    drop + "; ALTER TABLE " + table.name() + " ADD CONSTRAINT " + identifier(here.name()) + " " + other.get().definition());
        else warning(table.name(), what + " exists only here: rows that the source allows may be refused by " + here.definition(),
                "add it at the source as well, or drop it here: " + drop);
    }

    private void compare(Table table, ForeignKey here, List<ForeignKey> there) {
        if (here.columns().stream().noneMatch(table.columns()::contains)) return;
        String what = "foreign key " + identifier(here.name()) + " of " + table.name() + " refers to " + here.table();
        boolean outside = dataSet.tables().stream().noneMatch(t -> t.name().equals(here.table()));
        if (outside)
            warning(table.name(), what + ", which is not in the data set: the rows it refers to must exist here already",
                    "add " + here.table() + " to the data set in lockstep.yaml, or keep its rows the same in another way");
        else if (there.stream()
                .noneMatch(f -> f.table().equals(here.table()) && Set.copyOf(f.columns()).equals(Set.copyOf(here.columns()))))
            warning(table.name(), what + ", and exists only here: rows that the source allows may be refused",
                    "add it at the source as well, or drop it here: ALTER TABLE " + table.name() + " DROP CONSTRAINT "
                            + identifier(here.name()));
    }

    private void compareTypes(Map<String, TypeDescription> there, Map<String, TypeDescription> here) {
        new TreeMap<>(here).forEach((name, type) -> {
            var other = there.get(name);
            if (other == null) return;
            if (!other.kind().equals(type.kind()) || !other.of().equals(type.of())) {
                error(name, "type " + name + " is " + described(type) + " here and " + described(other) + " at the source",
                        "migrate this shard to the release of the source");
                return;
            }
            compareLabels(name, other.labels(), type.labels());
            if (type.notNull() && !other.notNull()) warning(name, "domain " + name + " is NOT NULL here and may be NULL at the source",
                    "ALTER DOMAIN " + name + " DROP NOT NULL");
            new TreeMap<>(type.checks()).forEach((check, definition) -> {
                if (other.checks().containsValue(definition)) return;
                String drop = "ALTER DOMAIN " + name + " DROP CONSTRAINT " + identifier(check);
                String at = other.checks().get(check);
                if (at == null) warning(name,
                        "constraint " + identifier(check) + " of domain " + name
                                + " exists only here: values that the source allows may be refused by " + definition,
                        "add it at the source as well, or drop it here: " + drop);
                else warning(name, "constraint " + identifier(check) + " of domain " + name + " is " + definition + " here and " + at
                        + " at the source", drop + "; ALTER DOMAIN " + name + " ADD CONSTRAINT " + identifier(check) + " " + at);
            });
        });
    }

    private static String described(TypeDescription type) {
        return (type.kind().equals("enum") ? "an " : "a ") + type.kind() + (type.of().isEmpty() ? "" : " of (" + type.of() + ")");
    }

    private void compareLabels(String name, List<String> there, List<String> here) {
        var statements = new ArrayList<String>();
        var missing = new ArrayList<String>();
        for (int i = 0; i < there.size(); i++) {
            if (here.contains(there.get(i))) continue;
            missing.add(literal(there.get(i)));
            String place = i > 0 ? " AFTER " + literal(there.get(i - 1)) : here.isEmpty() ? "" : " BEFORE " + literal(here.getFirst());
            statements.add("ALTER TYPE " + name + " ADD VALUE " + literal(there.get(i)) + place);
        }
        if (!missing.isEmpty()) {
            error(name, "enum " + name + " lacks " + (missing.size() == 1 ? "the label " : "the labels ") + String.join(", ", missing),
                    String.join("; ", statements));
            return;
        }
        var common = here.stream().filter(there::contains).toList();
        if (!common.equals(there)) warning(name, "enum " + name + " sorts its labels as " + String.join(", ", common) + " here and as "
                + String.join(", ", there) + " at the source", "create the type again with the source's order");
    }

    private void sequence(Table table, String type, Sequence sequence, Optional<Long> highest) {
        String place = table.name() + "." + identifier(sequence.column());
        if (!Set.of("smallint", "integer", "bigint", "numeric").contains(type.replaceFirst("\\(.*", ""))) return;
        if (sequence.increment() > 0 && highest.filter(h -> h > sequence.maximum()).isPresent())
            warning(place,
                    "sequence " + sequence.name() + " of " + place + " ends at " + sequence.maximum() + ", but the source has reached "
                            + highest.get() + ": it can't be advanced, so the product may get numbers that are in use",
                    "ALTER SEQUENCE " + sequence.name() + " NO MAXVALUE");
    }

    private void error(String place, String what, String remedy) {
        findings.add(Finding.error(Kind.schema, place, what, remedy));
    }

    private void warning(String place, String what, String remedy) {
        findings.add(Finding.warning(Kind.schema, place, what, remedy));
    }
}
