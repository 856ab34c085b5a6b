package lockstep.masterdata.engine;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A CSV file as PostgreSQL's COPY reads it: fields parted by commas, quoted by {@code "} where they hold one, a quote or a line break.
 * COPY reads the rows; here is only what it does not tell: the header's names, and on which line a row begins.
 *
 * @param opened the file from its beginning, each time anew
 */
record CsvFile(Supplier<InputStream> opened) {
    private static final int LONGEST_HEADER = 1 << 20;
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    /** The fields of the first line; one empty field when the file is empty. */
    List<String> header() throws IOException {
        try (var in = new BufferedInputStream(opened.get())) {
            var line = new ByteArrayOutputStream();
            boolean quoted = false;
            for (int next = in.read(); next >= 0 && (quoted || next != '\n' && next != '\r') && line.size() < LONGEST_HEADER; next = in.read()) {
                if (next == '"') quoted = !quoted;
                line.write(next);
            }
            String text = line.toString(StandardCharsets.UTF_8);
            return fields(text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text);
        }
    }

    private static List<String> fields(String line) {
        var fields = new ArrayList<String>();
        var field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char next = line.charAt(i);
            if (next == '"' && quoted && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                field.append('"');
                i++;
            } else if (next == '"') {
                quoted = !quoted;
            } else if (next == ',' && !quoted) {
                fields.add(field.toString());
                field.setLength(0);
            } else {
                field.append(next);
            }
        }
        fields.add(field.toString());
        return fields;
    }

    /**
     * The lines, from 1, on which these rows begin: a value may hold line breaks.
     *
     * @param rows numbers from 1, after the header
     */
    Map<Long, Long> lines(Set<Long> rows) throws IOException {
        var lines = new HashMap<Long, Long>();
        try (var in = new BufferedInputStream(opened.get(), 1 << 16)) {
            long line = 1;
            long row = 0;
            boolean quoted = false;
            for (int next = in.read(); next >= 0 && lines.size() < rows.size(); next = in.read()) {
                if (next == '"') quoted = !quoted;
                if (next != '\n') continue;
                line++;
                if (!quoted && rows.contains(++row)) lines.put(row, line);
            }
        }
        return lines;
    }
}
