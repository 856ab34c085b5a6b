package lockstep.landscape;

/**
 * How long shards can be brought back to a sync: it is kept while it is among the newest, or young enough.
 *
 * @param manifests so many of the newest are kept, however old; at least 1
 * @param days      those whose snapshot is younger are kept, however many; 0 for the number alone
 */
public record Keep(int manifests, int days) {
    public static final Keep DEFAULT = new Keep(30, 90);

    public Keep {
        if (manifests < 1 || days < 0) throw new IllegalArgumentException("at least the newest manifest is kept, for no less than 0 days: not " + manifests + " and " + days);
    }
}
