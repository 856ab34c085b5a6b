package lockstep.masterdata.engine.copy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** PostgreSQL's COPY text format: one line per row, fields separated by tabs, {@code \N} for NULL, backslash escapes. */
public final class CopyText {
    private CopyText() {}

    /** Returns the values of the fields at these positions of a line. None of them may be NULL. */
    public static List<String> fields(byte[] line, int[] positions) {
        var values = new ArrayList<String>(positions.length);
        for (int position : positions) values.add(field(line, position));
        return values;
    }

    private static String field(byte[] line, int position) {
        int at = 0;
        for (int skipped = 0; skipped < position; at++) if (line[at] == '\t') skipped++;
        return value(line, at);
    }

    /** Returns the values of a line, which may end with a newline; empty for NULL. */
    public static List<Optional<String>> values(byte[] line) {
        var values = new ArrayList<Optional<String>>();
        int at = 0;
        do {
            boolean isNull = at + 1 < line.length && line[at] == '\\' && line[at + 1] == 'N';
            values.add(isNull ? Optional.empty() : Optional.of(value(line, at)));
            while (at < line.length && line[at] != '\t' && line[at] != '\n') at++;
        } while (at < line.length && line[at++] == '\t');
        return values;
    }

    /** Returns the value that begins at this position. */
    private static String value(byte[] line, int begin) {
        int at = begin;
        var value = new ByteArrayOutputStream();
        for (; at < line.length && line[at] != '\t' && line[at] != '\n'; at++)
            value.write(line[at] == '\\' ? unescape(line[++at]) : line[at]);
        return value.toString(StandardCharsets.UTF_8);
    }

    /** Receives the bytes of a line. */
    public interface ByteSink {
        void write(byte next);
    }

    /** Writes a non-NULL value exactly as COPY TO does, so that the line has the same digest as the line that the server returns. */
    public static void escape(byte[] value, ByteSink line) {
        for (byte next : value) {
            byte escaped = switch (next) {
                case '\b' -> 'b';
                case '\f' -> 'f';
                case '\n' -> 'n';
                case '\r' -> 'r';
                case '\t' -> 't';
                case 0x0b -> 'v';
                case '\\' -> '\\';
                default -> 0;
            };
            if (escaped != 0) line.write((byte) '\\');
            line.write(escaped == 0 ? next : escaped);
        }
    }

    /** COPY TO writes only these escapes; any other character after a backslash stands for itself. */
    private static byte unescape(byte escaped) {
        return switch (escaped) {
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'v' -> 0x0b;
            default -> escaped;
        };
    }
}
