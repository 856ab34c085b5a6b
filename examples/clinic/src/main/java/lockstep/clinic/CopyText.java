package lockstep.clinic;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Writes rows in PostgreSQL's COPY text format: {@code add} each field, then {@code endRow}. It buffers only a few rows. */
final class CopyText {
    private static final int FLUSH_CHARS = 1 << 15;

    private final OutputStream out;
    private final StringBuilder text = new StringBuilder(FLUSH_CHARS + 4096);
    private boolean rowStarted;

    CopyText(OutputStream out) {
        this.out = out;
    }

    /** Adds the text of a value, or NULL. */
    CopyText add(Object valueOrNull) {
        separate();
        if (valueOrNull == null) {
            text.append("\\N");
        } else {
            escape(valueOrNull.toString());
        }
        return this;
    }

    CopyText add(boolean value) {
        return add(value ? "t" : "f");
    }

    /** Adds an array of texts; its elements may be null. */
    CopyText addArray(List<String> elements) {
        var literal = new StringBuilder("{");
        for (String element : elements) {
            literal.append(literal.length() == 1 ? "" : ",");
            literal.append(element == null ? "NULL" : '"' + element.replace("\\", "\\\\").replace("\"", "\\\"") + '"');
        }
        return add(literal.append('}'));
    }

    void endRow() throws IOException {
        text.append('\n');
        rowStarted = false;
        if (text.length() > FLUSH_CHARS) {
            flush();
        }
    }

    void flush() throws IOException {
        out.write(text.toString().getBytes(StandardCharsets.UTF_8));
        text.setLength(0);
    }

    private void separate() {
        if (rowStarted) {
            text.append('\t');
        }
        rowStarted = true;
    }

    private void escape(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '\\' -> text.append("\\\\");
                case '\t' -> text.append("\\t");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                default -> text.append(c);
            }
        }
    }
}
