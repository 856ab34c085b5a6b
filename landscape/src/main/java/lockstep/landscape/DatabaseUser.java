package lockstep.landscape;

import java.util.Locale;

/** The users of a shard's database, each with a secret of its own. */
public enum DatabaseUser {
    ADMIN, READER, WRITER;

    /** As it stands in names of secrets and users. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
