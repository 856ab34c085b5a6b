package lockstep.landscape;

/** How the product's triggers on the tables of a data set behave when a sync writes to them. */
public enum Triggers {
    /** Triggers fire as usual. A trigger that changes rows makes the sync fail, because the rows then differ from the source. */
    RUN,
    /** A database with such triggers refuses syncs. */
    REFUSE,
    /** Triggers don't fire for the sync. Other writers of the tables wait until it is done. */
    DISABLE
}
