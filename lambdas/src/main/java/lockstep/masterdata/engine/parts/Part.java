package lockstep.masterdata.engine.parts;

import java.util.List;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.copy.RowDigest;

/**
 * A piece of a table in the store: a zstd frame of COPY text lines in key order.
 *
 * @param from      first key covered, inclusive; empty for the beginning of the table
 * @param until     first key no longer covered; empty for the end of the table
 * @param object    its key in the store, derived from its content, so that equal rows have equal names
 * @param sha256    SHA-256 of the object, in hexadecimal
 * @param bytes     size of the object
 * @param textBytes size of its COPY text
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
