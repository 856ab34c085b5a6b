package lockstep.masterdata.engine.imports;

import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.imports.CsvRecords.Row;
import org.postgresql.util.PSQLException;

/** Reads a CSV file into {@link RawStaging}. All its syntax errors are reported together. */
final class ImportedFile {
    /** Matches the line number in an error of COPY, where each record is one line. */
    private static final Pattern COPIED = Pattern.compile("COPY \\w+, line (\\d+)");

    private final Connection connection;
    private final Table table;
    private final Supplier<InputStream> file;
    private final List<CsvProblem> problems = new ArrayList<>();
    private long found;

    /** @param file opens the file; each call starts again at its beginning */
    ImportedFile(Connection connection, Table table, Supplier<InputStream> file) {
        this.connection = connection;
        this.table = table;
        this.file = file;
    }

    /**
     * Copies the records into {@link RawStaging}, with their values in the order of the table's columns, and returns their number.
     *
     * @throws Fault.FileRefused    with the invalid lines
     * @throws Fault.ImportMismatch when the server does not hold exactly the records of the file
     */
    long stage() throws SQLException, IOException {
        try (var records = new CsvRecords(file.get()); var raw = new RawStaging(connection, table.columns().size())) {
            List<String> header = header(records);
            int[] positions = ImportHeader.match(table.name(), table.columns(), header).stream().mapToInt(Integer::intValue).toArray();
            var names = Arrays.stream(positions).mapToObj(table.columns()::get).toList();
            read(records, row -> {
                if (problems.isEmpty()) raw.append(row.line(), inOrder(row.values(), positions));
            }, names.size());
            refuse(names);
            raw.finish();
            if (raw.records() == 0)
                throw FileProblems.refusal("the file has a header and no rows, which would empty " + table.name()
                        + ". If you want that, delete the rows in the source");
            raw.verify();
            return raw.records();
        } catch (SQLException e) {
            throw refusedByTheServer(e);
        }
    }

    private List<String> header(CsvRecords records) throws IOException {
        Optional<Row> first;
        try {
            first = records.next();
        } catch (CsvProblem.Fatal e) {
            throw FileProblems.refusal(e.problem().text(List.of()));
        }
        if (first.isEmpty()) throw FileProblems.refusal("the file is empty. It must begin with a header that names the columns of "
                + table.name() + ": " + String.join(",", table.columns()));
        if (first.get().blank())
            throw FileProblems.refusal("line 1: the line is blank. The file must begin with a header that names the columns of "
                    + table.name() + ": " + String.join(",", table.columns()));
        problems.addAll(first.get().problems());
        found = problems.size();
        refuse(List.of());
        return first.get().values();
    }

    private interface Take {
        void row(Row row) throws SQLException;
    }

    /** Passes every record after the header to {@code take}. Blank lines at the end of the file are ignored. */
    private void read(CsvRecords records, Take take, int fields) throws SQLException, IOException {
        try {
            long blank = 0;
            for (var next = records.next(); next.isPresent(); next = records.next()) {
                Row row = next.get();
                if (isBlank(row, fields)) {
                    if (blank == 0) blank = row.line();
                    continue;
                }
                if (blank > 0)
                    note(new CsvProblem(blank, CsvProblem.WHOLE_LINE, "the line is blank, and there are records after it. Remove it"));
                blank = 0;
                row.problems().forEach(this::note);
                if (row.values().size() != fields && row.problems().isEmpty())
                    note(new CsvProblem(row.line(), CsvProblem.WHOLE_LINE, otherwiseDivided(row, fields)));
                take.row(row);
            }
        } catch (CsvProblem.Fatal e) {
            problems.add(e.problem());
        }
    }

    private static boolean isBlank(Row row, int fields) {
        return row.blank() || fields > 1 && row.values().size() == 1 && row.line() == row.lastLine()
                && (row.values().getFirst() == null || row.values().getFirst().isBlank());
    }

    private static String otherwiseDivided(Row row, int fields) {
        int has = row.values().size();
        return "the record has " + has + (has == 1 ? " field" : " fields") + ", and the header has " + fields
                + (row.lastLine() > row.line() ? ". It extends to line " + row.lastLine() + ", because a field in quotes has line breaks"
                        : "")
                + ". A field that has a comma, a quote or a line break in it must be in quotes";
    }

    private void note(CsvProblem problem) {
        found++;
        if (problems.size() < FileProblems.SAMPLES) problems.add(problem);
    }

    private void refuse(List<String> header) {
        if (problems.isEmpty()) return;
        var lines = problems.stream().sorted(java.util.Comparator.comparingLong(CsvProblem::line)).map(p -> p.text(header))
                .collect(Collectors.joining("\n"));
        throw FileProblems.refusal(
                lines + (found > FileProblems.SAMPLES ? "\nThere are " + (found - FileProblems.SAMPLES) + " more such lines" : ""));
    }

    private static List<String> inOrder(List<String> values, int[] positions) {
        var ordered = new String[positions.length];
        for (int i = 0; i < positions.length; i++) ordered[positions[i]] = values.get(i);
        return Arrays.asList(ordered);
    }

    /** Converts an error of COPY into a fault with the file's line. A server with an encoding other than UTF-8 rejects some characters. */
    private SQLException refusedByTheServer(SQLException e) throws IOException {
        if (!(e instanceof PSQLException server) || server.getServerErrorMessage() == null || !TypedStaging.isOfTheFile(e)) return e;
        var at = COPIED.matcher(String.valueOf(server.getServerErrorMessage().getWhere()));
        if (!at.find()) return e;
        throw FileProblems
                .refusal("line " + line(Long.parseLong(at.group(1))) + ": the server refuses a value: " + TypedStaging.message(e));
    }

    private long line(long record) throws IOException {
        try (var records = new CsvRecords(file.get())) {
            long line = 0;
            for (long i = 0; i <= record; i++) line = records.next().orElseThrow().line();
            return line;
        }
    }
}
