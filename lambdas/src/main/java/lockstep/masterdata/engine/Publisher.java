package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.Manifest.TableManifest;
import lockstep.masterdata.engine.Schema.Reference;

/**
 * Makes a target's tables what the manifest says, in one transaction: writes only rows that differ, then reads the target's
 * own rows again and commits only when they are the manifest's. Readers see the old state or the new one and never wait.
 */
public final class Publisher {
    private final Database target;
    private final Duration lockTimeout;

    /** @param lockTimeout how long to wait for a visitor's transaction or another restore before {@link Fault.Busy} */
    public Publisher(Database target, Duration lockTimeout) {
        this.target = target;
        this.lockTimeout = lockTimeout;
    }

    /** What became of a table. Kept rows are gone at the source and still referred to here; they are not in {@code rows}. */
    public record TableResult(String name, long rows, RowDigest digest, long inserted, long updated, long deleted, long kept) {}

    /**
     * @return the tables as they are after it; changes are 0 when the sync was in force already
     * @throws Fault.VerificationFailed when the target's rows were not the manifest's; nothing was changed
     */
    public List<TableResult> publish(String dataSet, String syncId) {
        return target.transaction(connection -> {
            Sql.execute(connection, "SET LOCAL lock_timeout = " + lockTimeout.toMillis());
            Sql.execute(connection, "SELECT pg_advisory_xact_lock(hashtextextended(" + Sql.literal("lockstep " + dataSet) + ", 0))");
            var accepted = Accepted.read(connection, dataSet, syncId);
            Manifest manifest = accepted.manifest();
            var applied = Applied.read(connection, dataSet);
            if (applied.filter(a -> a.syncId().equals(syncId)).isPresent()) return verify(connection, manifest, Map.of());
            Applied.checkOrder(applied, manifest);
            var staging = new Staging(accepted);
            var missing = staging.missingParts(connection);
            if (!missing.isEmpty()) throw new Fault.BatchFailed("parts " + missing + " were not staged, or were lost by a crash of the database");
            var changes = new Merge(connection, accepted, staging).run();
            var results = verify(connection, manifest, changes);
            advanceSequences(connection, manifest);
            Applied.write(connection, manifest);
            staging.drop(connection);
            return results;
        });
    }

    private static List<TableResult> verify(Connection connection, Manifest manifest, Map<String, Changes> changes) throws SQLException {
        if (manifest.tables().isEmpty()) throw new Fault.VerificationFailed("the manifest names no table: there is nothing to verify");
        var results = new ArrayList<TableResult>();
        var wrong = new ArrayList<String>();
        for (TableManifest table : manifest.tables()) {
            Content found = ContentReader.read(connection, manifest.dataSet(), table);
            if (!found.equals(table.content()))
                wrong.add(table.name() + " has " + found.rows() + " rows with digest " + found.digest() + " instead of " + table.rows() + " with " + table.digest());
            Changes made = changes.getOrDefault(table.name(), new Changes());
            results.add(new TableResult(table.name(), found.rows(), found.digest(), made.inserted, made.updated, made.deleted,
                    ContentReader.kept(connection, manifest.dataSet(), table.name())));
        }
        if (!wrong.isEmpty())
            throw new Fault.VerificationFailed("after the merge " + String.join("; ", wrong) + ". The merge was rolled back: nothing was changed");
        return results;
    }

    private static void advanceSequences(Connection connection, Manifest manifest) throws SQLException {
        for (TableManifest table : manifest.tables())
            for (var sequence : Schema.ownedSequences(connection, table.name()).entrySet())
                if (table.columnNames().contains(sequence.getKey()))
                    Sql.execute(connection, Sql.named("advance_sequence", Map.of("sequence", Sql.literal(Sql.table(sequence.getValue())),
                            "sequence_name", Sql.table(sequence.getValue()), "column", Sql.identifier(sequence.getKey()), "table", Sql.table(table.name()))));
    }

    private static final class Changes {
        long inserted;
        long updated;
        long deleted;
    }

    /** The statements that turn a target's tables into what is staged. */
    private static final class Merge {
        private final Connection connection;
        private final Manifest manifest;
        private final Staging staging;
        private final List<TableManifest> parentsFirst;
        private final List<Reference> references;
        private final Map<String, Changes> changes = new LinkedHashMap<>();
        private final Map<String, Long> gone = new LinkedHashMap<>();

        Merge(Connection connection, Accepted accepted, Staging staging) throws SQLException {
            this.connection = connection;
            this.manifest = accepted.manifest();
            this.staging = staging;
            var names = accepted.tables().stream().map(TableManifest::name).toList();
            var byName = accepted.tables().stream().collect(Collectors.toMap(TableManifest::name, t -> t));
            references = Schema.referencesTo(connection, names);
            parentsFirst = Schema.parentsFirst(names, references).stream().map(byName::get).toList();
        }

        Map<String, Changes> run() throws SQLException {
            // The product's own triggers run below and must find what they find in its own sessions.
            Sql.execute(connection, "SET LOCAL search_path TO DEFAULT");
            // Tables that refer to ours may have policies. Those that hide rows from us were refused just now; to be without any, PostgreSQL wants a superuser.
            refuseHiddenRows();
            Sql.execute(connection, "SET LOCAL row_security = on");
            for (TableManifest table : parentsFirst) {
                changes.put(table.name(), new Changes());
                // the joins below are by key: statistics of the other columns would cost more than the merge
                Sql.execute(connection, "ANALYZE " + staging.of(table) + " (" + Sql.columns("", table.key()) + ")");
                findGone(table);
            }
            // Rows that nothing refers to go first, so that those to come may have their unique values.
            deleteUnreferenced();
            for (TableManifest table : parentsFirst) {
                refuseForeignRows(table);
                updateAndInsert(table, changes.get(table.name()));
            }
            deleteUnreferenced();
            keepTheRest();
            Sql.execute(connection, "SET LOCAL row_security = off");
            Sql.execute(connection, "SET LOCAL search_path = pg_catalog");
            return changes;
        }

        /** A row that refers to one of ours unseen would not keep it. */
        private void refuseHiddenRows() throws SQLException {
            var hidden = Schema.hidingRows(connection, references.stream().map(Reference::child).distinct().toList());
            if (!hidden.isEmpty())
                throw new Fault.AccessRefused("row-level security may hide rows of " + String.join(", ", hidden) + " that refer to master data. Invoke prepare-database,"
                        + " which lets the writer see their keys; a restrictive policy has to go. Nothing was changed", null);
        }

        private void updateAndInsert(TableManifest table, Changes made) throws SQLException {
            try (var statement = connection.createStatement(); var row = statement.executeQuery(sql("update_and_insert", table))) {
                row.next();
                made.updated = row.getLong(1);
                made.inserted = row.getLong(2);
            }
        }

        /** Rows outside the filter belong to the shard: they are not overwritten. */
        private void refuseForeignRows(TableManifest table) throws SQLException {
            if (table.where().isEmpty()) return;
            try (var statement = connection.createStatement(); var row = statement.executeQuery(sql("foreign_rows", table))) {
                row.next();
                if (row.getLong(1) > 0)
                    throw new Fault.MergeConflict(row.getLong(1) + " rows of " + table.name() + " that belong to this shard, as they are outside the filter, have keys of rows"
                            + " of the data set, such as " + row.getString(2) + ". Give them other keys; nothing was changed", null);
            }
        }

        private void findGone(TableManifest table) throws SQLException {
            Sql.execute(connection, sql("gone", table));
            try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT count(*) FROM pg_temp." + goneTable(table))) {
                row.next();
                gone.put(table.name(), row.getLong(1));
            }
            if (gone.get(table.name()) > 0) Sql.execute(connection, sql("lock_gone", table, "g."));
        }

        /** Deletes gone rows, children first, but those that a row refers to that stays, and those that such a row refers to, and so on. */
        private void deleteUnreferenced() throws SQLException {
            for (TableManifest table : parentsFirst)
                if (gone.get(table.name()) > 0) Sql.execute(connection, "UPDATE pg_temp." + goneTable(table) + " SET lockstep_kept = false WHERE lockstep_kept");
            while (keepReferenced() > 0) continue;
            for (TableManifest table : parentsFirst.reversed()) {
                if (gone.get(table.name()) == 0) continue;
                long rows = Sql.update(connection, sql("delete_gone", table, "g."));
                Sql.execute(connection, "DELETE FROM pg_temp." + goneTable(table) + " WHERE NOT lockstep_kept");
                gone.merge(table.name(), -rows, Long::sum);
                changes.get(table.name()).deleted += rows;
            }
        }

        /** One round over all references; how many rows it found that must stay. */
        private long keepReferenced() throws SQLException {
            long kept = 0;
            for (Reference reference : references) {
                TableManifest parent = merged(reference.parent()).orElseThrow();
                if (gone.get(parent.name()) > 0) kept += Sql.update(connection, Sql.named("keep_referenced", Map.of("gone", goneTable(parent), "table", Sql.table(parent.name()),
                        "same_key", Sql.equal("t.", parent.key(), "g.", parent.key()), "child", Sql.table(reference.child()),
                        "refers", Sql.equal("c.", reference.childColumns(), "t.", reference.parentColumns()), "child_stays", stays(reference.child()))));
            }
            return kept;
        }

        private String stays(String child) {
            return merged(child).filter(t -> gone.get(child) > 0).map(t -> "NOT EXISTS (SELECT FROM pg_temp." + goneTable(t) + " d WHERE NOT d.lockstep_kept AND "
                    + Sql.equal("d.", t.key(), "c.", t.key()) + ")").orElse("true");
        }

        private Optional<TableManifest> merged(String name) {
            return parentsFirst.stream().filter(t -> t.name().equals(name)).findFirst();
        }

        private void keepTheRest() throws SQLException {
            try (var delete = connection.prepareStatement("DELETE FROM lockstep.kept_row WHERE data_set = ? AND table_name = ANY (?)")) {
                delete.setString(1, manifest.dataSet());
                delete.setArray(2, connection.createArrayOf("text", parentsFirst.stream().map(TableManifest::name).toArray()));
                delete.executeUpdate();
            }
            for (TableManifest table : parentsFirst) if (gone.get(table.name()) > 0) Sql.execute(connection, sql("keep", table, "g."));
        }

        private String goneTable(TableManifest table) {
            return "lockstep_gone_" + manifest.tables().indexOf(table);
        }

        private String sql(String name, TableManifest table) {
            return sql(name, table, "s.");
        }

        private String sql(String name, TableManifest table, String other) {
            var names = table.columnNames();
            // a table of nothing but its key has no row to update, but the statement wants an assignment
            var values = names.size() == table.key().size() ? names : names.stream().filter(c -> !table.key().contains(c)).toList();
            var placeholders = new LinkedHashMap<String, String>();
            placeholders.put("table", Sql.table(table.name()));
            placeholders.put("staging", staging.of(table));
            placeholders.put("gone", goneTable(table));
            placeholders.put("condition", table.where().orElse("true"));
            placeholders.put("key", Sql.columns("", table.key()));
            placeholders.put("target_key", Sql.columns("t.", table.key()));
            placeholders.put("same_key", Sql.equal("t.", table.key(), other, table.key()));
            placeholders.put("columns", Sql.columns("", names));
            placeholders.put("staged_columns", Sql.columns("s.", names));
            placeholders.put("target_columns", Sql.columns("t.", names));
            placeholders.put("assignments", values.stream().map(c -> Sql.identifier(c) + " = s." + Sql.identifier(c)).collect(Collectors.joining(", ")));
            placeholders.put("data_set", Sql.literal(manifest.dataSet()));
            placeholders.put("table_name", Sql.literal(table.name()));
            return Sql.named(name, placeholders);
        }
    }
}
