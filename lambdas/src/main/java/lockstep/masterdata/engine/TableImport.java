package lockstep.masterdata.engine;

import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.Schema.Reference;
import lockstep.masterdata.engine.Schema.TableInfo;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

/**
 * Brings a new edition of one code list into the source: makes the table what a CSV file says, in one transaction. PostgreSQL's own COPY
 * reads the file, into a table of this session that has the types and constraints of the one that is meant, so that whatever would be
 * refused there is refused here, with its line. Only rows that differ are written. Rows that are gone from the file stay while others
 * refer to them, as they do in targets. A dry run does all of it, and takes it back.
 */
public final class TableImport {
    private static final int SAMPLES = 5;
    private static final int LONGEST_VALUE = 80;
    private static final String IMPORTED = "lockstep_import";
    private static final String STAGING = "pg_temp." + IMPORTED;
    private static final String GONE = "lockstep_import_gone";
    /** Where COPY was; it says no column when a line has too many or too few. */
    private static final Pattern COPIED = Pattern.compile("COPY " + IMPORTED + ", line (\\d+)(?:, column ([^:\\n]+))?");

    private final Database source;
    private final Duration lockTimeout;

    /** @param lockTimeout how long to wait for who writes to the table now, before {@link Fault.Busy} */
    public TableImport(Database source, Duration lockTimeout) {
        this.source = source;
        this.lockTimeout = lockTimeout;
    }

    /**
     * What became of the table, or would become of it.
     *
     * @param rows     of the file
     * @param kept     rows that are not in the file and stay, since others refer to them
     * @param samples  some of each kind
     * @param referring who refers to the rows that are kept
     */
    public record Outcome(String table, boolean dryRun, long rows, long inserted, long updated, long deleted, long kept, List<Sample> samples, List<Referring> referring) {}

    /** What is told of an import: what became of the table, or why the file was refused. */
    public record Answer(Optional<Outcome> outcome, Optional<String> refused) {}

    public enum Kind { inserted, updated, deleted, kept }

    /**
     * One row, by column, values as text. Of an updated one only the key and what differs.
     *
     * @param before empty for an inserted one
     * @param after  empty for a deleted one
     */
    public record Sample(Kind kind, Map<String, String> before, Map<String, String> after) {}

    /** @param rows of that table which refer by these columns to rows that are gone from the file */
    public record Referring(String table, List<String> columns, long rows) {}

    /**
     * @param file opens it from its beginning, each time anew
     * @throws Fault.FileRefused    when it does not fit, with the lines and what to do; nothing was changed
     * @throws Fault.InvalidRequest when the data set has no such table
     */
    public Outcome run(DataSet dataSet, String tableName, Supplier<InputStream> file, boolean dryRun) {
        Table table = dataSet.tables().stream().filter(t -> t.name().equals(tableName)).findFirst()
                .orElseThrow(() -> new Fault.InvalidRequest("data set '" + dataSet.name() + "' has no table '" + tableName + "'; it has " + dataSet.tables().stream().map(Table::name).collect(Collectors.joining(", "))));
        return source.transaction(connection -> {
            var outcome = new Edition(connection, dataSet, table, new CsvFile(file), dryRun).bringIn();
            if (dryRun) connection.rollback();
            return outcome;
        });
    }

    /** The file on its way into the table. */
    private final class Edition {
        private final Connection connection;
        private final Table table;
        private final CsvFile file;
        private final boolean dryRun;
        private final TableInfo info;
        private final Key key;
        private final DataSet dataSet;
        /** To any table of the data set; who may write these may read what the keys need. */
        private final List<Reference> references;
        private final List<Sample> samples = new ArrayList<>();

        Edition(Connection connection, DataSet dataSet, Table table, CsvFile file, boolean dryRun) throws SQLException {
            this.connection = connection;
            this.table = table;
            this.file = file;
            this.dryRun = dryRun;
            this.dataSet = dataSet;
            info = Schema.table(connection, table.name());
            references = Schema.referencesTo(connection, dataSet.tables().stream().map(Table::name).toList());
            var missing = table.columns().stream().filter(c -> !info.columns().containsKey(c)).toList();
            if (!missing.isEmpty()) throw new Fault.SchemaMismatch("table " + table.name() + " of the source lacks columns of the data set: " + String.join(", ", missing) + ". Migrate the shard first, or fix lockstep.yaml");
            key = info.key(table.key()).orElseThrow(() -> new Fault.SchemaMismatch(String.join("; ", Schema.problems(info, table.key())) + ". Migrate the shard first, or fix lockstep.yaml"));
        }

        Outcome bringIn() throws SQLException {
            try {
                seeWhatRefers();
                Sql.execute(connection, "SET LOCAL lock_timeout = " + lockTimeout.toMillis());
                // what is told is what is done: nobody else writes here meanwhile, and readers don't wait
                Sql.execute(connection, "LOCK TABLE " + Sql.table(table.name()) + " IN SHARE ROW EXCLUSIVE MODE");
                long rows = copy();
                refuseWhatDoesNotFit();
                return merge(rows);
            } catch (IOException e) {
                throw new Fault.StoreUnavailable("the file can't be read: " + e.getMessage(), e);
            }
        }

        /** A row that refers to one of ours unseen would not keep it. */
        private void seeWhatRefers() throws SQLException {
            RowSecurity.seeAndWriteEveryRow(connection, referring().map(Reference::child).distinct().toList(), List.of(table.name()));
        }

        private Stream<Reference> referring() {
            return references.stream().filter(r -> r.parent().equals(table.name()));
        }

        private long copy() throws SQLException, IOException {
            List<String> header = header();
            Sql.execute(connection, "CREATE TEMPORARY TABLE " + IMPORTED + " ON COMMIT DROP AS SELECT " + Sql.columns("", table.columns()) + " FROM " + Sql.table(table.name()) + " WITH NO DATA");
            Sql.execute(connection, "ALTER TABLE " + STAGING + " ADD COLUMN lockstep_record bigint GENERATED ALWAYS AS IDENTITY");
            for (String column : table.columns())
                if (!info.columns().get(column).nullable()) Sql.execute(connection, "ALTER TABLE " + STAGING + " ALTER COLUMN " + Sql.identifier(column) + " SET NOT NULL");
            for (Key unique : info.keys())
                if (table.columns().containsAll(unique.names())) Sql.execute(connection, "CREATE UNIQUE INDEX ON " + STAGING + " (" + unique.index() + ")");
            for (String check : checks()) Sql.execute(connection, "ALTER TABLE " + STAGING + " ADD " + check);
            long rows;
            try (InputStream in = file.opened().get()) {
                rows = connection.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY " + STAGING + " (" + Sql.columns("", header) + ") FROM STDIN WITH (FORMAT csv, HEADER true, ENCODING 'UTF8')", in);
            } catch (PSQLException e) {
                throw refused(e);
            }
            if (rows == 0)
                throw new Fault.FileRefused("the file holds a header and no rows, which would empty " + table.name() + ". If that is meant, delete its rows in the source; nothing was changed", null);
            Sql.execute(connection, "ANALYZE " + STAGING);
            return rows;
        }

        /** The data set's columns in the order of the file. */
        private List<String> header() throws IOException {
            List<String> header = file.header();
            if (header.size() == table.columns().size() && Set.copyOf(table.columns()).equals(new HashSet<>(header))) return header;
            var missing = table.columns().stream().filter(c -> !header.contains(c)).toList();
            var unknown = header.stream().filter(c -> !table.columns().contains(c)).toList();
            String what = header.equals(List.of("")) ? "there is none"
                    : Stream.of(missing.isEmpty() ? "" : "it lacks " + String.join(", ", missing), unknown.isEmpty() ? "" : "it has " + String.join(", ", unknown) + ", which the data set does not",
                            missing.isEmpty() && unknown.isEmpty() ? "a column is named twice" : "").filter(w -> !w.isEmpty()).collect(Collectors.joining("; "));
            // as UTF-16 and others are, read as UTF-8
            boolean otherwiseEncoded = header.stream().anyMatch(c -> c.indexOf('\uFFFD') >= 0 || c.indexOf('\0') >= 0);
            if (otherwiseEncoded) throw new Fault.FileRefused("line 1: the file is not UTF-8: save it as UTF-8. Nothing was changed", null);
            boolean otherwiseParted = header.size() == 1 && (header.getFirst().contains(";") || header.getFirst().contains("\t"));
            throw new Fault.FileRefused("line 1: the header must name the columns that the data set has of " + table.name() + ", in any order: " + String.join(",", table.columns()) + "; " + what
                    + (otherwiseParted ? ". Its fields are not parted by commas: save it with commas" : "") + "; nothing was changed", null);
        }

        private List<String> checks() throws SQLException {
            var checks = new ArrayList<String>();
            try (var query = connection.prepareStatement(Sql.named("checks"))) {
                query.setString(1, Sql.table(table.name()));
                query.setArray(2, connection.createArrayOf("text", table.columns().toArray()));
                try (var row = query.executeQuery()) {
                    while (row.next()) checks.add("CONSTRAINT " + Sql.identifier(row.getString(1)) + " " + row.getString(2));
                }
            }
            return checks;
        }

        /** With the line and the column, and how to mend it; what is no fault of the file goes on as it is. */
        private SQLException refused(PSQLException e) {
            String state = e.getSQLState() == null ? "" : e.getSQLState();
            var told = e.getServerErrorMessage();
            if (told == null || !state.startsWith("22") && !state.startsWith("23")) return e;
            var at = COPIED.matcher(told.getWhere() == null ? "" : told.getWhere());
            boolean found = at.find();
            String column = told.getColumn() != null ? told.getColumn() : found ? at.group(2) : null;
            String where = (found ? "line " + at.group(1) : "some line") + (column == null ? "" : ", column " + column);
            String type = column == null || !info.columns().containsKey(column) ? "" : " The column is " + info.columns().get(column).type() + ".";
            String mend = switch (state) {
                case "23502" -> "An empty field is NULL, which this column may not be; \"\" in quotes is an empty text.";
                case "23505" -> "Two rows of the file say the same, where each must differ: leave one.";
                case "23514" -> "The table's own check refuses it: mend the value, or migrate the product first.";
                case "22P04" -> "Each line has as many fields as the header; a field with a comma, a quote or a line break in it stands in quotes.";
                case "22021" -> "The file is not UTF-8 there: save it as UTF-8.";
                default -> "Write the value as PostgreSQL reads it: 2026-01-31 for a date, a point in a number, true or false.";
            };
            throw new Fault.FileRefused(where + ": " + told.getMessage() + (told.getDetail() == null ? "" : " (" + told.getDetail() + ")") + "." + type + " " + mend + " Nothing was changed", e);
        }

        /** All that COPY can't judge, told together. */
        private void refuseWhatDoesNotFit() throws SQLException, IOException {
            var faults = new ArrayList<String>();
            if (table.where().isPresent())
                note(faults, "SELECT t.lockstep_record, ROW(" + Sql.columns("t.", table.key()) + ")::text FROM " + STAGING + " t WHERE (" + table.where().get() + ") IS NOT TRUE ORDER BY 1 LIMIT " + SAMPLES,
                        "is outside the data set's filter, " + table.where().get() + ". Leave such rows out of the file");
            if (table.where().isPresent())
                note(faults, "SELECT s.lockstep_record, ROW(" + Sql.columns("s.", table.key()) + ")::text FROM " + STAGING + " s WHERE EXISTS (SELECT FROM " + Sql.table(table.name()) + " t WHERE (" + table.where().get() + ") IS NOT TRUE AND " + sameKey() + ") ORDER BY 1 LIMIT " + SAMPLES,
                        "has the key of a row that belongs to the shard, as it is outside the data set's filter. Give it another key");
            for (Reference reference : references) {
                if (!reference.child().equals(table.name()) || !table.columns().containsAll(reference.childColumns())) continue;
                boolean own = reference.parent().equals(table.name());
                note(faults, Sql.named("missing_parents", Map.of("columns", Sql.columns("s.", reference.childColumns()), "staging", STAGING,
                        "all_given", reference.childColumns().stream().map(c -> "s." + Sql.identifier(c) + " IS NOT NULL").collect(Collectors.joining(" AND ")),
                        "parent", own ? STAGING : Sql.table(reference.parent()), "refers", reference.refers("s", "p"),
                        // rows outside the filter stay whatever the file says
                        "refers_to_own", own && table.where().isPresent() ? "EXISTS (SELECT FROM " + Sql.table(table.name()) + " t WHERE (" + table.where().get() + ") IS NOT TRUE AND " + reference.refers("s", "t") + ")" : "false",
                        "most", Integer.toString(SAMPLES))),
                        "in " + String.join(", ", reference.childColumns()) + " refers to a row that " + (own ? "the file" : reference.parent()) + " does not have by " + String.join(", ", reference.parentColumns())
                                + (own ? ". Put it into the file" : ". Import " + reference.parent() + " first, or mend the value"));
            }
            if (!faults.isEmpty()) throw new Fault.FileRefused(String.join("\n", faults) + "\nNothing was changed", null);
        }

        /** @param query answers numbers of rows of the file, and what to show of each */
        private void note(List<String> faults, String query, String what) throws SQLException, IOException {
            var rows = new LinkedHashMap<Long, String>();
            try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
                while (row.next()) rows.put(row.getLong(1), row.getString(2));
            }
            if (rows.isEmpty()) return;
            var lines = file.lines(rows.keySet());
            faults.add(rows.entrySet().stream().map(r -> "line " + lines.getOrDefault(r.getKey(), r.getKey() + 1) + " " + cut(r.getValue())).collect(Collectors.joining(", "))
                    + (rows.size() == SAMPLES ? " and perhaps more" : "") + ": " + what);
        }

        private Outcome merge(long rows) throws SQLException {
            try {
                sampleWhatComes();
                Sql.execute(connection, "CREATE TEMPORARY TABLE " + GONE + " ON COMMIT DROP AS SELECT " + key.select("t") + ", " + values("t.") + " AS before FROM " + Sql.table(table.name()) + " t WHERE ("
                        + table.where().orElse("true") + ") AND NOT EXISTS (SELECT FROM " + STAGING + " s WHERE " + sameKey() + ")");
                var staged = new StagedTable(info, key, table.columns(), table.where(), STAGING, Optional.empty(), "true", false, false);
                var merge = new Merge(connection, dataSet.name(), List.of(staged), dataSet.tables().stream().collect(Collectors.toMap(Table::name, Table::where)));
                var changes = merge.run(Set.of()).get(table.name());
                String stillThere = "EXISTS (SELECT FROM " + Sql.table(table.name()) + " t WHERE " + key.equal(key.of("t"), key.at("g")) + ")";
                sampleGone(Kind.deleted, "NOT " + stillThere);
                sampleGone(Kind.kept, stillThere);
                long kept = merge.kept(table.name());
                var referring = kept == 0 ? List.<Referring>of() : whoRefers();
                if (!dryRun) Sequences.advance(connection, Map.of(table.name(), table.columns()));
                return new Outcome(table.name(), dryRun, rows, changes.inserted, changes.updated, changes.deleted, kept, samples, referring);
            } catch (Fault.MergeConflict e) {
                throw refusedByTable(e);
            } catch (SQLException e) {
                if (Faults.of(e, source.name()) instanceof Fault.MergeConflict conflict) throw refusedByTable(conflict);
                throw e;
            }
        }

        private static Fault refusedByTable(Fault.MergeConflict e) {
            return new Fault.FileRefused("the table refuses what the file would make of it: " + (e.getCause() == null ? e.getMessage() : e.getCause().getMessage())
                    + ". When rows exchange unique values, or take those of a row that stays because others refer to it, go there by two editions. Nothing was changed", e);
        }

        private List<Referring> whoRefers() throws SQLException {
            var all = new ArrayList<Referring>();
            for (Reference reference : referring().toList()) {
                long rows = count("SELECT count(*) FROM " + Sql.table(reference.child()) + " c WHERE EXISTS (SELECT FROM pg_temp." + GONE + " g JOIN " + Sql.table(table.name()) + " t ON "
                        + key.equal(key.of("t"), key.at("g")) + " WHERE " + reference.refers("c", "t") + ")");
                if (rows > 0) all.add(new Referring(reference.child(), reference.childColumns(), rows));
            }
            return all;
        }

        private void sampleWhatComes() throws SQLException {
            sample(Kind.inserted, "SELECT NULL::text[], " + values("s.") + " FROM " + STAGING + " s WHERE NOT EXISTS (SELECT FROM " + Sql.table(table.name()) + " t WHERE " + sameKey() + ") ORDER BY s.lockstep_record");
            sample(Kind.updated, "SELECT " + values("t.") + ", " + values("s.") + " FROM " + STAGING + " s JOIN " + Sql.table(table.name()) + " t ON " + sameKey()
                    + " WHERE ROW(" + Sql.columns("t.", table.columns()) + ")::record *<> ROW(" + Sql.columns("s.", table.columns()) + ")::record ORDER BY s.lockstep_record");
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
                        var same = before.keySet().stream().filter(c -> !table.key().contains(c) && java.util.Objects.equals(before.get(c), after.get(c))).toList();
                        before.keySet().removeAll(same);
                        after.keySet().removeAll(same);
                    }
                    before.replaceAll((column, value) -> cut(value));
                    after.replaceAll((column, value) -> cut(value));
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
            return table.columns().stream().map(c -> prefix + Sql.identifier(c) + "::text").collect(Collectors.joining(", ", "ARRAY[", "]"));
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

    private static String cut(String value) {
        return value == null || value.length() <= LONGEST_VALUE ? value : value.substring(0, LONGEST_VALUE) + "…";
    }
}
