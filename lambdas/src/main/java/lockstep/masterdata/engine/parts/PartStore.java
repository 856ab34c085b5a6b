package lockstep.masterdata.engine.parts;

import java.io.InputStream;
import java.util.Optional;

/** Stores parts, manifests and the state of running syncs. Keys are paths such as {@code parts/…}. */
public interface PartStore {
    /** Writes or replaces the object. */
    void put(String key, byte[] bytes, int length);

    /** Opens the object as a stream that the caller closes, or returns empty when it does not exist. */
    Optional<InputStream> open(String key);

    /** Returns the size in bytes below which a part is kept within the manifest, because requesting many small objects is slow. */
    default int inlineBelow() {
        return 1024;
    }

    default void put(String key, byte[] bytes) {
        put(key, bytes, bytes.length);
    }
}
