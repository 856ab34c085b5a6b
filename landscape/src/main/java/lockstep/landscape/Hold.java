package lockstep.landscape;

import java.util.Optional;

/**
 * The thresholds above which a sync is held for approval before it is published. A table that had rows and has none always holds it.
 *
 * @param changed holds a sync that adds or removes more than this percentage of the rows a table had; 100 means never
 * @param deleted holds a sync that shrinks a table by more than this percentage of the rows it had; 100 means never
 * @param emptied holds a sync in which more than this percentage of a table's rows lose their value in one column; 100 means never
 * @param rows    the minimum number of affected rows for the percentages to apply, so that a few rows of a small table don't hold a sync
 * @param keys    a Java regular expression for keys, whose columns are joined by {@code /}; a new row with another key holds the sync
 */
public record Hold(int changed, int deleted, int emptied, int rows, Optional<String> keys) {
    public static final int DEFAULT_ROWS = 10;
    public static final Hold DEFAULT = new Hold(100, 50);

    public Hold {
        for (int percent : new int[]{changed, deleted, emptied})
            if (percent < 0 || percent > 100) throw new IllegalArgumentException("a percentage of rows must be 0 to 100, not " + percent);
        if (rows < 1) throw new IllegalArgumentException("the number of rows must be at least 1, not " + rows);
    }

    public Hold(int changed, int deleted) {
        this(changed, deleted, 50, DEFAULT_ROWS, Optional.empty());
    }
}
