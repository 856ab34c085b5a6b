package lockstep.infra;

import java.util.Locale;

/** The users of a shard's database, each with a secret of its own. */
public enum DatabaseUser {
    ADMIN, READER, WRITER;

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
