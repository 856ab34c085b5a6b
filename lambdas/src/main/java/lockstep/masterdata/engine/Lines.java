package lockstep.masterdata.engine;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/** Parts COPY text into its lines. A newline is always a line's end: in values COPY writes it as {@code \n}. */
final class Lines {
    interface Sink {
        /** A line with its newline; the array is used again after the call. */
        void line(byte[] bytes, int from, int length);
    }

    private Lines() {}

    static void each(InputStream text, Sink sink) throws IOException {
        byte[] buffer = new byte[64 << 10];
        int filled = 0;
        while (true) {
            if (filled == buffer.length) buffer = Arrays.copyOf(buffer, 2 * buffer.length);
            int read = text.read(buffer, filled, buffer.length - filled);
            if (read < 0) break;
            int line = 0;
            for (int at = filled; at < filled + read; at++) {
                if (buffer[at] != '\n') continue;
                sink.line(buffer, line, at + 1 - line);
                line = at + 1;
            }
            filled += read - line;
            System.arraycopy(buffer, line, buffer, 0, filled);
        }
        if (filled > 0) throw new IOException("the last line has no end");
    }
}
