package lockstep.masterdata.engine.parts;

import java.io.InputStream;
import java.util.Optional;

/** Where parts, manifests and the notes of a running sync lie. Keys are paths such as {@code parts/…}. */
public interface PartStore {
    /** Writes or replaces the object. */
    void put(String key, byte[] bytes, int length);

    /** The object as a stream that the caller closes, or nothing when there is none. */
    Optional<InputStream> open(String key);

    /** Parts that are smaller than so many bytes are kept within the manifest: asking for each of them would take longer than reading them all. */
    default int smallest() {
        return 1024;
    }

    default void put(String key, byte[] bytes) {
        put(key, bytes, bytes.length);
    }
}
