package lockstep.infra;

import java.util.Locale;

/** The users of a shard's database, each with a secret of its own. */
public enum DatabaseUser {
    ADMIN("Admin"), READER("Reader"), WRITER("Writer");

    /** As construct ids are written. */
    final String title;

    DatabaseUser(String title) {
        this.title = title;
    }

    String word() {
        return title.toLowerCase(Locale.ROOT);
    }
}
