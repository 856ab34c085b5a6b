package lockstep.masterdata.engine;

import java.util.List;

/** How many rows there are, and which: the answer that both sides of a sync must give alike. */
public record Content(long rows, RowDigest digest) {
    public static final Content NONE = new Content(0, RowDigest.EMPTY);

    static Content of(List<Part> parts) {
        return parts.stream().map(Part::content).reduce(NONE, Content::plus);
    }

    public Content plus(Content other) {
        return new Content(rows + other.rows, digest.plus(other.digest));
    }

    public Content minus(Content other) {
        return new Content(rows - other.rows, digest.minus(other.digest));
    }
}
