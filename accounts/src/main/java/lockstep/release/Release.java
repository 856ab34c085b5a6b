package lockstep.release;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.project.UserFault;

/**
 * A deployable release.
 *
 * @param name   the name that its tasks report
 * @param digest the SHA-256 of its archive
 * @param bytes  the size of the archive
 * @param commit the commit that it was built from
 * @param images the image digests by name, the same in every account; empty if built for the local cloud
 */
public record Release(String name, String digest, long bytes, Optional<String> commit, Map<String, String> images) {
    public Release {
        // older stored releases have no images field
        images = images == null ? Map.of() : Collections.unmodifiableSortedMap(new TreeMap<>(images));
        if (!digest.matches("[0-9a-f]{64}")) throw new IllegalArgumentException("'" + digest + "' is not a SHA-256 digest");
    }

    /**
     * Checks that the release contains its images, so that AWS accounts run exactly these.
     *
     * @throws UserFault if each account would have to build its own images
     */
    public void requireImages() {
        if (images.isEmpty()) {
            throw new UserFault("release " + name
                    + " was built for the local cloud, without images, so each account would build its own.\n  Build it with images: "
                    + "./lockstep release build FILE --aws");
        }
    }

    /** Returns the abbreviated digest for display. */
    public String shortDigest() {
        return digest.substring(0, 12);
    }
}
