package lockstep.clinic.store;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The static files of the two newest releases, in the shard's database. A release publishes its files before its first task serves, so that
 * tasks of both releases can serve the files of either.
 */
public final class PublishedAssets {
    private final Database database;
    /** A small cache. Files never change, because their names contain the digest of their content. */
    private final Map<String, Published> known = new ConcurrentHashMap<>();

    public record Published(String path, String type, byte[] content) {}

    /** @param id identical for releases with the same files */
    public record Generation(String id, List<Published> files) {}

    public PublishedAssets(Database database) {
        this.database = database;
    }

    /** Publishes the files as the owner of the tables, and deletes all but the two newest generations. */
    public static void publish(String url, String owner, String password, Generation generation) {
        try (var connection = DriverManager.getConnection(url, owner, password)) {
            connection.setAutoCommit(false);
            // a concurrent publication waits
            try (var lock = connection.createStatement()) {
                lock.execute("LOCK TABLE tenant.asset IN SHARE ROW EXCLUSIVE MODE");
            }
            for (Published file : generation.files()) put(connection, generation.id(), file);
            try (var old = connection.prepareStatement(Transaction.resource("old_assets"))) {
                old.executeUpdate();
            }
            connection.commit();
        } catch (SQLException e) {
            throw new StoreFault(e);
        }
    }

    private static void put(Connection connection, String generation, Published file) throws SQLException {
        try (var put = connection.prepareStatement(Transaction.resource("put_asset"))) {
            put.setString(1, file.path());
            put.setString(2, file.type());
            put.setBytes(3, file.content());
            put.setString(4, generation);
            put.executeUpdate();
        }
    }

    public Optional<Published> find(String path) {
        var kept = known.get(path);
        if (kept != null) return Optional.of(kept);
        try {
            var found = database.ofNobody(t -> t.first("SELECT path, type, content FROM tenant.asset WHERE path = ?",
                    row -> new Published(row.getString(1), row.getString(2), row.getBytes(3)), path));
            found.ifPresent(file -> known.put(path, file));
            return found;
        } catch (StoreFault e) {
            // a release without this table has reset the application's privileges
            if (e.isOfMissingTable()) return Optional.empty();
            throw e;
        }
    }
}
