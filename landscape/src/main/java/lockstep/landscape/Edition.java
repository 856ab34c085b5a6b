package lockstep.landscape;

import java.util.Locale;

/** The variant of the product that a shard runs. */
public enum Edition {
    PRODUCTION, DEMO;

    /** The spelling in files and environment variables. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
