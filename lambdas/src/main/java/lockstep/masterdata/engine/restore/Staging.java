package lockstep.masterdata.engine.restore;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Lines;
import lockstep.masterdata.engine.copy.RowDigest;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.Packed;
import lockstep.masterdata.engine.postgres.ContentReader;
import lockstep.masterdata.engine.postgres.Key;
import lockstep.masterdata.engine.postgres.Schema.TableInfo;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.restore.Accepted.Piece;
import lockstep.masterdata.engine.restore.Accepted.Section;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * The unlogged staging tables of one sync in a target database. Each merged table has one for rows that come and, if there are deltas, one
 * for rows that go, except that few rows are written into the statements instead ({@link InlineRows}). A piece is copied and recorded as
 * staged in one transaction, so staging can be retried at any time.
 */
final class Staging {
    private static final int CHUNK = 64 << 10;
    /** The number of rows up to which neither an index nor statistics are needed. */
    private static final int NO_STATISTICS = 100;
    private final Accepted accepted;
    private final Manifest manifest;
    private final String suffix;
    /** The relations of inlined rows, because merge and verification use each several times. */
    private final Map<String, String> inlined = new HashMap<>();

    Staging(Accepted accepted) {
        this.accepted = accepted;
        this.manifest = accepted.manifest();
        this.suffix = suffix(manifest.dataSet(), manifest.syncId());
    }

    /** Returns a hash for the names of staging tables, because a sync id can be longer than an identifier. */
    static String suffix(String dataSet, String syncId) {
        byte[] name = (dataSet + "/" + syncId).getBytes(StandardCharsets.UTF_8);
        return RowDigest.ofLine(name, 0, name.length).toString().substring(0, 16);
    }

    /** Returns the rows that come, as an item of a FROM clause. */
    String coming(TableManifest table, TableInfo info) {
        return accepted.tablePlan(table).inline() ? inline(table, info, false) : name(table, false);
    }

    /** Returns the rows that go, as an item of a FROM clause. */
    String going(TableManifest table, TableInfo info) {
        return accepted.tablePlan(table).inline() ? inline(table, info, true) : name(table, true);
    }

    private String name(TableManifest table, boolean goes) {
        return "lockstep.staging_" + manifest.tables().indexOf(table) + (goes ? "_goes_" : "_") + suffix;
    }

    private String inline(TableManifest table, TableInfo info, boolean goes) {
        return inlined.computeIfAbsent(name(table, goes), name -> InlineRows.relation(table, info,
                accepted.pieces(accepted.tablePlan(table)).stream().flatMap(piece -> rows(piece, goes).stream()).toList()));
    }

    /** Returns the lines of a piece that is stored in the manifest. */
    private static List<byte[]> rows(Piece piece, boolean goes) {
        var rows = new ArrayList<byte[]>();
        try (var lines = new Lines(Packed.text(new ByteArrayInputStream(checked(object -> Optional.empty(), piece))))) {
            for (Section section : piece.sections())
                for (long i = 0; i < section.rows(); i++) {
                    byte[] line = lines.next()
                            .orElseThrow(() -> new Fault.PartRefused(describe(piece) + " is shorter than the manifest says"));
                    if (section.goes() == goes) rows.add(line);
                }
            if (lines.next().isPresent()) throw new Fault.PartRefused(describe(piece) + " is longer than the manifest says");
        } catch (IOException e) {
            throw new Fault.PartRefused(describe(piece) + " is not what the manifest says: " + e.getMessage());
        }
        return rows;
    }

    void create(Connection connection) throws SQLException {
        var statements = new ArrayList<String>();
        for (TableManifest table : accepted.tables()) {
            TablePlan plan = accepted.tablePlan(table);
            if (plan.inline()) continue;
            statements.add(create(name(table, false), table));
            if (!plan.steps().isEmpty()) statements.add(create(name(table, true), table));
        }
        Sql.execute(connection, String.join(";\n", statements));
    }

    private static String create(String name, TableManifest table) {
        return "CREATE UNLOGGED TABLE IF NOT EXISTS " + name + " WITH (autovacuum_enabled = off) AS SELECT "
                + Sql.columns("t.", table.columnNames()) + " FROM " + Sql.table(table.name()) + " t WITH NO DATA";
    }

    /** Creates indexes and statistics, after everything is staged. Only the keys are analyzed, because the merge joins only by key. */
    void complete(Connection connection, Map<String, TableInfo> tables) throws SQLException {
        for (TableManifest table : accepted.tables()) {
            TablePlan tablePlan = accepted.tablePlan(table);
            if (tablePlan.inline()
                    || tablePlan.comes().rows() + tablePlan.steps().stream().mapToLong(s -> s.goes().rows()).sum() <= NO_STATISTICS)
                continue;
            String key = " (" + Sql.columns("", table.key()) + ")";
            // for Sql.byKey
            if (accepted.tablePlan(table).stagesOnlyDeltas())
                Sql.execute(connection,
                        "CREATE INDEX ON " + name(table, false) + " (" + tables.get(table.name()).knownKey(table.key()).index() + ")");
            Sql.execute(connection, "ANALYZE " + name(table, false) + key);
            if (!accepted.tablePlan(table).steps().isEmpty()) Sql.execute(connection, "ANALYZE " + name(table, true) + key);
        }
    }

    /** Returns the tables to be merged. */
    List<StagedTable> staged(Map<String, TableInfo> tables, ContentReader reader) {
        return accepted.tables().stream().map(table -> {
            TablePlan tablePlan = accepted.tablePlan(table);
            TableInfo info = tables.get(table.name());
            Key key = info.knownKey(table.key());
            return new StagedTable(info, key, table.columnNames(), table.where(), coming(table, info),
                    tablePlan.steps().isEmpty() ? Optional.empty() : Optional.of(going(table, info)),
                    tablePlan.stagesEveryRow() ? "true" : key.within("t", tablePlan.parts()), tablePlan.stagesOnlyDeltas(),
                    tablePlan.kept() && reader.kept(table.name()) > 0);
        }).toList();
    }

    void drop(Connection connection) throws SQLException {
        drop(connection, manifest.dataSet(), manifest.syncId());
    }

    /** Drops everything that a sync has staged. */
    static void drop(Connection connection, String dataSet, String syncId) throws SQLException {
        String pattern = "staging\\_%\\_" + suffix(dataSet, syncId);
        try (var query = connection.prepareStatement(
                "SELECT relname FROM pg_class WHERE relnamespace = 'lockstep'::regnamespace AND relkind = 'r' AND relname LIKE ?")) {
            query.setString(1, pattern);
            try (var row = query.executeQuery()) {
                var tables = new ArrayList<String>();
                while (row.next()) tables.add("lockstep." + Sql.identifier(row.getString(1)));
                if (!tables.isEmpty()) Sql.execute(connection, "DROP TABLE IF EXISTS " + String.join(", ", tables));
            }
        }
        try (var delete = connection.prepareStatement("DELETE FROM lockstep.staged_part WHERE data_set = ? AND sync_id = ?")) {
            delete.setString(1, dataSet);
            delete.setString(2, syncId);
            delete.executeUpdate();
        }
    }

    /**
     * Copies the piece into the staging tables, unless it is staged already. The caller commits the transaction. The object is read
     * completely and its hash is verified before it is decompressed.
     *
     * @throws Fault.PartRefused when the object is missing or does not match the manifest
     */
    void stage(Connection connection, Function<String, Optional<InputStream>> store, int number, Piece piece) throws SQLException {
        if (!note(connection, number, piece)) return;
        try (InputStream text = Packed.text(new ByteArrayInputStream(checked(store, piece)))) {
            for (Section section : piece.sections()) copy(connection, text, piece, section);
            if (text.read() >= 0) throw new Fault.PartRefused(describe(piece) + " is longer than the manifest says");
        } catch (IOException e) {
            throw new Fault.PartRefused(describe(piece) + " does not match the manifest: " + e.getMessage());
        }
    }

    /** Records the piece as staged. Returns false when another attempt has staged it already; waits while one is doing so. */
    private boolean note(Connection connection, int number, Piece piece) throws SQLException {
        try (var insert = connection.prepareStatement(
                "INSERT INTO lockstep.staged_part (data_set, sync_id, part, rows) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
            insert.setString(1, manifest.dataSet());
            insert.setString(2, manifest.syncId());
            insert.setInt(3, number);
            insert.setLong(4, piece.rows());
            return insert.executeUpdate() == 1;
        }
    }

    private static byte[] checked(Function<String, Optional<InputStream>> store, Piece piece) {
        return Packed.checked(store, piece.object(), piece.bytes(), piece.sha256(), describe(piece));
    }

    private void copy(Connection connection, InputStream text, Piece piece, Section section) throws SQLException, IOException {
        if (section.textBytes() == 0) return;
        String into = name(piece.table(), section.goes());
        CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI()
                .copyIn("COPY " + into + " (" + Sql.columns("", piece.table().columnNames()) + ") FROM STDIN");
        try {
            byte[] chunk = new byte[CHUNK];
            for (long left = section.textBytes(); left > 0;) {
                int read = text.read(chunk, 0, (int) Math.min(left, CHUNK));
                if (read < 0) throw new Fault.PartRefused(describe(piece) + " is shorter than the manifest says");
                copy.writeToCopy(chunk, 0, read);
                left -= read;
            }
            long rows = copy.endCopy();
            if (rows != section.rows())
                throw new Fault.PartRefused(describe(piece) + " holds " + rows + " rows, but the manifest says " + section.rows());
        } finally {
            if (copy.isActive()) copy.cancelCopy();
        }
    }

    /** Returns the numbers of the pieces that are not staged yet. */
    List<Integer> missing(Connection connection) throws SQLException {
        var staged = new HashSet<Integer>();
        try (var query = connection.prepareStatement("SELECT part FROM lockstep.staged_part WHERE data_set = ? AND sync_id = ?")) {
            query.setString(1, manifest.dataSet());
            query.setString(2, manifest.syncId());
            try (var row = query.executeQuery()) {
                while (row.next()) staged.add(row.getInt(1));
            }
        }
        return IntStream.range(0, accepted.pieces().size()).filter(i -> !staged.contains(i)).boxed().toList();
    }

    private static String describe(Piece piece) {
        return "part '" + Packed.abbreviated(piece.object()) + "' of " + piece.table().name();
    }
}
