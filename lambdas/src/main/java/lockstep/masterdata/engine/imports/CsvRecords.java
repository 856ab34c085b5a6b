package lockstep.masterdata.engine.imports;

import de.siegmar.fastcsv.reader.AbstractBaseCsvCallbackHandler;
import de.siegmar.fastcsv.reader.CloseableIterator;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads the records of a CSV file (RFC 4180) with FastCSV: fields are separated by commas, and a field with a comma, a quote or a line
 * break is in quotes. Line ends are {@code \n} or {@code \r\n}. An empty field is NULL, and {@code ""} is an empty text, as in COPY.
 */
public final class CsvRecords implements AutoCloseable {
    /** A longer field is refused, because it is more likely an unclosed quote than a value. */
    static final int MAX_FIELD_CHARACTERS = 16 << 20;

    private static final String NUL = "the value has a NUL character, which PostgreSQL cannot store. If the file is UTF-16, "
            + "save it as UTF-8";
    private static final String STRAY_QUOTE = "there is a quote inside a field that does not begin with one. Put the field in quotes, and "
            + "write the quote inside it twice";

    /**
     * One record.
     *
     * @param line     the line on which it begins, counted from 1
     * @param lastLine the line on which it ends
     * @param values   the values, null for NULL
     * @param blank    whether the line is empty
     * @param problems problems after which the next record can still be read
     */
    public record Row(long line, long lastLine, List<String> values, boolean blank, List<CsvProblem> problems) {}

    private final Handler handler = new Handler();
    private final CloseableIterator<Row> rows;

    public CsvRecords(InputStream file) {
        rows = CsvReader.builder().skipEmptyLines(false).allowUnclosedQuote(false)
                .extraFieldStrategy(FieldMismatchStrategy.IGNORE).missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                .maxBufferSize(MAX_FIELD_CHARACTERS).build(handler, new StrictUtf8Reader(file)).iterator();
    }

    /**
     * Returns the next record, or empty at the end of the file.
     *
     * @throws CsvProblem.Fatal when the rest of the file cannot be divided into records
     */
    public Optional<Row> next() throws IOException {
        try {
            return rows.hasNext() ? Optional.of(rows.next()) : Optional.empty();
        } catch (UncheckedIOException e) {
            if (!(e.getCause() instanceof CsvProblem.Fatal fatal)) throw e.getCause();
            var problem = fatal.problem();
            throw problem.field() != CsvProblem.CURRENT_FIELD ? fatal
                    : new CsvProblem.Fatal(new CsvProblem(problem.line(), handler.fields(), problem.what()));
        } catch (CsvParseException e) {
            // every other rule of the parser is switched off, so the field that it was reading is in quotes
            throw new CsvProblem.Fatal(new CsvProblem(handler.openLine(), handler.fields(),
                    "the quote that opens here is not closed by a quote before a comma or the end of a line. Close it, and write a quote "
                            + "inside a value twice"));
        }
    }

    @Override
    public void close() throws IOException {
        rows.close();
    }

    /** Builds rows, and tracks where the field that is being parsed begins. */
    private static final class Handler extends AbstractBaseCsvCallbackHandler<Row> {
        private List<String> values = new ArrayList<>();
        private List<CsvProblem> problems = new ArrayList<>();
        private long firstLine;
        private long line;
        private boolean blank;

        @Override
        protected void handleBegin(long startingLineNumber) {
            values = new ArrayList<>(values.size());
            problems = new ArrayList<>();
            firstLine = startingLineNumber;
            line = startingLineNumber;
            blank = false;
        }

        @Override
        protected void handleField(int index, char[] buffer, int offset, int length, boolean quoted) {
            values.add(length == 0 && !quoted ? null : new String(buffer, offset, length));
            boolean sound = true;
            for (int i = offset; i < offset + length; i++) {
                char next = buffer[i];
                boolean nul = next == '\0';
                boolean stray = next == '"' && !quoted;
                if (sound && (nul || stray)) {
                    problems.add(new CsvProblem(line, index, nul ? NUL : STRAY_QUOTE));
                    sound = false;
                }
                if (next == '\r' || next == '\n' && (i == offset || buffer[i - 1] != '\r')) line++;
            }
        }

        @Override
        protected void handleEmpty() {
            blank = true;
        }

        @Override
        protected Row buildRecord() {
            return new Row(firstLine, line, values, blank, problems);
        }

        int fields() {
            return values.size();
        }

        long openLine() {
            return line;
        }
    }
}
