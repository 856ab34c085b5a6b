package lockstep.masterdata.engine.copy;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;

/** Reads COPY text line by line. A newline always ends a line, because COPY escapes newlines in values. */
public final class Lines implements AutoCloseable {
    private final InputStream text;
    private byte[] buffer = new byte[128 << 10];
    private int at;
    private int filled;

    public Lines(InputStream text) {
        this.text = text;
    }

    /**
     * Skips the next line if it equals this one, including its newline. This is cheaper than {@link #next}, because it does not search for
     * a newline.
     */
    public boolean skip(byte[] line) throws IOException {
        while (filled - at < line.length) if (!fill()) return false;
        if (!Arrays.equals(buffer, at, at + line.length, line, 0, line.length)) return false;
        at += line.length;
        return true;
    }

    /** Returns the next line with its newline, or empty at the end. */
    public Optional<byte[]> next() throws IOException {
        for (int end = at;; end++) {
            if (end == filled) {
                int before = at;
                if (!fill()) {
                    if (filled > at) throw new IOException("the last line does not end with a line feed");
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

    /** Moves the unread bytes to the front and reads more; returns false at the end. */
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
