package lockstep.masterdata.engine;

import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Turns the lines of a key range into parts: compresses, digests, and puts a part into the store when its text has reached
 * the size of one. Parts follow each other without a gap, from the range's beginning to its end.
 */
final class PartWriter implements AutoCloseable {
    private static final int LEVEL = 1;
    private final PartStore store;
    private final int[] key;
    private final KeyRange range;
    private final long partBytes;
    private final List<Part> parts = new ArrayList<>();
    private final Buffer buffer = new Buffer();
    private ZstdOutputStreamNoFinalizer zstd;
    private List<String> from;
    private long rows;
    private long textBytes;
    private RowDigest digest;

    PartWriter(PartStore store, int[] key, KeyRange range, long partBytes) {
        this.store = store;
        this.key = key;
        this.range = range;
        this.partBytes = partBytes;
        begin(range.from());
    }

    /** Takes the next line, its newline included. */
    void line(byte[] line) {
        if (textBytes >= partBytes) {
            List<String> bound = CopyText.fields(line, key);
            end(bound);
            begin(bound);
        }
        try {
            zstd.write(line, 0, line.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        rows++;
        textBytes += line.length;
        digest = digest.plus(RowDigest.ofLine(line, 0, line.length - 1));
    }

    /** Ends the last part. A range without rows has none. */
    List<Part> finish() {
        if (rows > 0) end(range.until());
        return List.copyOf(parts);
    }

    private void begin(List<String> bound) {
        buffer.reset();
        try {
            zstd = new ZstdOutputStreamNoFinalizer(buffer, LEVEL);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        from = bound;
        rows = 0;
        textBytes = 0;
        digest = RowDigest.EMPTY;
    }

    private void end(List<String> until) {
        close();
        String sha256 = HexFormat.of().formatHex(buffer.sha256());
        String object = "parts/" + digest + "-" + sha256.substring(0, 16);
        store.put(object, buffer.bytes(), buffer.size());
        parts.add(new Part(from, until, rows, digest, object, sha256, buffer.size(), textBytes));
    }

    @Override
    public void close() {
        try {
            zstd.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Gives its array away instead of copying it. */
    private static final class Buffer extends ByteArrayOutputStream {
        Buffer() {
            super(1 << 20);
        }

        byte[] bytes() {
            return buf;
        }

        byte[] sha256() {
            try {
                MessageDigest sha = MessageDigest.getInstance("SHA-256");
                sha.update(buf, 0, count);
                return sha.digest();
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
