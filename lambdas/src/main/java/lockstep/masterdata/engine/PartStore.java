package lockstep.masterdata.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;

/** Where parts, manifests and the notes of a running sync lie. Keys are paths such as {@code parts/…}. */
public interface PartStore {
    /** Writes or replaces the object. */
    void put(String key, byte[] bytes, int length);

    /** The object as a stream that the caller closes, or nothing when there is none. */
    Optional<InputStream> open(String key);

    /** Whether there is an object of this size. A store that can tell without reading it should. */
    default boolean holds(String key, long bytes) {
        return open(key).map(object -> {
            try (object) {
                return object.transferTo(OutputStream.nullOutputStream()) == bytes;
            } catch (IOException e) {
                throw new Fault.StoreUnavailable("'" + key + "' can't be read: " + e.getMessage(), e);
            }
        }).orElse(false);
    }

    default void put(String key, byte[] bytes) {
        put(key, bytes, bytes.length);
    }
}
