package lockstep.masterdata.engine.imports;

import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Faults;
import lockstep.masterdata.engine.postgres.Key;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.Schema.Reference;
import lockstep.masterdata.engine.postgres.Schema.TableInfo;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.postgres.Sequences;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Merge;
import lockstep.masterdata.engine.restore.StagedTable;

/**
 * Imports a new edition of one code list into the source: updates the table to a CSV file in one transaction. The file is first copied into
 * a temporary table with the same types, so that everything that the real table would reject is reported with its line. Only rows that
 * differ are written. Rows that are missing in the file stay while others refer to them, as in targets. After the merge the table is read
 * and compared with the file. A dry run does all of this and rolls it back.
 */
public final class TableImport {
    private static final int SAMPLES = FileProblems.SAMPLES;
    private static final String STAGING = TypedStaging.TABLE;
    private static final String GONE = "lockstep_import_gone";

    private final Database source;
    private final Duration lockTimeout;

    /** @param lockTimeout how long to wait for transactions that write to the table, before {@link Fault.Busy} */
    public TableImport(Database source, Duration lockTimeout) {
        this.source = source;
        this.lockTimeout = lockTimeout;
    }

    /**
     * The result of an import, or of a dry run.
     *
     * @param rows      the number of rows in the file
     * @param kept      rows that are not in the file and stay because others refer to them
     * @param samples   some rows of each kind
     * @param referring the tables that refer to kept rows
     * @param rounded   the number of values of which a column stores only a part
     * @param roundings some of these, of each column
     */
    public record Outcome(String table, boolean dryRun, long rows, long inserted, long updated, long deleted, long kept,
            List<Sample> samples, List<Referring> referring, long rounded, List<Rounded> roundings) {}

    /** A value of the file, and what the column stores of it. */
    public record Rounded(long line, String column, String written, String kept) {}

    /** The result of an import, or the reason why the file was refused. */
    public record Answer(Optional<Outcome> outcome, Optional<String> refused) {}

    public enum Kind { inserted, updated, deleted, kept }

    /**
     * A row with its values as text by column. An updated row has only its key and the changed columns.
     *
     * @param before empty for an inserted row
     * @param after  empty for a row that was deleted or kept
     */
    public record Sample(Kind kind, Map<String, String> before, Map<String, String> after) {}

    /** @param rows the number of rows of that table which refer by these columns to rows that are missing in the file */
    public record Referring(String table, List<String> columns, long rows) {}

    /**
     * Imports the file.
     *
     * @param file  opens the file; each call starts again at its beginning
     * @param round whether to accept values of which a column stores only a part, such as too many decimals; the outcome lists them
     * @throws Fault.FileRefused    when the file does not match the table, with the lines and what to do; nothing was changed
     * @throws Fault.ImportMismatch when the table would differ from the file; nothing was changed
     * @throws Fault.InvalidRequest when the data set has no such table
     */
    public Outcome run(DataSet dataSet, String tableName, Supplier<InputStream> file, boolean dryRun, boolean round) {
        Table table = dataSet.tables().stream().filter(t -> t.name().equals(tableName)).findFirst()
                .orElseThrow(() -> new Fault.InvalidRequest("data set '" + dataSet.name() + "' has no table '" + tableName + "'; it has "
                        + dataSet.tables().stream().map(Table::name).collect(Collectors.joining(", "))));
        return source.transaction(connection -> {
            var outcome = new Edition(connection, dataSet, table, file, dryRun, round).run();
            if (dryRun) connection.rollback();
            return outcome;
        });
    }

    /** One import in progress. */
    private final class Edition {
        private final Connection connection;
        private final Table table;
        private final Supplier<InputStream> file;
        private final boolean dryRun;
        private final boolean round;
        private final TableInfo info;
        private final Key key;
        private final DataSet dataSet;
        /** The foreign keys that refer to any table of the data set; the source's writer may read their columns. */
        private final List<Reference> references;
        private final List<Sample> samples = new ArrayList<>();
        private final List<ImportColumn> columns;
        private TypedStaging staging;
        private TypedStaging.Losses losses;

        Edition(Connection connection, DataSet dataSet, Table table, Supplier<InputStream> file, boolean dryRun, boolean round)
                throws SQLException {
            this.connection = connection;
            this.table = table;
            this.file = file;
            this.dryRun = dryRun;
            this.round = round;
            this.dataSet = dataSet;
            info = Schema.table(connection, table.name());
            references = Schema.referencesTo(connection, dataSet.tables().stream().map(Table::name).toList());
            var missing = table.columns().stream().filter(c -> !info.columns().containsKey(c)).toList();
            if (!missing.isEmpty())
                throw new Fault.SchemaMismatch("table " + table.name() + " of the source lacks columns of the data set: "
                        + String.join(", ", missing) + ". Migrate the shard first, or fix lockstep.yaml");
            key = info.key(table.key()).orElseThrow(() -> new Fault.SchemaMismatch(
                    String.join("; ", Schema.problems(info, table.key())) + ". Migrate the shard first, or fix lockstep.yaml"));
            columns = ImportColumn.read(connection, table.name(), table.columns());
        }

        Outcome run() throws SQLException {
            try {
                seeReferringRows();
                Sql.execute(connection, "SET LOCAL lock_timeout = " + lockTimeout.toMillis());
                // the lock keeps others from writing, so that the reported changes are exact; it does not block readers
                Sql.execute(connection, "LOCK TABLE " + Sql.table(table.name()) + " IN SHARE ROW EXCLUSIVE MODE");
                var problems = new FileProblems();
                long rows = stage(file, problems);
                refuseInvalidRows(problems);
                for (Key unique : info.keys()) if (table.columns().containsAll(unique.names())) staging.index(unique.index());
                return merge(rows);
            } catch (IOException e) {
                throw new Fault.StoreUnavailable("the file can't be read: " + e.getMessage(), e);
            }
        }

        /** Ensures that all referring rows are visible; a hidden one would not keep the row that it refers to. */
        private void seeReferringRows() throws SQLException {
            RowSecurity.seeAndWriteEveryRow(connection, referring().map(Reference::child).distinct().toList(), List.of(table.name()));
        }

        private Stream<Reference> referring() {
            return references.stream().filter(r -> r.parent().equals(table.name()));
        }

        /**
         * Copies the file into the temporary tables, and adds a problem for every value that the table would not store as it is written.
         */
        private long stage(Supplier<InputStream> file, FileProblems problems) throws SQLException, IOException {
            long records = new ImportedFile(connection, table, file).stage();
            staging = new TypedStaging(connection, table, columns, records);
            staging.fill();
            losses = staging.losses();
            if (!round && losses.values() > 0)
                problems.add(losses.samples().stream()
                        .map(l -> "line " + l.line() + ", column " + l.column() + ": '" + l.written() + "' would become '" + l.kept() + "'")
                        .collect(Collectors.joining("\n"))
                        + (losses.values() > losses.samples().size() ? "\nand " + (losses.values() - losses.samples().size()) + " more"
                                : "")
                        + "\nThe column would lose a part of the value: correct the file, or accept this with --round");
            staging.check(info.keys().stream().map(Key::names).toList(), problems);
            return records;
        }

        private void refuseInvalidRows(FileProblems faults) throws SQLException {
            if (table.where().isPresent())
                note(faults,
                        "SELECT t." + staging.record() + ", ROW(" + Sql.columns("t.", table.key()) + ")::text FROM " + STAGING
                                + " t WHERE (" + table.where().get() + ") IS NOT TRUE ORDER BY 1 LIMIT " + SAMPLES,
                        "is outside the data set's filter, " + table.where().get() + ". Leave such rows out of the file");
            if (table.where().isPresent())
                note(faults,
                        "SELECT s." + staging.record() + ", ROW(" + Sql.columns("s.", table.key()) + ")::text FROM " + STAGING
                                + " s WHERE EXISTS (SELECT FROM " + Sql.table(table.name()) + " t WHERE (" + table.where().get()
                                + ") IS NOT TRUE AND " + sameKey() + ") ORDER BY 1 LIMIT " + SAMPLES,
                        "has the key of a row that belongs to the shard, because it is outside the data set's filter. Give it another key");
            for (Reference reference : references) {
                if (!reference.child().equals(table.name()) || !table.columns().containsAll(reference.childColumns())) continue;
                boolean own = reference.parent().equals(table.name());
                note(faults, Sql.named("missing_parents",
                        Map.of("record", staging.record(), "columns", Sql.columns("s.", reference.childColumns()), "staging", STAGING,
                                "all_given",
                                reference.childColumns().stream().map(c -> "s." + Sql.identifier(c) + " IS NOT NULL")
                                        .collect(Collectors.joining(" AND ")),
                                "parent", own ? STAGING : Sql.table(reference.parent()), "refers", reference.refers("s", "p"),
                                // rows outside the filter stay regardless of the file
                                "refers_to_own",
                                own && table.where().isPresent() ? "EXISTS (SELECT FROM " + Sql.table(table.name()) + " t WHERE ("
                                        + table.where().get() + ") IS NOT TRUE AND " + reference.refers("s", "t") + ")" : "false",
                                "most", Integer.toString(SAMPLES))),
                        "in " + String.join(", ", reference.childColumns()) + " refers to a row that "
                                + (own ? "the file" : reference.parent()) + " does not have in "
                                + String.join(", ", reference.parentColumns())
                                + (own ? ". Put it into the file" : ". Import " + reference.parent() + " first, or correct the value"));
            }
            faults.refuse();
        }

        /** @param query returns numbers of records, and a text that identifies each */
        private void note(FileProblems faults, String query, String what) throws SQLException {
            var rows = new LinkedHashMap<Long, String>();
            try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
                while (row.next()) rows.put(row.getLong(1), row.getString(2));
            }
            if (rows.isEmpty()) return;
            var lines = RawStaging.lines(connection, rows.keySet());
            faults.add(rows.entrySet().stream().map(r -> "line " + lines.get(r.getKey()) + " " + FileProblems.shown(r.getValue()))
                    .collect(Collectors.joining(", "))
                    + (rows.size() == SAMPLES ? " and perhaps more" : "") + ": " + what);
        }

        private Outcome merge(long rows) throws SQLException {
            try {
                sampleStagedRows();
                Sql.execute(connection, "CREATE TEMPORARY TABLE " + GONE + " ON COMMIT DROP AS SELECT " + key.select("t") + ", "
                        + values("t.") + " AS before FROM " + Sql.table(table.name()) + " t WHERE ("
                        + table.where().orElse("true") + ") AND NOT EXISTS (SELECT FROM " + STAGING + " s WHERE " + sameKey() + ")");
                var staged = new StagedTable(info, key, table.columns(), table.where(), STAGING, Optional.empty(), "true", false, false);
                var merge = new Merge(connection, dataSet.name(), List.of(staged),
                        dataSet.tables().stream().collect(Collectors.toMap(Table::name, Table::where)));
                var changes = merge.run(Set.of()).get(table.name());
                String stays = "EXISTS (SELECT FROM pg_temp." + GONE + " g WHERE " + key.equal(key.of("t"), key.at("g")) + ")";
                new ImportReadBack(connection, table, staging, stays, sameKey())
                        .verify(Schema.firingTriggers(connection, List.of(table.name())));
                String stillThere = "EXISTS (SELECT FROM " + Sql.table(table.name()) + " t WHERE " + key.equal(key.of("t"), key.at("g"))
                        + ")";
                sampleGone(Kind.deleted, "NOT " + stillThere);
                sampleGone(Kind.kept, stillThere);
                long kept = merge.kept(table.name());
                var referring = kept == 0 ? List.<Referring>of() : whoRefers();
                if (!dryRun) Sequences.advance(connection, Map.of(table.name(), table.columns()));
                return new Outcome(table.name(), dryRun, rows, changes.inserted, changes.updated, changes.deleted, kept, samples, referring,
                        losses.values(), losses.samples());
            } catch (Fault.MergeConflict e) {
                throw refusedByTable(e);
            } catch (SQLException e) {
                if (Faults.of(e, source.name()) instanceof Fault.MergeConflict conflict) throw refusedByTable(conflict);
                throw e;
            }
        }

        private static Fault refusedByTable(Fault.MergeConflict e) {
            return new Fault.FileRefused("the table refuses the rows of the file: "
                    + (e.getCause() instanceof SQLException cause ? TypedStaging.message(cause) : e.getMessage())
                    + ". If rows exchange unique values, or take over those of a row that is kept because others refer to it, import "
                    + "two files, one after the other. Nothing was changed",
                    e);
        }

        private List<Referring> whoRefers() throws SQLException {
            var all = new ArrayList<Referring>();
            for (Reference reference : referring().toList()) {
                long rows = count("SELECT count(*) FROM " + Sql.table(reference.child()) + " c WHERE EXISTS (SELECT FROM pg_temp." + GONE
                        + " g JOIN " + Sql.table(table.name()) + " t ON "
                        + key.equal(key.of("t"), key.at("g")) + " WHERE " + reference.refers("c", "t") + ")");
                if (rows > 0) all.add(new Referring(reference.child(), reference.childColumns(), rows));
            }
            return all;
        }

        private void sampleStagedRows() throws SQLException {
            sample(Kind.inserted, "SELECT NULL::text[], " + values("s.") + " FROM " + STAGING + " s WHERE NOT EXISTS (SELECT FROM "
                    + Sql.table(table.name()) + " t WHERE " + sameKey() + ") ORDER BY s." + staging.record());
            sample(Kind.updated,
                    "SELECT " + values("t.") + ", " + values("s.") + " FROM " + STAGING + " s JOIN " + Sql.table(table.name()) + " t ON "
                            + sameKey()
                            + " WHERE ROW(" + Sql.columns("t.", table.columns()) + ")::record *<> ROW(" + Sql.columns("s.", table.columns())
                            + ")::record ORDER BY s." + staging.record());
        }

        private void sampleGone(Kind kind, String which) throws SQLException {
            sample(kind, "SELECT g.before, NULL::text[] FROM pg_temp." + GONE + " g WHERE " + which + " ORDER BY 1");
        }

        private void sample(Kind kind, String query) throws SQLException {
            long left = SAMPLES - samples.stream().filter(s -> s.kind() == kind).count();
            try (var statement = connection.createStatement(); var row = statement.executeQuery(query + " LIMIT " + left)) {
                while (row.next()) {
                    var before = row(row.getArray(1));
                    var after = row(row.getArray(2));
                    if (kind == Kind.updated) {
                        var same = before.keySet().stream()
                                .filter(c -> !table.key().contains(c) && java.util.Objects.equals(before.get(c), after.get(c))).toList();
                        before.keySet().removeAll(same);
                        after.keySet().removeAll(same);
                    }
                    before.replaceAll((column, value) -> FileProblems.cut(value));
                    after.replaceAll((column, value) -> FileProblems.cut(value));
                    samples.add(new Sample(kind, before, after));
                }
            }
        }

        private Map<String, String> row(java.sql.Array values) throws SQLException {
            var row = new LinkedHashMap<String, String>();
            if (values == null) return row;
            var texts = (String[]) values.getArray();
            for (int i = 0; i < texts.length; i++) row.put(table.columns().get(i), texts[i]);
            return row;
        }

        private String values(String prefix) {
            return table.columns().stream().map(c -> prefix + Sql.identifier(c) + "::text")
                    .collect(Collectors.joining(", ", "ARRAY[", "]"));
        }

        private String sameKey() {
            return key.equal(key.of("t"), key.of("s"));
        }

        private long count(String query) throws SQLException {
            try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
                row.next();
                return row.getLong(1);
            }
        }
    }
}
