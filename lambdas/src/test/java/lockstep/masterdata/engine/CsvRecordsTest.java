package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import lockstep.masterdata.engine.imports.CsvProblem;
import lockstep.masterdata.engine.imports.CsvRecords.Row;
import lockstep.masterdata.engine.imports.CsvRecords;
import org.junit.jupiter.api.Test;

/** Tests that a file is divided into records according to RFC 4180, or refused with the line. */
class CsvRecordsTest {
    private static List<Row> read(byte[] file) throws IOException {
        var rows = new ArrayList<Row>();
        try (var records = new CsvRecords(new ByteArrayInputStream(file))) {
            for (var next = records.next(); next.isPresent(); next = records.next()) rows.add(next.get());
        }
        return rows;
    }

    private static List<Row> read(String file) throws IOException {
        return read(file.getBytes(StandardCharsets.UTF_8));
    }

    private static List<List<String>> values(String file) throws IOException {
        var rows = read(file);
        rows.forEach(r -> assertEquals(List.of(), r.problems()));
        return rows.stream().filter(r -> !r.blank()).map(Row::values).toList();
    }

    private static List<Long> lines(String file) throws IOException {
        return read(file).stream().map(Row::line).toList();
    }

    private static void fatal(String file, long line, int field, String... words) {
        fatal(file.getBytes(StandardCharsets.UTF_8), line, field, words);
    }

    private static void fatal(byte[] file, long line, int field, String... words) {
        var problem = assertThrows(CsvProblem.Fatal.class, () -> read(file)).problem();
        assertEquals(line, problem.line(), problem::toString);
        assertEquals(field, problem.field(), problem::toString);
        for (String word : words) assertTrue(problem.what().contains(word), word + " is not in: " + problem.what());
    }

    private static void problem(String file, long line, int field, String word) throws IOException {
        var problems = read(file).stream().flatMap(r -> r.problems().stream()).toList();
        assertEquals(1, problems.size(), problems::toString);
        assertEquals(line, problems.getFirst().line());
        assertEquals(field, problems.getFirst().field());
        assertTrue(problems.getFirst().what().contains(word), problems::toString);
    }

    private static List<String> row(String... values) {
        return Arrays.asList(values);
    }

    @Test
    void valuesAreTakenAsTheyAreWritten() throws IOException {
        assertEquals(List.of(row("a", "b"), row("1", "x")), values("a,b\n1,x\n"));
        assertEquals(List.of(row("a", "b"), row("1", "x")), values("a,b\r\n1,x\r\n"));
        assertEquals(List.of(row("a", "b"), row("1", "x")), values("a,b\r1,x\r"), "every line ends with a carriage return alone");
        assertEquals(List.of(row("a", "b"), row("1", "x")), values("a,b\n1,x"), "the last line has no end");
        assertEquals(List.of(row("a", "b"), row("1", "x")), values("\uFEFFa,b\n1,x\r\n"));
        assertEquals(List.of(row("a\uFEFF", "\uFEFFb")), values("a\uFEFF,\uFEFFb\n"), "a byte order mark inside the file is a character");
        assertEquals(List.of(row("x", "say \"hi\", you", "y")), values("x,\"say \"\"hi\"\", you\",y\n"));
        assertEquals(List.of(row("two\nlines", "three\r\nand", "a\rcr")), values("\"two\nlines\",\"three\r\nand\",\"a\rcr\"\n"));
        assertEquals(List.of(row(" a ", "\tb\t")), values(" a ,\tb\t\n"), "blanks belong to the value");
        assertEquals(List.of(row("a\u2028b", "c\u2029d", "e\u0085f", "g\u000bh\fi")), values("a\u2028b,c\u2029d,e\u0085f,g\u000bh\fi\n"),
                "these end no line");
        assertEquals(List.of(row("😀", "e\u0301", "薬")), values("😀,e\u0301,薬\n"));
    }

    @Test
    void anEmptyFieldIsNullAndAQuotedOneIsEmpty() throws IOException {
        assertEquals(List.of(row(null, "", null)), values(",\"\",\n"));
        assertEquals(List.of(row(null, null)), values(","));
        assertEquals(List.of(row("")), values("\"\"\n"));
        assertEquals(List.of(row("", "")), values("\"\",\"\""));
        assertEquals(List.of(row("\"")), values("\"\"\"\"\n"));
    }

    @Test
    void nothingThatEndsOrEscapesInCopyDoesSoHere() throws IOException {
        assertEquals(List.of(row("\\."), row("x"), row("\\."), row("\\.")), values("\\.\nx\n\\.\r\n\"\\.\"\n"));
        assertEquals(List.of(row("\\N", "\\", "\\\\", "\\n", "a\\\"b")), values("\\N,\\,\\\\,\\n,\"a\\\"\"b\"\n"));
        assertEquals(List.of(row("#x"), row("-- x")), values("#x\n-- x\n"));
        assertEquals(List.of(row("\u001a")), values("\u001a\n"));
    }

    @Test
    void recordsKnowTheirLines() throws IOException {
        assertEquals(List.of(1L, 2L, 5L, 6L), lines("a\n\"b\n\n\"\nc\nd"));
        assertEquals(List.of(1L, 2L, 5L, 6L), lines("a\r\n\"b\r\n\r\n\"\r\nc\r\nd"));
        assertEquals(List.of(1L, 2L, 4L), lines("a\n\"b\rc\"\nd\n"));
        var blank = read("a\n\n\r\nb\n\n");
        assertEquals(List.of(false, true, true, false, true), blank.stream().map(Row::blank).toList());
        assertEquals(4, blank.get(3).line());
        assertEquals(3, read("\"a\n\n\",b\nc\n").getFirst().lastLine());
    }

    @Test
    void aQuoteIsReportedWhereItOpens() {
        fatal("a,b\n1,\"x\n2,y\n3,z\n", 2, 1, "the quote that opens here is not closed");
        fatal("\"a,b\n1,x\n", 1, 0, "not closed");
        fatal("a,b\n1,x\n2,\"y", 3, 1, "not closed");
        fatal("a,b\n1,\"", 2, 1, "not closed");
        fatal("a,b\n1,\"\"\"", 2, 1, "not closed");
        fatal("a,b\n1,\"x\n2,\"y\"\n", 2, 1, "not closed");
        fatal("a,b\n\"1\n\n\",\"x\n2,\"y\"\n", 4, 1, "not closed");
        fatal("a,b\r\n\"1\r\n\r\n\",\"x\r\n2,\"y\"\r\n", 4, 1, "not closed");
        fatal("a,b\n1,\"x\"y\n", 2, 1, "not closed by a quote before a comma");
        fatal("a,b\n1,\"x\" \n", 2, 1, "not closed by a quote before a comma");
        fatal("a,b\n\"1\"2,x\n", 2, 0, "not closed by a quote before a comma");
    }

    @Test
    void aQuoteInsideAFieldIsReported() throws IOException {
        problem("a,b\n1,6\" pipe\n2,x\n", 2, 1, "there is a quote inside a field");
        problem("a,b\n1, \"x\"\n", 2, 1, "there is a quote inside a field");
        problem("a,b\n1\"\",x\n", 2, 0, "there is a quote inside a field");
    }

    @Test
    void whatIsNotUtf8IsReportedWithItsLine() {
        byte[] latin = "a,b\n1,x\n2,caf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1);
        fatal(latin, 3, 1, "the byte 0xE9 is not UTF-8");
        fatal("a,b\n1,x\n2,\u00e9".getBytes(StandardCharsets.ISO_8859_1), 3, 1, "0xE9");
        fatal(new byte[]{'a', '\n', (byte) 0xC0, (byte) 0x80, '\n'}, 2, 0, "0xC0");
        fatal(new byte[]{'a', '\n', (byte) 0xED, (byte) 0xA0, (byte) 0x80, '\n'}, 2, 0, "0xED");
        fatal("a,b\n".getBytes(StandardCharsets.UTF_16), 1, 0, "0xFE", "looks like UTF-16");
        fatal(new byte[]{(byte) 0xFF, (byte) 0xFE, 'a', 0}, 1, 0, "looks like UTF-16");
        var late = new StringBuilder("a\n");
        for (int i = 0; i < 100_000; i++) late.append("\u85ac ").append(i).append('\n');
        byte[] many = late.toString().getBytes(StandardCharsets.UTF_8);
        byte[] bad = Arrays.copyOf(many, many.length + 1);
        bad[many.length] = (byte) 0x80;
        fatal(bad, 100_002, 0, "0x80");
    }

    @Test
    void aNulIsReported() throws IOException {
        problem("a,b\n1,x\0y\n", 2, 1, "NUL");
        problem("a,b\n1,\"x\n\0\"\n", 3, 1, "NUL");
    }

    @Test
    void aLoneCarriageReturnIsReported() {
        fatal("a,b\n1,x\ry\n2,z\n", 2, -1, "carriage return");
        fatal("a,b\r\n1,x\r2,y\r\n", 2, -1, "carriage return");
        fatal("a,b\n1,x\r", 2, -1, "carriage return");
        fatal("a,b\n1,\"x\"\r2,y\n", 2, -1, "carriage return");
        fatal("a,b\r1,x\n2,y\r", 2, -1, "line feed");
        fatal("a,b\r1,x\r\n", 2, -1, "line feed");
    }

    @Test
    void aLongFieldIsRead() throws IOException {
        String megabytes = "薬,\"\n".repeat(3_000_000);
        var rows = read("a,b\n1,\"" + megabytes.replace("\"", "\"\"") + "\"\n2,x\n");
        assertEquals(megabytes, rows.get(1).values().get(1));
        assertEquals(3_000_003, rows.get(2).line());
    }

    /** Bytes arrive in chunks of every size, so that a chunk ends at every position of the file once. */
    @Test
    void piecesOfAnySizeReadTheSame() throws IOException {
        byte[] file = "a,薬\r\n\"1\"\"\r\n\",😀\r\n\r\n,\"\"\r\n".repeat(30).getBytes(StandardCharsets.UTF_8);
        var whole = read(file);
        for (int piece = 1; piece < 40; piece++) {
            int size = piece;
            var rows = new ArrayList<Row>();
            var pieces = new InputStream() {
                private final ByteArrayInputStream in = new ByteArrayInputStream(file);

                @Override
                public int read() {
                    return in.read();
                }

                @Override
                public int read(byte[] target, int offset, int length) {
                    return in.read(target, offset, Math.min(length, size));
                }
            };
            try (var records = new CsvRecords(pieces)) {
                for (var next = records.next(); next.isPresent(); next = records.next()) rows.add(next.get());
            }
            assertEquals(whole, rows, "pieces of " + piece);
        }
    }

    /** Random bytes are either read or refused, without any other error, and line numbers are never beyond the file. */
    @Test
    void randomBytesAreReadOrRefused() throws IOException {
        byte[] alphabet = "a,\"\n\r\\. ".getBytes(StandardCharsets.US_ASCII);
        for (int seed = 0; seed < 20_000; seed++) {
            var random = new Random(seed);
            var file = new ByteArrayOutputStream();
            for (int i = random.nextInt(30); i > 0; i--)
                file.write(random.nextInt(50) == 0 ? random.nextInt(256) : alphabet[random.nextInt(alphabet.length)]);
            long lines = 1
                    + new String(file.toByteArray(), StandardCharsets.ISO_8859_1).chars().filter(c -> c == '\n' || c == '\r').count();
            try {
                for (Row row : read(file.toByteArray()))
                    assertTrue(row.line() <= lines && row.lastLine() <= lines && row.line() <= row.lastLine(), row::toString);
            } catch (CsvProblem.Fatal e) {
                assertTrue(e.problem().line() <= lines, e.problem()::toString);
            }
        }
    }
}
