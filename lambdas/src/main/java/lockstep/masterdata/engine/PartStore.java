package lockstep.masterdata.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/** Where parts, manifests and the notes of a running sync lie. Keys are paths such as {@code parts/…}. */
public interface PartStore {
    /** Writes or replaces the object. */
    void put(String key, byte[] bytes, int length);

    /** The object as a stream that the caller closes, or nothing when there is none. */
    Optional<InputStream> open(String key);

    /**
     * Whether the object is there and is this one. A store that can tell without reading it should.
     *
     * @param sha256 of its bytes, hexadecimal
     */
    default boolean holds(String key, long bytes, String sha256) {
        return open(key).map(object -> {
            try (object; var digested = new DigestInputStream(object, MessageDigest.getInstance("SHA-256"))) {
                return digested.transferTo(OutputStream.nullOutputStream()) == bytes && HexFormat.of().formatHex(digested.getMessageDigest().digest()).equals(sha256);
            } catch (IOException e) {
                throw new Fault.StoreUnavailable("'" + key + "' can't be read: " + e.getMessage(), e);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }).orElse(false);
    }

    default void put(String key, byte[] bytes) {
        put(key, bytes, bytes.length);
    }
}
