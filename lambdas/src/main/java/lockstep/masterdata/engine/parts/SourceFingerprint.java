package lockstep.masterdata.engine.parts;

import java.time.Instant;
import java.util.Optional;

/**
 * The state of a source table in a snapshot, as far as it shows without reading rows. The next dump compares it with its own. Digests are
 * of use for comparison only.
 *
 * @param writes   a digest of the table's files and of the server's count of written rows, from just before the snapshot; empty when the
 *                 server does not count
 * @param snapshot a digest of the transactions that the snapshot sees; equal snapshots see the same rows
 * @param taken    when the snapshot was taken, by the source database's clock
 * @param read     when the table's rows were last read
 * @param reused   how many dumps have taken the table from the previous manifest since then
 */
public record SourceFingerprint(Optional<String> writes, String snapshot, Instant taken, Instant read, int reused) {
    /** Returns the fingerprint of a table that was not read, but taken from the manifest with an earlier fingerprint. */
    public SourceFingerprint after(SourceFingerprint earlier) {
        return new SourceFingerprint(writes, snapshot, taken, earlier.read, earlier.reused + 1);
    }
}
