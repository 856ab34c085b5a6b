package lockstep.landscape;

import java.util.Locale;

/** The users of a shard's database, each with a secret of its own. */
public enum DatabaseUser {
    ADMIN("Admin"), READER("Reader"), WRITER("Writer"),
    /** The product itself. Its own migration makes this login; prepare-database makes those of reader and writer. */
    APPLICATION("Application");

    private final String title;

    DatabaseUser(String title) {
        this.title = title;
    }

    /** As construct ids are written. */
    public String title() {
        return title;
    }

    /** As it stands in names of secrets and users. */
    public String word() {
        return title.toLowerCase(Locale.ROOT);
    }
}
