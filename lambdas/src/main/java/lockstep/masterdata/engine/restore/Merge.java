package lockstep.masterdata.engine.restore;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.postgres.Key;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.Schema.Reference;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * Merges staged rows into the product's tables. Tables that refer to each other in a cycle are written by one statement, because foreign
 * keys are checked at its end. So an updated row may also refer to an inserted row of its own table.
 *
 * <p>Keys are compared with the operators of their index, references with those of the constraint, and values by their stored images.
 * Independently of that, visitors' rows that refer to master rows are compared before and after ({@link VisitorRows}).
 */
public final class Merge {
    /** The number of rows of a table that were written. */
    public static final class Changes {
        public long inserted;
        public long updated;
        public long deleted;
        /** In a forecast only: rows that would stay because others refer to them. */
        public long kept;
        /** The server's count is higher, because a rolled-back attempt counts, too, or rows were written more than once. */
        public boolean uncounted;

        /** Returns the total number of writes, which equals the server's count unless {@code uncounted} is set. */
        long writes() {
            return inserted + updated + deleted;
        }
    }

    private static final String UNIQUE_VIOLATION = "23505";
    private final Connection connection;
    private final String dataSet;
    /** For each table of the data set, merged or not, the condition for rows outside the data set; empty if there can't be any. */
    private final Map<String, Optional<String>> outside;
    /** Groups of one table, or of tables that refer to each other in a cycle. */
    private final List<List<StagedTable>> parentsFirst;
    private final List<StagedTable> tables;
    private final Map<String, StagedTable> byName;
    private final List<Reference> references;
    private final Map<String, Changes> changes = new LinkedHashMap<>();
    private final Map<String, Long> gone = new LinkedHashMap<>();
    private boolean forecasting;

    /** @param filters the filter of each table of the data set; rows outside it belong to the shard */
    public Merge(Connection connection, String dataSet, List<StagedTable> staged, Map<String, Optional<String>> filters)
            throws SQLException {
        this.connection = connection;
        this.dataSet = dataSet;
        outside = filters.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().map(where -> "(" + where + ") IS NOT TRUE")));
        byName = staged.stream().collect(Collectors.toMap(StagedTable::name, t -> t));
        var names = staged.stream().map(StagedTable::name).toList();
        references = Schema.referencesTo(connection, names);
        parentsFirst = Schema.parentsFirst(names, references).stream().map(group -> group.stream().map(byName::get).toList()).toList();
        tables = parentsFirst.stream().flatMap(List::stream).toList();
    }

    /**
     * Merges the tables and returns the changes of each.
     *
     * @param empty tables that are empty and whose foreign keys to each other are suspended; they are filled without comparing rows
     * @throws Fault.VisitorRowsChanged when rows outside the data set have changed
     */
    public Map<String, Changes> run(Set<String> empty) throws SQLException {
        Sql.execute(connection, "SET CONSTRAINTS ALL DEFERRED");
        seeEveryRow();
        var visitors = new VisitorRows(connection, tables.stream().map(StagedTable::name).toList(), outside);
        for (StagedTable table : tables) {
            changes.put(table.name(), new Changes());
            if (empty.contains(table.name())) gone.put(table.name(), 0L);
            else findGone(table);
        }
        // Unreferenced rows are deleted first, so that new rows can use their unique values.
        deleteUnreferenced();
        for (var group : parentsFirst) {
            if (group.stream().allMatch(t -> empty.contains(t.name()))) {
                for (StagedTable table : group)
                    changes.get(table.name()).inserted = withDefaultSearchPath(() -> Sql.update(connection, sql("fill_table", table)));
            } else {
                for (StagedTable table : group) refuseForeignRows(table);
                updateAndInsert(group);
            }
        }
        deleteUnreferenced();
        // deferred constraints must fail here and not at the commit
        withDefaultSearchPath(() -> {
            Sql.execute(connection, "SET CONSTRAINTS ALL IMMEDIATE");
            return null;
        });
        visitors.check();
        // policies can't change after this, because the merge holds locks on the tables
        seeEveryRow();
        return changes;
    }

    private void seeEveryRow() throws SQLException {
        var own = tables.stream().map(StagedTable::name).toList();
        var children = references.stream().map(Reference::child).filter(child -> !byName.containsKey(child));
        if (forecasting) RowSecurity.seeEveryRow(connection, Stream.concat(own.stream(), children).toList());
        else RowSecurity.seeAndWriteEveryRow(connection, children.toList(), own);
    }

    /** Returns what {@link #run} would do, without writing or locking rows of the product. The caller must roll back the transaction. */
    Map<String, Changes> forecast() throws SQLException {
        forecasting = true;
        seeEveryRow();
        for (StagedTable table : tables) {
            changes.put(table.name(), new Changes());
            collectGone(table);
        }
        while (keepReferenced() > 0) continue;
        for (StagedTable table : tables) {
            refuseForeignRows(table);
            Changes would = changes.get(table.name());
            try (var statement = connection.createStatement(); var row = statement.executeQuery(sql("forecast_table", table))) {
                row.next();
                would.inserted = row.getLong(1);
                would.updated = row.getLong(2);
            }
            if (gone.get(table.name()) == 0) continue;
            would.kept = number("SELECT count(*) FROM pg_temp." + goneTable(table) + " WHERE kept");
            would.deleted = gone.get(table.name()) - would.kept;
        }
        return changes;
    }

    /** Records the kept rows: those that stay although they were deleted at the source. */
    void recordKept() throws SQLException {
        try (var delete = connection.prepareStatement("DELETE FROM lockstep.kept_row WHERE data_set = ? AND table_name = ANY (?)")) {
            delete.setString(1, dataSet);
            delete.setArray(2, connection.createArrayOf("text", tables.stream().map(StagedTable::name).toArray()));
            delete.executeUpdate();
        }
        for (StagedTable table : tables) if (kept(table.name()) > 0) Sql.execute(connection, sql("keep", table));
    }

    /** Returns how many rows of a table stay although they were deleted at the source. */
    public long kept(String table) {
        return gone.get(table);
    }

    /**
     * Runs a statement that may fire the product's triggers, with the default search path that they expect. The statement must therefore
     * qualify every name.
     */
    private <T> T withDefaultSearchPath(Sql.Query<T> query) throws SQLException {
        Sql.execute(connection, "SET LOCAL search_path TO DEFAULT");
        T answer = query.run();
        Sql.execute(connection, "SET LOCAL search_path = pg_catalog");
        return answer;
    }

    private void updateAndInsert(List<StagedTable> group) throws SQLException {
        write(group);
        var names = group.stream().map(StagedTable::name).toList();
        if (references.stream().noneMatch(r -> r.cascadesUpdates() && names.contains(r.child()) && names.contains(r.parent()))) return;
        var respelled = inOneStatement("respelled", group, n -> Stream.of("respelled_" + n));
        for (int i = 0; i < group.size(); i++)
            changes.get(group.get(i).name()).uncounted |= respelled.get(i) > 0 || changes.get(group.get(i).name()).updated > 0;
    }

    /** Tries a simple statement first, because rows rarely exchange unique values. */
    private void write(List<StagedTable> group) throws SQLException {
        for (StagedTable table : group) if (!table.few()) Sql.update(connection, sql("fresh", table));
        boolean byKey = true;
        for (StagedTable table : group)
            byKey = byKey && (table.few() || Schema.isInOrderOf(connection, table.name(), table.key().names().getFirst()));
        boolean renumbered = findRenumbered(group);
        if (group.stream().noneMatch(Merge::hasOtherUniqueValues)) {
            write(group, renumbered, byKey);
            return;
        }
        var start = connection.setSavepoint();
        try {
            write(group, renumbered, byKey);
            connection.releaseSavepoint(start);
        } catch (SQLException e) {
            if (!UNIQUE_VIOLATION.equals(e.getSQLState())) throw e;
            connection.rollback(start);
            for (StagedTable table : group) changes.get(table.name()).uncounted = true;
            for (StagedTable table : group) vacateUniqueValues(table, renumbered, e);
            rewrite(group);
        }
    }

    /** Reports whether rows can exchange unique values, because there are unique indexes besides the key. */
    private static boolean hasOtherUniqueValues(StagedTable table) {
        var key = Set.copyOf(table.key().names());
        return table.info().keys().stream().anyMatch(unique -> !key.equals(Set.copyOf(unique.names())));
    }

    private void write(List<StagedTable> group, boolean renumbered, boolean byKey) throws SQLException {
        if (renumbered) rewrite(group);
        else count(group,
                Sql.byKey(connection, byKey, () -> inOneStatement("merge_table", group, n -> Stream.of("updated_" + n, "inserted_" + n))));
    }

    private void rewrite(List<StagedTable> group) throws SQLException {
        var moved = new ArrayList<Long>();
        for (StagedTable table : group) {
            createMoved(table);
            moved.add(number("SELECT count(*) FROM pg_temp." + movedTable(table)));
        }
        count(group, inOneStatement("merge_table_moved", group, n -> Stream.of("updated_" + n, "inserted_" + n)));
        for (int i = 0; i < group.size(); i++) {
            Changes made = changes.get(group.get(i).name());
            made.inserted -= moved.get(i);
            made.updated += moved.get(i);
            made.uncounted |= moved.get(i) > 0;
        }
    }

    private void count(List<StagedTable> group, List<Long> counts) {
        for (int i = 0; i < group.size(); i++) {
            Changes made = changes.get(group.get(i).name());
            made.updated += counts.get(2 * i);
            made.inserted += counts.get(2 * i + 1);
        }
    }

    /**
     * Finds rows whose value changed at the source in a column that an UPDATE can't set.
     *
     * @throws Fault.MergeConflict when they can't be deleted and inserted again
     */
    private boolean findRenumbered(List<StagedTable> group) throws SQLException {
        boolean found = false;
        for (StagedTable table : group) {
            var identities = identities(table);
            if (identities.isEmpty()) continue;
            createMoved(table);
            long rows = Sql.update(connection, sql("renumbered", table));
            if (rows > 0 && !canBeReinserted(table))
                throw new Fault.MergeConflict("the source changed " + rows + " rows of " + table.name() + " in "
                        + String.join(", ", identities)
                        + ", which is GENERATED ALWAYS AS IDENTITY: UPDATE can't set it, and the rows can't be deleted and inserted "
                        + "again, because the table has columns outside the data set, triggers, or foreign keys to it with actions "
                        + "such as ON DELETE CASCADE. Nothing was changed. Run as the owner of the table: "
                        + identities.stream().map(c -> "ALTER TABLE " + Sql.table(table.name()) + " ALTER COLUMN " + Sql.identifier(c)
                                + " SET GENERATED BY DEFAULT;").collect(Collectors.joining(" ")),
                        null);
            found |= rows > 0;
        }
        return found;
    }

    /** Returns the columns outside the key that an UPDATE can't set. */
    private static List<String> identities(StagedTable table) {
        var key = table.key().names();
        return table.columns().stream().filter(c -> table.info().columns().get(c).alwaysIdentity() && !key.contains(c)).toList();
    }

    private void createMoved(StagedTable table) throws SQLException {
        Sql.execute(connection, "CREATE TEMPORARY TABLE IF NOT EXISTS " + movedTable(table) + " ON COMMIT DROP AS SELECT "
                + table.key().select("t") + " FROM " + Sql.table(table.name()) + " t WITH NO DATA");
    }

    /**
     * Prevents conflicts of rows that exchange unique values: sets the values to NULL for the moment, or records the rows to be
     * deleted and inserted again.
     *
     * @throws Fault.MergeConflict when neither is possible
     */
    private void vacateUniqueValues(StagedTable table, boolean renumbered, SQLException conflict) throws SQLException {
        createMoved(table);
        var emptied = new LinkedHashSet<String>();
        var exchanged = new LinkedHashSet<String>();
        boolean mayBeNull = true;
        long moved = 0;
        var keyNames = Set.copyOf(table.key().names());
        for (Key unique : table.info().keys()) {
            var columns = unique.names();
            if (keyNames.equals(Set.copyOf(columns)) || !table.columns().containsAll(columns)) continue;
            long holders = Sql.update(connection, Sql.fill("moved",
                    name -> name.equals("same_value") ? unique.equal(unique.of("t"), unique.of("s")) : placeholder(name, table)));
            if (holders == 0) continue;
            moved += holders;
            exchanged.addAll(columns);
            var nullable = columns.stream().filter(c -> table.info().columns().get(c).nullable()).findFirst();
            nullable.ifPresent(emptied::add);
            mayBeNull &= nullable.isPresent();
        }
        if (moved == 0) return;
        exchanged.removeAll(keyNames);
        if (hasUpdateAction(table, exchanged))
            throw new Fault.MergeConflict("rows of " + table.name()
                    + " exchange unique values, and a foreign key to them has an action ON UPDATE other than NO ACTION: "
                    + conflict.getMessage()
                    + ". Rows that refer to them would then refer to other rows. At the source, set a third value first and sync; then "
                    + "set the final values. Nothing was changed",
                    conflict);
        if (mayBeNull && !renumbered) {
            withDefaultSearchPath(() -> Sql.update(connection, "UPDATE " + Sql.table(table.name()) + " t SET "
                    + emptied.stream().map(c -> Sql.identifier(c) + " = NULL").collect(Collectors.joining(", "))
                    + " FROM pg_temp." + movedTable(table) + " m WHERE " + table.key().equal(table.key().of("t"), table.key().at("m"))));
            Sql.execute(connection, "DELETE FROM pg_temp." + movedTable(table));
            return;
        }
        if (!canBeReinserted(table))
            throw new Fault.MergeConflict("rows of " + table.name() + " exchange unique values that may not be NULL: "
                    + conflict.getMessage()
                    + ". The rows can't be deleted and inserted again here, because the table has columns outside the data set, "
                    + "triggers, or foreign keys to it with actions such as ON DELETE CASCADE. At the source, set a third value first "
                    + "and sync; then set the final values. Nothing was changed", conflict);
    }

    private boolean hasUpdateAction(StagedTable table, Set<String> columns) throws SQLException {
        try (var query = connection.prepareStatement(Sql.named("followed", Map.of("table", Sql.literal(Sql.table(table.name())))))) {
            query.setArray(1, connection.createArrayOf("text", columns.toArray()));
            try (var row = query.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    private boolean canBeReinserted(StagedTable table) throws SQLException {
        if (table.info().columns().values().stream().anyMatch(c -> !c.generated() && !table.columns().contains(c.name()))) return false;
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(Sql.named("may_be_rewritten", Map.of("table", Sql.literal(Sql.table(table.name())))))) {
            row.next();
            return row.getBoolean(1);
        }
    }

    /**
     * Runs one statement with the common table expressions of a resource for each table of the group. Returns the row count of each
     * expression that {@code counted} names.
     */
    private List<Long> inOneStatement(String name, List<StagedTable> group, Function<Integer, Stream<String>> counted) throws SQLException {
        String expressions = group.stream().map(t -> sql(name, t)).collect(Collectors.joining(",\n"));
        var names = group.stream().map(tables::indexOf).flatMap(counted).toList();
        String statement = "WITH " + expressions + "\nSELECT "
                + names.stream().map(n -> "(SELECT pg_catalog.count(*) FROM " + n + ")").collect(Collectors.joining(", "));
        return withDefaultSearchPath(() -> {
            var counts = new ArrayList<Long>();
            try (var query = connection.createStatement(); var row = query.executeQuery(statement)) {
                row.next();
                for (int i = 1; i <= names.size(); i++) counts.add(row.getLong(i));
            }
            return counts;
        });
    }

    /** Refuses to overwrite rows outside the filter, because they belong to the shard. */
    private void refuseForeignRows(StagedTable table) throws SQLException {
        if (table.where().isEmpty()) return;
        try (var statement = connection.createStatement(); var row = statement.executeQuery(sql("foreign_rows", table))) {
            row.next();
            if (row.getLong(1) > 0)
                throw new Fault.MergeConflict(row.getLong(1) + " rows of " + table.name()
                        + " belong to this shard, because they are outside the filter, but have keys of rows of the data set, such as "
                        + row.getString(2) + ". Give them other keys; nothing was changed", null);
        }
    }

    private void findGone(StagedTable table) throws SQLException {
        collectGone(table);
        if (gone.get(table.name()) > 0) Sql.execute(connection, sql("lock_gone", table));
    }

    private void collectGone(StagedTable table) throws SQLException {
        if (table.few() && !table.kept() && number(sql("any_gone_of_deltas", table)) == 0) {
            gone.put(table.name(), 0L);
            return;
        }
        Sql.execute(connection, sql("gone", table));
        if (table.going().isPresent()) Sql.byKey(connection, table.few(), () -> Sql.update(connection, sql("gone_of_deltas", table)));
        if (table.kept()) Sql.execute(connection, sql("gone_kept", table));
        gone.put(table.name(), number("SELECT count(*) FROM pg_temp." + goneTable(table)));
        if (gone.get(table.name()) > 0) Sql.execute(connection, "ANALYZE pg_temp." + goneTable(table));
    }

    /** Deletes gone rows, children first, except those that are referenced, directly or indirectly, by a row that stays. */
    private void deleteUnreferenced() throws SQLException {
        for (StagedTable table : tables)
            if (gone.get(table.name()) > 0) Sql.execute(connection, "UPDATE pg_temp." + goneTable(table) + " SET kept = false WHERE kept");
        while (keepReferenced() > 0) continue;
        for (var group : parentsFirst.reversed()) {
            var some = group.stream().filter(t -> gone.get(t.name()) > 0).toList();
            if (some.isEmpty()) continue;
            var counts = inOneStatement("delete_gone", some, n -> Stream.of("deleted_" + n));
            for (int i = 0; i < some.size(); i++) {
                String name = some.get(i).name();
                Sql.execute(connection, "DELETE FROM pg_temp." + goneTable(some.get(i)) + " WHERE NOT kept");
                gone.merge(name, -counts.get(i), Long::sum);
                changes.get(name).deleted += counts.get(i);
            }
        }
    }

    /** Checks all references once and returns how many more rows must stay. */
    private long keepReferenced() throws SQLException {
        long kept = 0;
        for (Reference reference : references) {
            StagedTable parent = byName.get(reference.parent());
            if (gone.get(parent.name()) > 0) kept += Sql.update(connection,
                    Sql.named("keep_referenced", Map.of("gone", goneTable(parent), "table", Sql.table(parent.name()),
                            "gone_key", parent.key().equal(parent.key().of("t"), parent.key().at("g")), "child",
                            Sql.table(reference.child()),
                            "refers", reference.refers("c", "t"), "child_stays", stays(reference.child()))));
        }
        return kept;
    }

    private String stays(String child) {
        var merged = Optional.ofNullable(byName.get(child));
        String stays = merged.filter(t -> gone.get(child) > 0)
                .map(t -> "NOT EXISTS (SELECT FROM pg_temp." + goneTable(t) + " d WHERE NOT d.kept AND "
                        + t.key().equal(t.key().at("d"), t.key().of("c")) + ")")
                .orElse("true");
        // in a forecast staged rows are not written yet, and the row will refer to whatever it refers to at the source
        return stays + merged.filter(t -> forecasting).map(
                t -> " AND NOT EXISTS (SELECT FROM " + t.staging() + " s WHERE " + t.key().equal(t.key().of("s"), t.key().of("c")) + ")")
                .orElse("");
    }

    private long number(String query) throws SQLException {
        try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    private String movedTable(StagedTable table) {
        return "lockstep_moved_" + tables.indexOf(table);
    }

    private String freshTable(StagedTable table) {
        return "lockstep_fresh_" + tables.indexOf(table);
    }

    private String goneTable(StagedTable table) {
        return "lockstep_gone_" + tables.indexOf(table);
    }

    private String sql(String name, StagedTable table) {
        return Sql.fill(name, placeholder -> placeholder(placeholder, table));
    }

    private String placeholder(String name, StagedTable table) {
        Key key = table.key();
        return switch (name) {
            case "n" -> Integer.toString(tables.indexOf(table));
            case "table" -> Sql.table(table.name());
            case "staging" -> table.staging();
            case "old" -> table.going().orElseThrow();
            case "gone" -> goneTable(table);
            case "fresh" -> freshTable(table);
            case "moved" -> movedTable(table);
            case "condition" -> table.where().orElse("true");
            case "ranges" -> table.ranges();
            case "select_key" -> key.select("t");
            case "target_key" -> String.join(", ", key.of("t"));
            case "gone_key_text" -> Key.text(key.at("g"));
            case "same_key" -> key.equal(key.of("t"), key.of("s"));
            case "gone_key" -> key.equal(key.of("t"), key.at("g"));
            case "old_key" -> key.equal(key.of("t"), key.of("o"));
            case "own_key" -> key.equal(key.of("t"), key.of("own"));
            case "moved_key" -> key.equal(key.of("t"), key.at("m"));
            case "staged_moved_key" -> key.equal(key.of("s"), key.at("m"));
            case "kept_key" -> key.equalsText(key.of("t"), "k.key");
            case "columns" -> Sql.columns("", table.columns());
            case "staged_columns" -> Sql.columns("s.", table.columns());
            case "new_rows" -> table.few()
                    ? table.staging() + " s WHERE NOT EXISTS (SELECT FROM " + Sql.table(table.name()) + " t WHERE "
                            + key.equal(key.of("t"), key.of("s")) + ")"
                    : "pg_temp." + freshTable(table) + " f JOIN " + table.staging()
                            + " s ON s.ctid OPERATOR(pg_catalog.=) f.place WHERE true";
            case "staged_old_key" -> key.equal(key.of("o"), key.of("s"));
            case "differs" -> differs(table.columns());
            case "renumbered" -> differs(identities(table));
            case "assignments" -> assignments(table);
            case "data_set" -> Sql.literal(dataSet);
            case "table_name" -> Sql.literal(table.name());
            default -> null;
        };
    }

    /** Compares stored images, so that {@code 1.0} and {@code 1.00} differ, and types without an equality operator can be compared. */
    private static String differs(List<String> columns) {
        return "ROW(" + Sql.columns("t.", columns) + ")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(" + Sql.columns("s.", columns)
                + ")::pg_catalog.record";
    }

    private static String assignments(StagedTable table) {
        var key = new HashSet<>(table.key().names());
        key.removeAll(table.key().respellable());
        var values = table.columns().stream().filter(c -> !key.contains(c) && !table.info().columns().get(c).alwaysIdentity()).toList();
        // a table with only key columns has no rows to update, but the statement needs an assignment
        if (values.isEmpty()) values = table.columns().stream().filter(c -> !table.info().columns().get(c).alwaysIdentity()).toList();
        if (values.isEmpty()) return Sql.identifier(table.columns().getFirst()) + " = DEFAULT";
        return values.stream().map(c -> Sql.identifier(c) + " = s." + Sql.identifier(c)).collect(Collectors.joining(", "));
    }
}
