package lockstep.release;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.project.UserFault;

/**
 * What can be deployed.
 *
 * @param name   as its tasks know it
 * @param digest SHA-256 of its archive: two of one name and different content can't be
 * @param bytes  of the archive
 * @param commit that it was made from
 * @param images digests by name, the same in every account; none in one that was made for the local cloud
 */
public record Release(String name, String digest, long bytes, Optional<String> commit, Map<String, String> images) {
    public Release {
        // in accounts lie some that were written down before it had any
        images = images == null ? Map.of() : Collections.unmodifiableSortedMap(new TreeMap<>(images));
        if (!digest.matches("[0-9a-f]{64}")) throw new IllegalArgumentException("'" + digest + "' is no SHA-256");
    }

    /**
     * Whether an account of AWS can be given exactly this.
     *
     * @throws UserFault when each account would have to build images of its own
     */
    public void requireImages() {
        if (images.isEmpty()) {
            throw new UserFault("release " + name + " was made for the local cloud, without its images: each account would build others.\n  Make it with them: ./lockstep release build FILE --aws");
        }
    }

    /** As people read it. */
    public String shortDigest() {
        return digest.substring(0, 12);
    }
}
