package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import lockstep.masterdata.engine.Manifest.TableManifest;
import lockstep.masterdata.engine.Schema.ColumnInfo;
import lockstep.masterdata.engine.Schema.TableInfo;

/**
 * Decides whether a target can take a manifest, before anything of it is copied: its order, and whether every table, column,
 * type and key fits. It then keeps the manifest in the target and makes the staging tables.
 */
public final class Preflight {
    /** Keys of a batch's parts must fit a session policy of 2,048 characters. */
    public static final int PARTS_IN_BATCH = 12;

    private final Database target;

    public Preflight(Database target) {
        this.target = target;
    }

    /** The parts to be staged from one number (inclusive) up to another (exclusive). */
    public record PartRange(int from, int until) {}

    /** What is to be staged: parts of the tables that do not hold yet what the manifest says. */
    public record Plan(List<PartRange> batches, long rows) {}

    /**
     * @return a plan without batches if the sync is in force already
     * @throws Fault.SchemaMismatch naming everything that does not fit
     * @throws Fault.OutOfOrder     when a newer snapshot is in force
     */
    public Plan prepare(Manifest manifest) {
        return target.transaction(connection -> {
            var applied = Applied.read(connection, manifest.dataSet());
            if (applied.filter(a -> a.syncId().equals(manifest.syncId())).isPresent()) return new Plan(List.of(), 0);
            Applied.checkOrder(applied, manifest);
            checkSchema(connection, manifest);
            dropOvertaken(connection, manifest);
            var accepted = new Accepted(manifest, differing(connection, manifest)).write(connection);
            new Staging(accepted).create(connection);
            var parts = accepted.parts();
            return new Plan(batches(parts.size()), parts.stream().mapToLong(p -> p.part().rows()).sum());
        });
    }

    /** A table with kept rows counts, so that those are tried again. */
    private static List<String> differing(Connection connection, Manifest manifest) throws SQLException {
        var differing = new ArrayList<String>();
        for (TableManifest table : manifest.tables())
            if (ContentReader.kept(connection, manifest.dataSet(), table.name()) > 0 || !ContentReader.read(connection, manifest.dataSet(), table).equals(table.content()))
                differing.add(table.name());
        return differing;
    }

    private static List<PartRange> batches(int parts) {
        var batches = new ArrayList<PartRange>();
        for (int from = 0; from < parts; from += PARTS_IN_BATCH) batches.add(new PartRange(from, Math.min(parts, from + PARTS_IN_BATCH)));
        return batches;
    }

    /** What syncs left in staging that are older than the one in force, and so can never be published. */
    private static void dropOvertaken(Connection connection, Manifest manifest) throws SQLException {
        var overtaken = new ArrayList<String>();
        try (var query = connection.prepareStatement(Sql.named("overtaken"))) {
            query.setString(1, manifest.dataSet());
            try (var row = query.executeQuery()) {
                while (row.next()) overtaken.add(row.getString(1));
            }
        }
        for (String syncId : overtaken) Staging.drop(connection, manifest.dataSet(), syncId);
    }

    private void checkSchema(Connection connection, Manifest manifest) throws SQLException {
        var problems = new ArrayList<String>();
        for (TableManifest table : manifest.tables()) {
            TableInfo info = Schema.table(connection, table.name());
            if (info.exists()) problems.addAll(problems(table, info));
            else problems.add("table " + table.name() + " does not exist");
        }
        if (!problems.isEmpty())
            throw new Fault.SchemaMismatch("the target " + target.name() + " can't take sync " + manifest.syncId() + ": " + String.join("; ", problems)
                    + ". Nothing was changed; migrate the target to release " + manifest.release());
        Schema.parentsFirst(manifest.tables().stream().map(TableManifest::name).toList(),
                Schema.referencesTo(connection, manifest.tables().stream().map(TableManifest::name).toList()));
    }

    private static List<String> problems(TableManifest table, TableInfo info) {
        var problems = new ArrayList<String>();
        for (Column column : table.columns()) {
            ColumnInfo found = info.columns().get(column.name());
            String name = table.name() + "." + column.name();
            if (found == null) problems.add("column " + name + " does not exist");
            else if (found.generated()) problems.add("column " + name + " is generated here");
            else if (!found.type().equals(column.type())) problems.add("column " + name + " is " + found.type() + " here and " + column.type() + " at the source");
        }
        var copied = new HashSet<>(table.columnNames());
        for (ColumnInfo column : info.columns().values())
            if (!copied.contains(column.name()) && !column.optional() && !column.generated())
                problems.add("column " + table.name() + "." + column.name() + " is NOT NULL without a default and not in the data set");
        if (info.columns().keySet().containsAll(table.key()) && !info.hasKey(table.key()))
            problems.add("key (" + String.join(", ", table.key()) + ") of " + table.name() + " is not a unique index over columns that are NOT NULL");
        return problems;
    }
}
