package lockstep.masterdata.engine.imports;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.imports.TableImport.Rounded;
import lockstep.masterdata.engine.postgres.Sql;
import org.postgresql.util.PSQLException;

/**
 * A temporary table with the records of a file, converted to the types of the table. It has the table's columns and the number of the
 * record. Values are converted by the types' input functions with their modifiers, as in COPY.
 */
final class TypedStaging {
    static final String NAME = "lockstep_import";
    static final String TABLE = "pg_temp." + NAME;

    private static final int SAMPLES = FileProblems.SAMPLES;
    private static final String RECORD = "lockstep_record";
    /** SQLSTATE classes of errors that no file causes: connection lost, conflict with another session, out of resources, cancelled. */
    private static final Set<String> NOT_OF_THE_FILE = Set.of("08", "40", "53", "55", "57", "58");

    private final Connection connection;
    private final Table table;
    private final List<ImportColumn> columns;
    private final long records;
    private final String record;

    /** Creates the empty table. */
    TypedStaging(Connection connection, Table table, List<ImportColumn> columns, long records) throws SQLException {
        this.connection = connection;
        this.table = table;
        this.columns = columns;
        this.records = records;
        record = Sql.identifier(freeName(table.columns()));
        Sql.execute(connection, "CREATE TEMPORARY TABLE " + NAME + " ON COMMIT DROP AS SELECT " + Sql.columns("", table.columns())
                + " FROM " + Sql.table(table.name()) + " WITH NO DATA");
        Sql.execute(connection, "ALTER TABLE " + TABLE + " ADD COLUMN " + record + " bigint");
    }

    private static String freeName(List<String> taken) {
        String name = RECORD;
        while (taken.contains(name)) name += "_";
        return name;
    }

    /** Returns the quoted name of the column with the record's number. */
    String record() {
        return record;
    }

    /**
     * Converts the records of {@link RawStaging}.
     *
     * @throws Fault.FileRefused with every value that a column does not accept
     */
    void fill() throws SQLException {
        withDefaultSearchPath(this::convert);
        Sql.execute(connection, "ANALYZE " + TABLE);
    }

    private void convert() throws SQLException {
        var problems = new FileProblems();
        for (int i = 0; i < columns.size(); i++) if (columns.get(i).required()) findMissing(i, problems);
        // The text of a row is converted to the table's row type, which calls each type's input function with its modifier. A cast of each
        // value would truncate a text that is too long without an error.
        String values = IntStream.range(0, columns.size()).mapToObj(i -> "r." + RawStaging.column(i)).collect(Collectors.joining(", "));
        String typed = "SELECT ROW(" + values + ", r.record)::pg_catalog.text::" + TABLE + " AS typed FROM " + RawStaging.TABLE + " r";
        var failure = failure("INSERT INTO " + TABLE + " SELECT (v.typed).* FROM (" + typed + " OFFSET 0) v");
        if (failure.isPresent()) {
            if (!isOfTheFile(failure.get())) throw failure.get();
            for (int i = 0; i < columns.size(); i++) findInvalid(i, problems);
            if (problems.isEmpty()) {
                var raised = firstRaising((from, until) -> typed + " WHERE r.record " + from + " AND r.record " + until)
                        .orElseThrow(failure::get);
                problems.add("line " + line(raised.record) + ": " + message(raised.error));
            }
        }
        problems.refuse();
    }

    private void findMissing(int i, FileProblems problems) throws SQLException {
        var lines = new ArrayList<String>();
        long[] all = {0};
        query("SELECT r.line, pg_catalog.count(*) OVER () FROM " + RawStaging.TABLE + " r WHERE r." + RawStaging.column(i)
                + " IS NULL ORDER BY r.record LIMIT " + SAMPLES, row -> {
                    lines.add("line " + row.getLong(1));
                    all[0] = row.getLong(2);
                });
        if (!lines.isEmpty())
            problems.add(String.join(", ", lines) + FileProblems.more(all[0]) + ", column " + columns.get(i).name()
                    + ": the value is missing. An empty field is NULL, which this column does not allow; \"\" in quotes is an empty text");
    }

    private void findInvalid(int i, FileProblems problems) throws SQLException {
        ImportColumn column = columns.get(i);
        String value = "r." + RawStaging.column(i);
        RangeQuery query = (from, until) -> "SELECT r.line, e.message, e.detail, e.sql_error_code, pg_catalog.count(*) OVER () FROM "
                + RawStaging.TABLE + " r CROSS JOIN LATERAL pg_catalog.pg_input_error_info(" + value + ", "
                + Sql.literal(column.type()) + ") e WHERE r.record " + from + " AND r.record " + until + " AND " + value
                + " IS NOT NULL AND e.message IS NOT NULL ORDER BY r.record LIMIT " + SAMPLES;
        // without USAGE on the type's schema the writer can't name the type
        var denied = failure("SELECT pg_catalog.pg_input_is_valid('', " + Sql.literal(column.type()) + ")");
        if (denied.isPresent() && "42501".equals(denied.get().getSQLState())) return;
        // types of extensions and functions of domains may raise errors that pg_input_error_info does not catch
        var raised = firstRaising(query);
        if (raised.isPresent()) {
            problems.add("line " + line(raised.get().record) + ", column " + column.name() + ": " + message(raised.get().error) + ". "
                    + advice(column, raised.get().error.getSQLState()));
            return;
        }
        var lines = new ArrayList<String>();
        String[] state = {""};
        long[] all = {0};
        query(query.over(1, records), row -> {
            lines.add("line " + row.getLong(1) + ", column " + column.name() + ": " + message(row.getString(2), row.getString(3)));
            state[0] = row.getString(4);
            all[0] = row.getLong(5);
        });
        if (!lines.isEmpty()) problems.add(String.join("\n", lines) + FileProblems.more(all[0]) + ". " + advice(column, state[0]));
    }

    private static String advice(ImportColumn column, String state) {
        String type = "The column is " + column.type() + ". ";
        return type + switch (state == null ? "" : state) {
            case "22001" -> "Shorten the value, or migrate the product first";
            case "22003" -> "Write a number that the column can hold";
            case "23514" -> "Correct the value, or migrate the product first";
            default -> switch (column.baseName()) {
                case "date", "timestamp", "timestamptz" -> "Write dates as 2026-01-31";
                case "int2", "int4", "int8", "numeric", "float4", "float8" -> "Write numbers with digits, and with a point before decimals";
                case "bool" -> "Write true or false";
                case "json", "jsonb" -> "Write it as JSON";
                default -> "Write the value as PostgreSQL reads it";
            };
        };
    }

    /** Finds rows that repeat a key, and rows that violate a check constraint. */
    void check(Collection<? extends Collection<String>> uniqueKeys, FileProblems problems) throws SQLException {
        for (Collection<String> key : uniqueKeys)
            if (table.columns().containsAll(key)) findRepeated(table.columns().stream().filter(key::contains).toList(), problems);
        var checks = checks();
        withDefaultSearchPath(() -> {
            for (var check : checks.entrySet()) findRefused(check.getKey(), check.getValue(), problems);
        });
    }

    private void findRepeated(List<String> key, FileProblems problems) throws SQLException {
        var repeated = new ArrayList<String>();
        long[] all = {0};
        query("SELECT r.line, f.line, d.v, pg_catalog.count(*) OVER () FROM (SELECT t." + record + " AS record, pg_catalog.min(t." + record
                + ") OVER (PARTITION BY " + Sql.columns("t.", key) + ") AS first, "
                + text("t.", key) + " AS v FROM " + TABLE + " t WHERE "
                + key.stream().map(c -> "t." + Sql.identifier(c) + " IS NOT NULL").collect(Collectors.joining(" AND ")) + ") d JOIN "
                + RawStaging.TABLE
                + " r ON r.record OPERATOR(pg_catalog.=) d.record JOIN " + RawStaging.TABLE
                + " f ON f.record OPERATOR(pg_catalog.=) d.first WHERE d.record OPERATOR(pg_catalog.<>) d.first ORDER BY d.record LIMIT "
                + SAMPLES, row -> {
                    repeated.add("line " + row.getLong(1) + " repeats (" + String.join(", ", key) + ")=("
                            + FileProblems.shown(row.getString(3)) + ") of line " + row.getLong(2));
                    all[0] = row.getLong(4);
                });
        if (!repeated.isEmpty()) problems.add(String.join("\n", repeated) + FileProblems.more(all[0]) + ". Rows must differ in "
                + String.join(", ", key) + ": remove one of the two");
    }

    private void findRefused(String name, String expression, FileProblems problems) throws SQLException {
        RangeQuery query = (from, until) -> "SELECT t." + record + ", " + text("t.", table.key()) + ", pg_catalog.count(*) OVER () FROM "
                + TABLE + " t WHERE t." + record + " " + from + " AND t." + record + " " + until + " AND (" + expression
                + ") IS FALSE ORDER BY 1 LIMIT " + SAMPLES;
        String what = ": the check " + name + ", " + FileProblems.shown(expression) + ", ";
        var raised = firstRaising(query);
        if (raised.isPresent()) {
            problems.add("line " + line(raised.get().record) + what + "fails: " + message(raised.get().error));
            return;
        }
        var refused = new ArrayList<Long>();
        var keys = new ArrayList<String>();
        long[] all = {0};
        query(query.over(1, records), row -> {
            refused.add(row.getLong(1));
            keys.add(row.getString(2));
            all[0] = row.getLong(3);
        });
        if (refused.isEmpty()) return;
        var lines = RawStaging.lines(connection, refused);
        problems.add(IntStream.range(0, refused.size())
                .mapToObj(i -> "line " + lines.get(refused.get(i)) + " (" + FileProblems.shown(keys.get(i)) + ")")
                .collect(Collectors.joining(", ")) + FileProblems.more(all[0])
                + what + "refuses it. Correct the value, or migrate the product first");
    }

    private Map<String, String> checks() throws SQLException {
        var checks = new java.util.LinkedHashMap<String, String>();
        try (var query = connection.prepareStatement(Sql.named("checks"))) {
            query.setString(1, Sql.table(table.name()));
            query.setArray(2, connection.createArrayOf("text", table.columns().toArray()));
            try (var row = query.executeQuery()) {
                while (row.next()) checks.put(row.getString(1), row.getString(2));
            }
        }
        return checks;
    }

    /** Values that a column stores only in part: their number, and some of each column. */
    record Losses(long values, List<Rounded> samples) {}

    Losses losses() throws SQLException {
        var samples = new ArrayList<Rounded>();
        long all = 0;
        for (int i = 0; i < columns.size(); i++) {
            ImportColumn column = columns.get(i);
            String written = "r." + RawStaging.column(i);
            String kept = "t." + Sql.identifier(column.name());
            var losing = column.losing(written, kept);
            if (losing.isEmpty()) continue;
            long[] found = {0};
            query("SELECT r.line, " + written + ", " + kept + "::text, pg_catalog.count(*) OVER () FROM " + RawStaging.TABLE + " r JOIN "
                    + TABLE + " t ON t." + record + " OPERATOR(pg_catalog.=) r.record WHERE " + losing.get()
                    + " ORDER BY r.record LIMIT " + SAMPLES, row -> {
                        samples.add(new Rounded(row.getLong(1), column.name(), FileProblems.cut(row.getString(2)),
                                FileProblems.cut(row.getString(3))));
                        found[0] = row.getLong(4);
                    });
            all += found[0];
        }
        return new Losses(all, samples);
    }

    /**
     * Creates a unique index, for fast lookups by key.
     *
     * @param key the column list of the index, as in CREATE INDEX
     */
    void index(String key) throws SQLException {
        var failure = failure("CREATE UNIQUE INDEX ON " + TABLE + " (" + key + ")");
        // the key's index may treat more values as equal than the search for repeated keys did
        if (failure.isPresent() && "23505".equals(failure.get().getSQLState()))
            throw FileProblems.refusal("two rows have the same key: " + message(failure.get()));
        if (failure.isPresent()) throw failure.get();
    }

    /** Runs statements. */
    private interface Work {
        void run() throws SQLException;
    }

    /** Runs work that may call functions of the product, from domains and checks, with the default search path that they expect. */
    private void withDefaultSearchPath(Work work) throws SQLException {
        var path = new String[1];
        query("SELECT pg_catalog.current_setting('search_path')", row -> path[0] = row.getString(1));
        Sql.execute(connection, "SET LOCAL search_path TO DEFAULT");
        work.run();
        Sql.execute(connection, "SELECT pg_catalog.set_config('search_path', " + Sql.literal(path[0]) + ", true)");
    }

    private static String text(String prefix, List<String> names) {
        return "pg_catalog.concat_ws(', ', "
                + names.stream().map(n -> prefix + Sql.identifier(n) + "::text").collect(Collectors.joining(", ")) + ")";
    }

    private long line(long number) throws SQLException {
        return RawStaging.lines(connection, List.of(number)).get(number);
    }

    private interface Take {
        void row(ResultSet row) throws SQLException;
    }

    private void query(String query, Take take) throws SQLException {
        try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
            while (row.next()) take.row(row);
        }
    }

    /** A query over a range of records. */
    private interface RangeQuery {
        /** Returns the query for a range; {@code from} and {@code until} are operators with bounds, to follow the record's number. */
        String in(String from, String until);

        default String over(long from, long until) {
            return in("OPERATOR(pg_catalog.>=) " + from, "OPERATOR(pg_catalog.<=) " + until);
        }
    }

    private record Raised(long record, SQLException error) {}

    /**
     * Finds the first record at which a query raises an error, with a binary search, because the error does not name the record.
     */
    private Optional<Raised> firstRaising(RangeQuery query) throws SQLException {
        var error = failure(query.over(1, records));
        if (error.isEmpty()) return Optional.empty();
        if (!isOfTheFile(error.get())) throw error.get();
        long from = 1;
        long until = records;
        while (from < until) {
            long middle = from + (until - from) / 2;
            var before = failure(query.over(from, middle));
            if (before.isPresent()) until = middle;
            else from = middle + 1;
            if (before.isPresent()) error = before;
        }
        var last = failure(query.over(from, from));
        return Optional.of(new Raised(from, last.orElse(error.get())));
    }

    /** Runs a statement and returns its error, if any, after rolling back to the state before it. */
    private Optional<SQLException> failure(String sql) throws SQLException {
        var before = connection.setSavepoint();
        try {
            Sql.execute(connection, sql);
            connection.releaseSavepoint(before);
            return Optional.empty();
        } catch (SQLException e) {
            if (!connection.isValid(1)) throw e;
            connection.rollback(before);
            return Optional.of(e);
        }
    }

    static boolean isOfTheFile(SQLException e) {
        return e.getSQLState() != null && e.getSQLState().length() == 5 && !NOT_OF_THE_FILE.contains(e.getSQLState().substring(0, 2))
                && !e.getSQLState().equals("42501");
    }

    /** Returns the server's message and detail, without the position in Lockstep's SQL. */
    static String message(SQLException e) {
        if (!(e instanceof PSQLException server) || server.getServerErrorMessage() == null) return e.getMessage();
        return message(server.getServerErrorMessage().getMessage(), server.getServerErrorMessage().getDetail());
    }

    private static String message(String message, String detail) {
        return FileProblems.shown(message, 300) + (detail == null ? "" : " (" + FileProblems.shown(detail, 300) + ")");
    }
}
