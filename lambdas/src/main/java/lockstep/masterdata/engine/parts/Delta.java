package lockstep.masterdata.engine.parts;

import java.util.List;
import lockstep.masterdata.engine.copy.Content;

/**
 * How a key range came to be what it is: the rows that came and those that went since the manifest before, each whole, as zstd
 * of COPY text lines, first all that came. A changed row is among both. So it leads from {@code before} to {@code after}, and
 * back as well.
 *
 * @param from      first key covered, inclusive; empty for the beginning of the table. A bound of parts of both manifests, as is {@code until}
 * @param before    what the range held
 * @param after     what it holds: {@code before}, less {@code went}, and {@code came}
 * @param object    its place in the store; named by content
 * @param cameBytes size of the COPY text of the rows that came, from the beginning
 * @param textBytes size of all COPY text in it
 */
public record Delta(List<String> from, List<String> until, Content before, Content after, Content came, Content went,
        String object, String sha256, long bytes, long cameBytes, long textBytes) {
    public Delta {
        from = List.copyOf(from);
        until = List.copyOf(until);
    }

    boolean addsUp() {
        return before.minus(went).plus(came).equals(after);
    }
}
