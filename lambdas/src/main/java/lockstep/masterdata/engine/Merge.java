package lockstep.masterdata.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.masterdata.engine.Manifest.TableManifest;
import lockstep.masterdata.engine.Schema.Reference;
import lockstep.masterdata.engine.Schema.TableInfo;

/**
 * The statements that turn a target's tables into what is staged. Tables that refer to each other in a circle are written by one
 * statement together: foreign keys are checked when it is done. So an updated row may also refer to an inserted one of its own table.
 */
final class Merge {
    /** Rows of a table that were written. */
    static final class Changes {
        long inserted;
        long updated;
        long deleted;
        /** Of a forecast only: rows that would stay since others refer to them. */
        long kept;
        /** Writes on the way: of a try that was taken back, or of a row more than once. */
        long passing;

        /** All writes, as the server counts them. */
        long writes() {
            return inserted + updated + deleted + passing;
        }
    }

    private static final String UNIQUE_VIOLATION = "23505";
    private final Connection connection;
    private final Accepted accepted;
    private final Manifest manifest;
    private final Staging staging;
    /** Each a table, or tables that refer to each other in a circle. */
    private final List<List<TableManifest>> parentsFirst;
    private final List<TableManifest> tables;
    private final List<Reference> references;
    private final Map<String, Changes> changes = new LinkedHashMap<>();
    private final Map<String, Long> gone = new LinkedHashMap<>();
    private boolean forecasting;

    Merge(Connection connection, Accepted accepted, Staging staging) throws SQLException {
        this.connection = connection;
        this.accepted = accepted;
        this.manifest = accepted.manifest();
        this.staging = staging;
        var byName = accepted.tables().stream().collect(Collectors.toMap(TableManifest::name, t -> t));
        var names = accepted.tables().stream().map(TableManifest::name).toList();
        references = Schema.referencesTo(connection, names);
        parentsFirst = Schema.parentsFirst(names, references).stream().map(group -> group.stream().map(byName::get).toList()).toList();
        tables = parentsFirst.stream().flatMap(List::stream).toList();
    }

    /**
     * What was done to each table that was merged.
     *
     * @param empty of these nothing has to be compared; their foreign keys to each other are laid aside
     */
    Map<String, Changes> run(Set<String> empty) throws SQLException {
        // The product's own triggers run below and must find what they find in its own sessions.
        Sql.execute(connection, "SET LOCAL search_path TO DEFAULT");
        Sql.execute(connection, "SET CONSTRAINTS ALL DEFERRED");
        seeWhatRefers();
        for (TableManifest table : tables) {
            changes.put(table.name(), new Changes());
            if (empty.contains(table.name())) gone.put(table.name(), 0L);
            else findGone(table);
        }
        // Rows that nothing refers to go first, so that those to come may have their unique values.
        deleteUnreferenced();
        for (var group : parentsFirst) {
            if (group.stream().allMatch(t -> empty.contains(t.name()))) {
                for (TableManifest table : group) changes.get(table.name()).inserted = Sql.update(connection, sql("fill_table", table));
            } else {
                for (TableManifest table : group) refuseForeignRows(table);
                updateAndInsert(group);
            }
        }
        deleteUnreferenced();
        keepTheRest();
        // what may wait for the commit must not fail there
        Sql.execute(connection, "SET CONSTRAINTS ALL IMMEDIATE");
        Sql.execute(connection, "SET LOCAL row_security = off");
        Sql.execute(connection, "SET LOCAL search_path = pg_catalog");
        return changes;
    }

    /**
     * Tables that refer to ours may have policies; to be without any, PostgreSQL wants a superuser. So those that hide rows from us are
     * refused: a row that refers to one of ours unseen would not keep it.
     */
    private void seeWhatRefers() throws SQLException {
        var read = Stream.concat(tables.stream().map(TableManifest::name), references.stream().map(Reference::child)).distinct().toList();
        var hidden = Schema.hidingRows(connection, read);
        if (!hidden.isEmpty())
            throw new Fault.AccessRefused("row-level security may hide rows of " + String.join(", ", hidden) + " that refer to master data. Invoke prepare-database,"
                    + " which lets the writer see their keys; a restrictive policy has to go. Nothing was changed", null);
        Sql.execute(connection, "SET LOCAL row_security = on");
    }

    /** What {@link #run} would do, told without a write or a lock on a row of the product. The transaction at hand must be rolled back. */
    Map<String, Changes> forecast() throws SQLException {
        forecasting = true;
        seeWhatRefers();
        for (TableManifest table : tables) {
            changes.put(table.name(), new Changes());
            collectGone(table);
        }
        while (keepReferenced() > 0) continue;
        for (TableManifest table : tables) {
            refuseForeignRows(table);
            Changes would = changes.get(table.name());
            try (var statement = connection.createStatement(); var row = statement.executeQuery(sql("forecast_table", table))) {
                row.next();
                would.inserted = row.getLong(1);
                would.updated = row.getLong(2);
                would.deleted = row.getLong(3);
                would.kept = row.getLong(4);
            }
        }
        return changes;
    }

    /** Tries it plainly first, since rows seldom exchange unique values. */
    private void updateAndInsert(List<TableManifest> group) throws SQLException {
        for (TableManifest table : group) findFresh(table);
        boolean byKey = true;
        for (TableManifest table : group) byKey &= accepted.road(table).carriesDeltasAlone() || Schema.isInOrderOf(connection, table.name(), table.key().getFirst());
        var written = new HashMap<String, Long>();
        for (TableManifest table : group) written.put(table.name(), Mark.written(connection, table.name()).orElse(0L));
        var start = connection.setSavepoint();
        try {
            count(group, Sql.byKey(connection, byKey, () -> together("merge_table", group, n -> Stream.of("updated_" + n, "inserted_" + n))));
            connection.releaseSavepoint(start);
        } catch (SQLException e) {
            if (!UNIQUE_VIOLATION.equals(e.getSQLState())) throw e;
            connection.rollback(start);
            for (TableManifest table : group) {
                Changes made = changes.get(table.name());
                made.passing += Mark.written(connection, table.name()).orElse(0L) - written.get(table.name());
            }
            var moved = new ArrayList<Long>();
            for (TableManifest table : group) moved.add(makeWay(table, e));
            count(group, together("merge_table_moved", group, n -> Stream.of("updated_" + n, "inserted_" + n)));
            for (int i = 0; i < group.size(); i++) {
                Changes made = changes.get(group.get(i).name());
                made.inserted -= moved.get(i);
                made.updated += moved.get(i);
                made.passing += moved.get(i);
            }
        }
    }

    private void count(List<TableManifest> group, List<Long> counts) {
        for (int i = 0; i < group.size(); i++) {
            Changes made = changes.get(group.get(i).name());
            made.updated += counts.get(2 * i);
            made.inserted += counts.get(2 * i + 1);
        }
    }

    /**
     * Sees to it that rows which exchange unique values do not meet: those that give up a value get NULL in its place for the
     * moment, or are written down in order to be deleted and inserted anew.
     *
     * @return how many rows are to be inserted anew
     * @throws Fault.MergeConflict when there is no such way
     */
    private long makeWay(TableManifest table, SQLException conflict) throws SQLException {
        Sql.execute(connection, "CREATE TEMPORARY TABLE " + movedTable(table) + " ON COMMIT DROP AS SELECT " + Sql.columns("", table.key()) + " FROM " + Sql.table(table.name()) + " WITH NO DATA");
        TableInfo info = Schema.table(connection, table.name());
        var emptied = new LinkedHashSet<String>();
        var exchanged = new LinkedHashSet<String>();
        boolean mayBeNull = true;
        long moved = 0;
        for (Set<String> unique : info.uniqueKeys()) {
            if (unique.equals(Set.copyOf(table.key())) || !table.columnNames().containsAll(unique)) continue;
            var columns = List.copyOf(unique);
            long holders = Sql.update(connection, sql("moved", table, Map.of("same_value", Sql.equal("t.", columns, "s.", columns))));
            if (holders == 0) continue;
            moved += holders;
            exchanged.addAll(unique);
            var nullable = unique.stream().filter(c -> info.columns().get(c).nullable()).findFirst();
            nullable.ifPresent(emptied::add);
            mayBeNull &= nullable.isPresent();
        }
        if (moved == 0) return 0;
        exchanged.removeAll(table.key());
        if (isFollowed(table, exchanged))
            throw new Fault.MergeConflict("rows of " + table.name() + " exchange unique values which a foreign key carries on to rows that refer to them (ON UPDATE other than NO ACTION): " + conflict.getMessage()
                    + ". These would lose what they refer to. Let the source go through a third value, with a sync in between; nothing was changed", conflict);
        if (mayBeNull) {
            changes.get(table.name()).passing += Sql.update(connection, "UPDATE " + Sql.table(table.name()) + " t SET "
                    + emptied.stream().map(c -> Sql.identifier(c) + " = NULL").collect(Collectors.joining(", "))
                    + " FROM pg_temp." + movedTable(table) + " m WHERE " + Sql.equal("t.", table.key(), "m.", table.key()));
            Sql.execute(connection, "DELETE FROM pg_temp." + movedTable(table));
            return 0;
        }
        if (!mayBeRewritten(table, info))
            throw new Fault.MergeConflict("rows of " + table.name() + " exchange unique values that may not be NULL: " + conflict.getMessage()
                    + ". Here they can't be written anew meanwhile: the table has columns that are not in the data set, triggers, or foreign keys to it that do more than to check."
                    + " Let the source go through a third value, with a sync in between; nothing was changed", conflict);
        try (var statement = connection.createStatement();
                var row = statement.executeQuery("WITH once AS (SELECT DISTINCT * FROM pg_temp." + movedTable(table) + ") SELECT count(*) FROM once")) {
            row.next();
            return row.getLong(1);
        }
    }

    private boolean isFollowed(TableManifest table, Set<String> columns) throws SQLException {
        try (var query = connection.prepareStatement(Sql.named("followed", Map.of("table", Sql.literal(Sql.table(table.name())))))) {
            query.setArray(1, connection.createArrayOf("text", columns.toArray()));
            try (var row = query.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    private boolean mayBeRewritten(TableManifest table, TableInfo info) throws SQLException {
        if (info.columns().values().stream().anyMatch(c -> !c.generated() && !table.columnNames().contains(c.name()))) return false;
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(Sql.named("may_be_rewritten", Map.of("table", Sql.literal(Sql.table(table.name())))))) {
            row.next();
            return row.getBoolean(1);
        }
    }

    /** One statement of the common table expressions that a resource makes of each table. The rows that each of these names counts. */
    private List<Long> together(String name, List<TableManifest> group, Function<Integer, Stream<String>> counted) throws SQLException {
        String expressions = group.stream().map(t -> sql(name, t)).collect(Collectors.joining(",\n"));
        var names = group.stream().map(this::number).flatMap(counted).toList();
        var counts = new ArrayList<Long>();
        try (var statement = connection.createStatement(); var row = statement.executeQuery("WITH " + expressions
                + "\nSELECT " + names.stream().map(n -> "(SELECT count(*) FROM " + n + ")").collect(Collectors.joining(", ")))) {
            row.next();
            for (int i = 1; i <= names.size(); i++) counts.add(row.getLong(i));
        }
        return counts;
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

    private void findFresh(TableManifest table) throws SQLException {
        Sql.byKey(connection, accepted.road(table).carriesDeltasAlone(), () -> Sql.update(connection, sql("fresh", table)));
    }

    private void findGone(TableManifest table) throws SQLException {
        collectGone(table);
        if (gone.get(table.name()) > 0) Sql.execute(connection, sql("lock_gone", table));
    }

    private void collectGone(TableManifest table) throws SQLException {
        Road road = accepted.road(table);
        Sql.execute(connection, sql("gone", table));
        if (!road.steps().isEmpty()) Sql.byKey(connection, road.carriesDeltasAlone(), () -> Sql.update(connection, sql("gone_of_deltas", table)));
        if (road.kept()) Sql.execute(connection, sql("gone_kept", table));
        try (var statement = connection.createStatement(); var row = statement.executeQuery("SELECT count(*) FROM pg_temp." + goneTable(table))) {
            row.next();
            gone.put(table.name(), row.getLong(1));
        }
        if (gone.get(table.name()) > 0) Sql.execute(connection, "ANALYZE pg_temp." + goneTable(table));
    }

    /** Deletes gone rows, children first, but those that a row refers to that stays, and those that such a row refers to, and so on. */
    private void deleteUnreferenced() throws SQLException {
        for (TableManifest table : tables)
            if (gone.get(table.name()) > 0) Sql.execute(connection, "UPDATE pg_temp." + goneTable(table) + " SET lockstep_kept = false WHERE lockstep_kept");
        while (keepReferenced() > 0) continue;
        for (var group : parentsFirst.reversed()) {
            var some = group.stream().filter(t -> gone.get(t.name()) > 0).toList();
            if (some.isEmpty()) continue;
            var counts = together("delete_gone", some, n -> Stream.of("deleted_" + n));
            for (int i = 0; i < some.size(); i++) {
                String name = some.get(i).name();
                Sql.execute(connection, "DELETE FROM pg_temp." + goneTable(some.get(i)) + " WHERE NOT lockstep_kept");
                gone.merge(name, -counts.get(i), Long::sum);
                changes.get(name).deleted += counts.get(i);
            }
        }
    }

    /** One round over all references; how many rows it found that must stay. */
    private long keepReferenced() throws SQLException {
        long kept = 0;
        for (Reference reference : references) {
            TableManifest parent = merged(reference.parent()).orElseThrow();
            if (gone.get(parent.name()) > 0) kept += Sql.update(connection, Sql.named("keep_referenced", Map.of("gone", goneTable(parent), "table", Sql.table(parent.name()),
                    "same_key", Sql.equal("t.", parent.key(), "g.", parent.key()), "child", Sql.table(reference.child()),
                    "refers", reference.refers("c.", "t."), "child_stays", stays(reference.child()))));
        }
        return kept;
    }

    private String stays(String child) {
        var merged = merged(child);
        String stays = merged.filter(t -> gone.get(child) > 0).map(t -> "NOT EXISTS (SELECT FROM pg_temp." + goneTable(t) + " d WHERE NOT d.lockstep_kept AND "
                + Sql.equal("d.", t.key(), "c.", t.key()) + ")").orElse("true");
        // in a forecast it was not updated: it will refer to what the source has
        return stays + merged.filter(t -> forecasting).map(t -> " AND NOT EXISTS (SELECT FROM " + staging.of(t) + " s WHERE " + Sql.equal("s.", t.key(), "c.", t.key()) + ")").orElse("");
    }

    private Optional<TableManifest> merged(String name) {
        return tables.stream().filter(t -> t.name().equals(name)).findFirst();
    }

    private void keepTheRest() throws SQLException {
        try (var delete = connection.prepareStatement("DELETE FROM lockstep.kept_row WHERE data_set = ? AND table_name = ANY (?)")) {
            delete.setString(1, manifest.dataSet());
            delete.setArray(2, connection.createArrayOf("text", tables.stream().map(TableManifest::name).toArray()));
            delete.executeUpdate();
        }
        for (TableManifest table : tables) if (gone.get(table.name()) > 0) Sql.execute(connection, sql("keep", table));
    }

    private int number(TableManifest table) {
        return manifest.tables().indexOf(table);
    }

    private String movedTable(TableManifest table) {
        return "lockstep_moved_" + number(table);
    }

    private String freshTable(TableManifest table) {
        return "lockstep_fresh_" + number(table);
    }

    private String goneTable(TableManifest table) {
        return "lockstep_gone_" + number(table);
    }

    private String sql(String name, TableManifest table) {
        return sql(name, table, Map.of());
    }

    private String sql(String name, TableManifest table, Map<String, String> more) {
        var road = accepted.road(table);
        var names = table.columnNames();
        // a table of nothing but its key has no row to update, but the statement wants an assignment
        var values = names.size() == table.key().size() ? names
                : table.columns().stream().filter(c -> !table.key().contains(c.name()) || c.mayBeEqualButOtherwise()).map(Column::name).toList();
        var placeholders = new LinkedHashMap<>(more);
        placeholders.put("n", Integer.toString(number(table)));
        placeholders.put("table", Sql.table(table.name()));
        placeholders.put("staging", staging.of(table));
        placeholders.put("old", staging.goingFrom(table));
        placeholders.put("gone", goneTable(table));
        placeholders.put("fresh", freshTable(table));
        placeholders.put("condition", table.where().orElse("true"));
        placeholders.put("ranges", road.everything() ? "true" : Bounds.within(road.parts(), table.key(), table.columns()));
        placeholders.put("key", Sql.columns("", table.key()));
        placeholders.put("target_key", Sql.columns("t.", table.key()));
        placeholders.put("gone_key_text", table.key().stream().map(k -> "g." + Sql.identifier(k) + "::text").collect(Collectors.joining(", ")));
        placeholders.put("same_key", Sql.equal("t.", table.key(), "s.", table.key()));
        placeholders.put("gone_key", Sql.equal("t.", table.key(), "g.", table.key()));
        placeholders.put("old_key", Sql.equal("t.", table.key(), "o.", table.key()));
        placeholders.put("moved", movedTable(table));
        placeholders.put("moved_key", Sql.equal("t.", table.key(), "m.", table.key()));
        placeholders.put("staged_moved_key", Sql.equal("s.", table.key(), "m.", table.key()));
        placeholders.put("own_key", Sql.equal("t.", table.key(), "own.", table.key()));
        placeholders.put("kept_key", Bounds.equal("t.", table.key(), "k.key", table.columns()));
        placeholders.put("columns", Sql.columns("", names));
        placeholders.put("staged_columns", Sql.columns("s.", names));
        placeholders.put("target_columns", Sql.columns("t.", names));
        placeholders.put("assignments", values.stream().map(c -> Sql.identifier(c) + " = s." + Sql.identifier(c)).collect(Collectors.joining(", ")));
        placeholders.put("data_set", Sql.literal(manifest.dataSet()));
        placeholders.put("table_name", Sql.literal(table.name()));
        return Sql.named(name, placeholders);
    }
}
