package lockstep.masterdata.engine.parts;

import java.util.List;
import lockstep.masterdata.engine.copy.Content;

/**
 * The changes of a key range since the previous manifest: complete rows that came and that went, as a zstd frame of COPY text lines,
 * those that came first. A changed row is in both, with its old and its new values. A delta can be applied in both directions: from
 * {@code before} to {@code after}, or in reverse.
 *
 * @param from      first key covered, inclusive; empty for the beginning of the table. It is a bound of parts in both manifests
 * @param until     first key no longer covered, likewise; empty for the end of the table
 * @param before    the earlier content of the range
 * @param after     its content now: {@code before} minus {@code went} plus {@code came}
 * @param object    its key in the store, derived from its content
 * @param cameBytes size of the COPY text of the rows that came, at the beginning of the text
 * @param textBytes size of the whole COPY text
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
