package lockstep.landscape;

import java.util.Optional;

/**
 * Thresholds above which a sync waits for a person before any target hears of it. A table that had rows and has none always holds it.
 *
 * @param changed percent of the rows that a table had: a sync in which more rows come or go is held; 100 means never
 * @param deleted percent of the rows that a table had: a sync that leaves the table smaller by more than this is held; 100 means never
 * @param emptied percent of the rows that a table has: a sync in which more of them lose their value in one column is held; 100 means never
 * @param rows    the percentages hold a sync only if at least this many rows are concerned, so that a handful of rows of a small list does not
 * @param keys    the form of the keys, as a Java regular expression over their columns joined by {@code /}: a new row whose key does not match holds the sync
 */
public record Hold(int changed, int deleted, int emptied, int rows, Optional<String> keys) {
    public static final int DEFAULT_ROWS = 10;
    public static final Hold DEFAULT = new Hold(100, 50);

    public Hold {
        for (int percent : new int[] {changed, deleted, emptied})
            if (percent < 0 || percent > 100) throw new IllegalArgumentException("a share of rows is 0 to 100 percent, not " + percent);
        if (rows < 1) throw new IllegalArgumentException("the least number of rows is 1, not " + rows);
    }

    public Hold(int changed, int deleted) {
        this(changed, deleted, 50, DEFAULT_ROWS, Optional.empty());
    }
}
