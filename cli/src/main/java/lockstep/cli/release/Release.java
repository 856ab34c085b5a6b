package lockstep.cli.release;

import java.util.Optional;

/**
 * What can be deployed.
 *
 * @param name   as its tasks know it
 * @param digest SHA-256 of its archive: two of one name and different content can't be
 * @param bytes  of the archive
 * @param commit that it was made from
 */
public record Release(String name, String digest, long bytes, Optional<String> commit) {
    public Release {
        if (!digest.matches("[0-9a-f]{64}")) throw new IllegalArgumentException("'" + digest + "' is no SHA-256");
    }

    /** As people read it. */
    String shortDigest() {
        return digest.substring(0, 12);
    }
}
