package lockstep.masterdata.engine.imports;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Decodes a CSV file and refuses what a lenient reader would silently replace or split. {@link java.io.InputStreamReader} cannot do this:
 * it reports an invalid byte without its line, and it does not see line ends.
 *
 * <ul>
 * <li>A byte that is not UTF-8 is refused with its line. A byte order mark at the beginning is skipped.
 * <li>A carriage return outside quotes must be followed by a line feed, because a CSV parser would otherwise split the record there. A file
 *     whose first line ends with a lone carriage return is accepted if all of its lines do.
 * </ul>
 *
 * <p>All characters before the problem are delivered first; the read after that throws {@link CsvProblem.Fatal}.
 */
final class StrictUtf8Reader extends Reader {
    private static final char BYTE_ORDER_MARK = '\uFEFF';
    private static final String LONE_CARRIAGE_RETURN = "there is a carriage return without a line feed outside quotes. End every line with "
            + "\\n or \\r\\n, and put a value that has a line break in quotes";

    private enum LineEnd { LF, CR }

    private final InputStream in;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    private final ByteBuffer bytes = ByteBuffer.allocate(1 << 16).limit(0);
    private final CharBuffer chars = CharBuffer.allocate(1 << 16).limit(0);
    private boolean ended;
    private boolean begun;
    private CsvProblem problem;

    private long line = 1;
    private boolean quoted;
    private boolean afterCarriageReturn;
    private LineEnd lineEnd;

    StrictUtf8Reader(InputStream in) {
        this.in = in;
    }

    @Override
    public int read(char[] target, int offset, int length) throws IOException {
        while (!chars.hasRemaining()) {
            if (problem != null) throw new CsvProblem.Fatal(problem);
            if (ended) return -1;
            decode();
        }
        int count = Math.min(length, chars.remaining());
        chars.get(target, offset, count);
        return count;
    }

    private void decode() throws IOException {
        bytes.compact();
        int read = in.read(bytes.array(), bytes.position(), bytes.remaining());
        ended = read < 0;
        bytes.position(bytes.position() + Math.max(0, read)).flip();
        chars.clear();
        CoderResult result = decoder.decode(bytes, chars, ended);
        chars.flip();
        if (!begun && chars.hasRemaining()) {
            begun = true;
            if (chars.get(0) == BYTE_ORDER_MARK) chars.position(1);
        }
        checkLineEnds();
        if (problem == null && result.isError())
            problem = new CsvProblem(line, CsvProblem.CURRENT_FIELD, notUtf8(bytes.get(bytes.position())));
        if (problem == null && ended && afterCarriageReturn && lineEnd == LineEnd.LF)
            problem = new CsvProblem(line - 1, CsvProblem.WHOLE_LINE, LONE_CARRIAGE_RETURN);
    }

    private String notUtf8(byte value) {
        boolean likeUtf16 = !begun && (value == (byte) 0xFF || value == (byte) 0xFE);
        return String.format("the byte 0x%02X is not UTF-8. %sSave the file as UTF-8", value,
                likeUtf16 ? "The file looks like UTF-16. " : "");
    }

    /** Stops the delivered characters at the first line end that is not allowed. Quotes are counted: doubled ones cancel each other. */
    private void checkLineEnds() {
        for (int i = chars.position(); i < chars.limit(); i++) {
            char next = chars.get(i);
            boolean second = afterCarriageReturn && next == '\n';
            if (afterCarriageReturn && !quoted && !allowed(second ? LineEnd.LF : LineEnd.CR, i, line - 1)) return;
            afterCarriageReturn = next == '\r';
            if (next == '"') quoted = !quoted;
            if (next == '\n' && !second && !quoted && !allowed(LineEnd.LF, i, line)) return;
            if (next == '\r' || next == '\n' && !second) line++;
        }
    }

    private boolean allowed(LineEnd found, int at, long foundLine) {
        if (lineEnd == null) lineEnd = found;
        if (lineEnd == found) return true;
        problem = new CsvProblem(foundLine, CsvProblem.WHOLE_LINE, found == LineEnd.CR ? LONE_CARRIAGE_RETURN
                : "the line ends with a line feed, and the lines before it end with a carriage return alone. End every line with \\n or "
                        + "\\r\\n");
        chars.limit(at);
        return false;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
