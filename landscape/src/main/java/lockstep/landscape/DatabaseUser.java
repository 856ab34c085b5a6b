package lockstep.landscape;

import java.util.Locale;

/** The users of a shard's database, each with its own secret. */
public enum DatabaseUser {
    ADMIN("Admin"), READER("Reader"), WRITER("Writer"),
    /** The product itself. Its migration creates this login; prepare-database creates the logins of reader and writer. */
    APPLICATION("Application");

    private final String title;

    DatabaseUser(String title) {
        this.title = title;
    }

    /** The spelling in construct ids. */
    public String title() {
        return title;
    }

    /** The spelling in names of secrets and users. */
    public String word() {
        return title.toLowerCase(Locale.ROOT);
    }
}
