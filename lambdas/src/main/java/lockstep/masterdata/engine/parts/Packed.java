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
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.RowDigest;

/** Compresses COPY text lines in memory into a zstd frame, which becomes an object of the store. */
public final class Packed implements AutoCloseable {
    private static final int LEVEL = 1;
    private static final String INLINE = "within:";
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

    /** Adds a line, including its newline. */
    public void line(byte[] line) {
        pack(line, line.length);
        count(line);
    }

    /** Counts and digests a line whose text is added by {@link #pack}. */
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

    /** Returns the content of all lines since the last {@link #clear}. */
    public Content content() {
        return new Content(rows, digest);
    }

    public long textBytes() {
        return textBytes;
    }

    /** Returns the compressed size; the frame is complete only after {@link #close}. */
    public int bytes() {
        return buffer.size();
    }

    public String sha256() {
        return sha256(buffer.array(), buffer.size());
    }

    /** Returns the SHA-256 of the first {@code length} bytes, in hexadecimal. */
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
     * Writes the frame to the store under this name. A very small frame is encoded in the returned name instead.
     *
     * @return the name under which {@link #open} finds it
     */
    public String put(PartStore store, String object) {
        if (bytes() < store.inlineBelow()) return INLINE + Base64.getEncoder().encodeToString(Arrays.copyOf(buffer.array(), bytes()));
        store.put(object, buffer.array(), bytes());
        return object;
    }

    /**
     * Completes the frame and writes it to the store as a part, even if the object exists already, because an old one may be about to be
     * collected.
     *
     * @param prefix of the names of parts, which are derived from their content
     */
    public Part part(PartStore store, String prefix, List<String> from, List<String> until) {
        close();
        String sha256 = sha256();
        String object = put(store, prefix + digest + "-" + sha256.substring(0, 16));
        return new Part(from, until, rows, digest, object, sha256, bytes(), textBytes);
    }

    /**
     * Reads a whole frame and checks it, before any of it is unpacked.
     *
     * @param what describes the part in messages
     * @throws Fault.PartRefused if it is missing, truncated, longer or altered
     */
    public static byte[] checked(Function<String, Optional<InputStream>> store, String object, long length, String sha256, String what) {
        byte[] bytes;
        try (InputStream frame = open(store, object).orElseThrow(() -> new Fault.PartRefused(what + " is missing from the store"))) {
            bytes = frame.readNBytes(Math.toIntExact(length + 1));
        } catch (IOException e) {
            throw new Fault.StoreUnavailable(what + " can't be read: " + e.getMessage(), e);
        }
        if (!sha256(bytes, bytes.length).equals(sha256))
            throw new Fault.PartRefused(what + " is truncated or altered: its SHA-256 is not the one in the manifest");
        return bytes;
    }

    /** Reports whether the name itself contains the frame. */
    public static boolean isInline(String object) {
        return object.startsWith(INLINE);
    }

    /** Returns the name for a message. */
    public static String abbreviated(String object) {
        return isInline(object) ? "within the manifest" : object;
    }

    /** Opens a frame by the name that {@link #put} returned, or returns empty when it isn't in the store. */
    public static Optional<InputStream> open(Function<String, Optional<InputStream>> store, String object) {
        return isInline(object) ? Optional.of(new ByteArrayInputStream(Base64.getDecoder().decode(object.substring(INLINE.length()))))
                : store.apply(object);
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

    /** A buffer that exposes its array without copying it. */
    private static final class Buffer extends ByteArrayOutputStream {
        Buffer() {
            super(1 << 20);
        }

        byte[] array() {
            return buf;
        }
    }
}
