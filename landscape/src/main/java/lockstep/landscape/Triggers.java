package lockstep.landscape;

/** What is to become of the product's own triggers on the tables of a data set when a sync writes to them. */
public enum Triggers {
    /** They fire, as for anybody. One that changes rows makes the sync fail, since the rows are then not those of the source. */
    RUN,
    /** No sync is taken by a database that has any. */
    REFUSE,
    /** They don't fire for the sync. Whoever else writes to the tables waits until it is done. */
    DISABLE
}
