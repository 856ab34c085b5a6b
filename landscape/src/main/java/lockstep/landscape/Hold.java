package lockstep.landscape;

/**
 * From when on a sync waits for a person before anybody hears of it. A table that had rows and has none always holds it.
 *
 * @param changed percent of the rows that a table had: more that came or went hold the sync; 100 for never
 * @param deleted percent of the rows that a table had: by more fewer rows hold the sync; 100 for never
 */
public record Hold(int changed, int deleted) {
    public static final Hold DEFAULT = new Hold(100, 50);

    public Hold {
        if (changed < 0 || changed > 100 || deleted < 0 || deleted > 100) throw new IllegalArgumentException("a share of rows is 0 to 100 percent, not " + changed + " and " + deleted);
    }
}
