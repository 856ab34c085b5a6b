package lockstep.masterdata.engine.copy;


/** How many rows there are, and which: the answer that both sides of a sync must give alike. */
public record Content(long rows, RowDigest digest) {
    public static final Content NONE = new Content(0, RowDigest.EMPTY);

    public Content plus(Content other) {
        return new Content(rows + other.rows, digest.plus(other.digest));
    }

    public Content minus(Content other) {
        return new Content(rows - other.rows, digest.minus(other.digest));
    }
}
