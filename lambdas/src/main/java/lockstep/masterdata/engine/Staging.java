package lockstep.masterdata.engine;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.List;
import lockstep.masterdata.engine.Manifest.Placed;
import lockstep.masterdata.engine.Manifest.TableManifest;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * The staging tables of one sync in a target database: unlogged, of the sync's own, one for each table. A part is copied in
 * and noted as staged in one transaction, so it can be tried again at any time and counts once.
 */
final class Staging {
    private static final int CHUNK = 64 << 10;
    private final Accepted accepted;
    private final Manifest manifest;
    private final String suffix;

    Staging(Accepted accepted) {
        this.accepted = accepted;
        this.manifest = accepted.manifest();
        this.suffix = suffix(manifest.dataSet(), manifest.syncId());
    }

    /** Sync ids can be longer than an identifier may be. */
    static String suffix(String dataSet, String syncId) {
        byte[] name = (dataSet + "/" + syncId).getBytes(java.nio.charset.StandardCharsets.UTF_8);
        return RowDigest.ofLine(name, 0, name.length).toString().substring(0, 16);
    }

    /** The quoted name of a table's staging table. */
    String of(TableManifest table) {
        return "lockstep.staging_" + manifest.tables().indexOf(table) + "_" + suffix;
    }

    void create(Connection connection) throws SQLException {
        for (TableManifest table : accepted.tables())
            Sql.execute(connection, "CREATE UNLOGGED TABLE IF NOT EXISTS " + of(table) + " WITH (autovacuum_enabled = off) AS SELECT "
                    + Sql.columns("t.", table.columnNames()) + " FROM " + Sql.table(table.name()) + " t WITH NO DATA");
    }

    void drop(Connection connection) throws SQLException {
        drop(connection, manifest.dataSet(), manifest.syncId());
    }

    /** Drops what a sync staged, whichever tables it had. */
    static void drop(Connection connection, String dataSet, String syncId) throws SQLException {
        String pattern = "staging\\_%\\_" + suffix(dataSet, syncId);
        try (var query = connection.prepareStatement("SELECT relname FROM pg_class WHERE relnamespace = 'lockstep'::regnamespace AND relkind = 'r' AND relname LIKE ?")) {
            query.setString(1, pattern);
            try (var row = query.executeQuery()) {
                while (row.next()) Sql.execute(connection, "DROP TABLE IF EXISTS lockstep." + Sql.identifier(row.getString(1)));
            }
        }
        try (var delete = connection.prepareStatement("DELETE FROM lockstep.staged_part WHERE data_set = ? AND sync_id = ?")) {
            delete.setString(1, dataSet);
            delete.setString(2, syncId);
            delete.executeUpdate();
        }
    }

    /**
     * Copies the part in, unless it is there already. The connection is inside a transaction that the caller commits.
     *
     * @throws Fault.PartRefused when the object is missing, or its bytes are not those that the manifest names
     */
    void stage(Connection connection, PartStore store, int number, Placed placed) throws SQLException {
        if (!note(connection, number, placed.part())) return;
        Part part = placed.part();
        InputStream object = store.open(part.object()).orElseThrow(() -> new Fault.PartRefused(describe(placed) + " is missing from the store"));
        CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY " + of(placed.table()) + " ("
                + Sql.columns("", placed.table().columnNames()) + ") FROM STDIN");
        try {
            copyChecked(copy, object, placed);
            long rows = copy.endCopy();
            if (rows != part.rows()) throw new Fault.PartRefused(describe(placed) + " holds " + rows + " rows, the manifest names " + part.rows());
        } finally {
            if (copy.isActive()) copy.cancelCopy();
        }
    }

    /** False when another try has staged the part already; waits while one is at it. */
    private boolean note(Connection connection, int number, Part part) throws SQLException {
        try (var insert = connection.prepareStatement("INSERT INTO lockstep.staged_part (data_set, sync_id, part, rows) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
            insert.setString(1, manifest.dataSet());
            insert.setString(2, manifest.syncId());
            insert.setInt(3, number);
            insert.setLong(4, part.rows());
            return insert.executeUpdate() == 1;
        }
    }

    private static void copyChecked(CopyIn copy, InputStream object, Placed placed) throws SQLException {
        Part part = placed.part();
        MessageDigest sha256 = sha256();
        try (var hashed = new DigestInputStream(object, sha256); var text = new ZstdInputStreamNoFinalizer(hashed)) {
            byte[] chunk = new byte[CHUNK];
            long total = 0;
            for (int n; (n = text.read(chunk)) >= 0; ) {
                total += n;
                if (total > part.textBytes()) throw new Fault.PartRefused(describe(placed) + " is longer than the manifest says");
                copy.writeToCopy(chunk, 0, n);
            }
            hashed.transferTo(java.io.OutputStream.nullOutputStream());
            if (!HexFormat.of().formatHex(sha256.digest()).equals(part.sha256()))
                throw new Fault.PartRefused(describe(placed) + " was altered: its SHA-256 is not the one in the manifest");
        } catch (com.github.luben.zstd.ZstdIOException | java.io.EOFException e) {
            throw new Fault.PartRefused(describe(placed) + " is truncated or altered: " + e.getMessage());
        } catch (IOException e) {
            throw new Fault.StoreUnavailable(describe(placed) + " can't be read: " + e.getMessage(), e);
        }
    }

    /** The numbers of the parts that are not staged yet. */
    List<Integer> missingParts(Connection connection) throws SQLException {
        var staged = new java.util.HashSet<Integer>();
        try (var query = connection.prepareStatement("SELECT part FROM lockstep.staged_part WHERE data_set = ? AND sync_id = ?")) {
            query.setString(1, manifest.dataSet());
            query.setString(2, manifest.syncId());
            try (var row = query.executeQuery()) {
                while (row.next()) staged.add(row.getInt(1));
            }
        }
        return java.util.stream.IntStream.range(0, accepted.parts().size()).filter(i -> !staged.contains(i)).boxed().toList();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String describe(Placed placed) {
        return "part '" + placed.part().object() + "' of " + placed.table().name();
    }
}
