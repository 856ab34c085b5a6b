package lockstep.masterdata.engine.parts;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.Function;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.RowDigest;

/** COPY text lines, compressed in memory as they come: what becomes an object of the store. */
public final class Packed implements AutoCloseable {
    private static final int LEVEL = 1;
    private static final String WITHIN = "within:";
    private final Buffer buffer = new Buffer();
    private ZstdOutputStreamNoFinalizer zstd;
    private long rows;
    private long textBytes;
    private RowDigest digest;

    public Packed() {
        clear();
    }

    public void clear() {
        buffer.reset();
        try {
            zstd = new ZstdOutputStreamNoFinalizer(buffer, LEVEL);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        rows = 0;
        textBytes = 0;
        digest = RowDigest.EMPTY;
    }

    /** Takes a line, its newline included. */
    public void line(byte[] line) {
        pack(line, line.length);
        count(line);
    }

    /** Counts and digests a line whose text is packed by {@link #pack}. */
    public void count(byte[] line) {
        rows++;
        textBytes += line.length;
        digest = digest.plus(RowDigest.ofLine(line, 0, line.length - 1));
    }

    public void pack(byte[] text, int length) {
        try {
            zstd.write(text, 0, length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All lines since the last {@link #clear}. */
    public Content content() {
        return new Content(rows, digest);
    }

    public long textBytes() {
        return textBytes;
    }

    /** Size when compressed; the frame is complete only after {@link #close}. */
    public int bytes() {
        return buffer.size();
    }

    public String sha256() {
        return sha256(buffer.array(), buffer.size());
    }

    /** Of the first bytes, hexadecimal. */
    public static String sha256(byte[] bytes, long length) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(bytes, 0, Math.toIntExact(length));
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Puts the frame into the store as this object, unless it is so small that its name holds it instead.
     *
     * @return the name under which {@link #open} finds it
     */
    public String put(PartStore store, String object) {
        if (bytes() < store.smallest()) return WITHIN + Base64.getEncoder().encodeToString(Arrays.copyOf(buffer.array(), bytes()));
        store.put(object, buffer.array(), bytes());
        return object;
    }

    /** Whether the frame is held by the name itself. */
    public static boolean isWithin(String object) {
        return object.startsWith(WITHIN);
    }

    /** The name for a message. */
    public static String abbreviated(String object) {
        return isWithin(object) ? "within the manifest" : object;
    }

    /** A frame as {@link #put} named it, or nothing when it isn't in the store. */
    public static Optional<InputStream> open(Function<String, Optional<InputStream>> store, String object) {
        return isWithin(object) ? Optional.of(new ByteArrayInputStream(Base64.getDecoder().decode(object.substring(WITHIN.length())))) : store.apply(object);
    }

    public static InputStream text(InputStream object) {
        try {
            return new ZstdInputStreamNoFinalizer(object);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Completes the frame. */
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

        byte[] array() {
            return buf;
        }
    }
}
