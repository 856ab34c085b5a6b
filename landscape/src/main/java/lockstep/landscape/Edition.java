package lockstep.landscape;

import java.util.Locale;

/** The variant of the product that a shard runs. */
public enum Edition {
    PRODUCTION, DEMO;

    /** As files and environments spell it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
