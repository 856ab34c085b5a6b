package lockstep.masterdata.engine.copy;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;

/** COPY text, line by line. A newline is always a line's end: in values COPY writes it as {@code \n}. */
public final class Lines implements AutoCloseable {
    private final InputStream text;
    private byte[] buffer = new byte[128 << 10];
    private int at;
    private int filled;

    public Lines(InputStream text) {
        this.text = text;
    }

    /** Goes past the next line if it is this one, its newline included. That is cheaper than {@link #next}: it looks for no newline. */
    public boolean skip(byte[] line) throws IOException {
        while (filled - at < line.length) if (!fill()) return false;
        if (!Arrays.equals(buffer, at, at + line.length, line, 0, line.length)) return false;
        at += line.length;
        return true;
    }

    /** The next line with its newline; nothing at the end. */
    public Optional<byte[]> next() throws IOException {
        for (int end = at; ; end++) {
            if (end == filled) {
                int before = at;
                if (!fill()) {
                    if (filled > at) throw new IOException("the last line has no end");
                    return Optional.empty();
                }
                end -= before - at;
            }
            if (buffer[end] == '\n') {
                byte[] line = Arrays.copyOfRange(buffer, at, end + 1);
                at = end + 1;
                return Optional.of(line);
            }
        }
    }

    /** Reads on; false at the end. What is not yet taken moves to the front. */
    private boolean fill() throws IOException {
        System.arraycopy(buffer, at, buffer, 0, filled - at);
        filled -= at;
        at = 0;
        if (filled == buffer.length) buffer = Arrays.copyOf(buffer, 2 * buffer.length);
        int read = text.read(buffer, filled, buffer.length - filled);
        filled += Math.max(0, read);
        return read >= 0;
    }

    @Override
    public void close() throws IOException {
        text.close();
    }
}
