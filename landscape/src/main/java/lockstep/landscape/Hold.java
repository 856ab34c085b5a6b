package lockstep.landscape;

import java.util.Optional;

/**
 * From when on a sync waits for a person before anybody hears of it. A table that had rows and has none always holds it.
 *
 * @param changed percent of the rows that a table had: more that came or went hold the sync; 100 for never
 * @param deleted percent of the rows that a table had: by more fewer rows hold the sync; 100 for never
 * @param emptied percent of the rows that a table has: when more of them lose their value in one column, the sync is held; 100 for never
 * @param keys    how keys look, as a regular expression of Java, their columns joined by {@code /}: a row that comes with another holds the sync
 */
public record Hold(int changed, int deleted, int emptied, Optional<String> keys) {
    public static final Hold DEFAULT = new Hold(100, 50);

    public Hold {
        for (int percent : new int[] {changed, deleted, emptied})
            if (percent < 0 || percent > 100) throw new IllegalArgumentException("a share of rows is 0 to 100 percent, not " + percent);
    }

    public Hold(int changed, int deleted) {
        this(changed, deleted, 50, Optional.empty());
    }
}
