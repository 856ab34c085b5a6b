package lockstep.landscape;

/**
 * How long shards can be rolled back to a sync. A sync is kept while it is among the newest or young enough.
 *
 * @param manifests the number of newest manifests that are kept at any age; at least 1
 * @param days      manifests with a snapshot younger than this are kept too; 0 to keep only the newest
 */
public record Keep(int manifests, int days) {
    public static final Keep DEFAULT = new Keep(30, 90);

    public Keep {
        if (manifests < 1 || days < 0)
            throw new IllegalArgumentException("keep at least 1 manifest and 0 days, not " + manifests + " and " + days);
    }
}
