package lockstep.masterdata.engine.parts;

import java.util.List;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.RowDigest;

/**
 * A piece of a table as it lies in the store: a zstd frame of COPY text lines in key order.
 *
 * @param from      first key covered, inclusive; empty for the beginning of the table
 * @param until     first key no longer covered; empty for the end of the table
 * @param object    its place in the store; named by content, so equal rows have equal names
 * @param sha256    of the object's bytes, hexadecimal
 * @param bytes     size of the object
 * @param textBytes size of the COPY text in it
 */
public record Part(List<String> from, List<String> until, long rows, RowDigest digest, String object, String sha256,
        long bytes, long textBytes) {
    public Part {
        from = List.copyOf(from);
        until = List.copyOf(until);
    }

    public static Content contentOf(List<Part> parts) {
        return parts.stream().map(Part::content).reduce(Content.NONE, Content::plus);
    }

    public Content content() {
        return new Content(rows, digest);
    }
}
