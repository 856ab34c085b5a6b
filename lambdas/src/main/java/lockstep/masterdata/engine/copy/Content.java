package lockstep.masterdata.engine.copy;

/** Row count and digest of a set of rows. Source and target are in sync when their contents are equal. */
public record Content(long rows, RowDigest digest) {
    public static final Content NONE = new Content(0, RowDigest.EMPTY);

    public Content plus(Content other) {
        return new Content(rows + other.rows, digest.plus(other.digest));
    }

    public Content minus(Content other) {
        return new Content(rows - other.rows, digest.minus(other.digest));
    }
}
