package lockstep.masterdata.engine.restore;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.Triggers;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Delta;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * A manifest that Preflight has accepted and stored in the target. Later steps read it there, so it is verified only once.
 *
 * @param decision how to restore it; empty after that is done or was discarded
 */
record Accepted(Manifest manifest, Optional<Decision> decision) {
    /**
     * What Preflight decided.
     *
     * @param base       the sync in force when it was decided, on which the plans are based
     * @param tablePlans one for each table of the manifest, in its order
     * @param triggers   whether the product's triggers run; null means RUN
     */
    record Decision(Optional<String> base, boolean rollback, List<TablePlan> tablePlans, Triggers triggers) {
        Decision {
            tablePlans = List.copyOf(tablePlans);
            if (triggers == null) triggers = Triggers.RUN;
        }
    }

    /** An object of the store, with its sections in order. */
    record Piece(TableManifest table, String object, String sha256, long bytes, List<Section> sections) {
        long rows() {
            return sections.stream().mapToLong(Section::rows).sum();
        }
    }

    /** @param goes whether these rows are deleted rather than inserted or updated */
    record Section(boolean goes, long textBytes, long rows) {}

    TablePlan tablePlan(TableManifest table) {
        return tablePlans().stream().filter(r -> r.table().equals(table.name())).findFirst().orElseThrow();
    }

    List<TablePlan> tablePlans() {
        return decision.map(Decision::tablePlans).orElse(List.of());
    }

    /** Returns the tables to be merged. */
    List<TableManifest> tables() {
        return tablePlans().stream().filter(TablePlan::mergesAnything).map(r -> manifest.table(r.table()).orElseThrow()).toList();
    }

    /** Returns the pieces to be staged. Batches number them in this order. */
    List<Piece> pieces() {
        var pieces = new ArrayList<Piece>();
        for (TablePlan tablePlan : tablePlans()) {
            if (!tablePlan.inline()) pieces.addAll(pieces(tablePlan));
        }
        return pieces;
    }

    /** Returns the number of bytes of COPY text that come to the target or go from it. */
    long stagedBytes() {
        return tablePlans().stream().flatMap(tablePlan -> pieces(tablePlan).stream()).flatMap(piece -> piece.sections().stream())
                .mapToLong(Section::textBytes).sum();
    }

    /** Returns the pieces of one table. */
    List<Piece> pieces(TablePlan tablePlan) {
        var pieces = new ArrayList<Piece>();
        TableManifest table = manifest.table(tablePlan.table()).orElseThrow();
        for (TablePlan.Step step : tablePlan.steps()) {
            Delta delta = step.delta();
            pieces.add(new Piece(table, delta.object(), delta.sha256(), delta.bytes(),
                    List.of(new Section(step.back(), delta.cameBytes(), delta.came().rows()),
                            new Section(!step.back(), delta.textBytes() - delta.cameBytes(), delta.went().rows()))));
        }
        for (Part part : tablePlan.parts())
            pieces.add(new Piece(table, part.object(), part.sha256(), part.bytes(),
                    List.of(new Section(false, part.textBytes(), part.rows()))));
        return pieces;
    }

    /** Stores it, unless this sync already has a decision that is not done; returns what is stored. */
    Accepted write(Connection connection) throws SQLException {
        try (var insert = connection.prepareStatement(Sql.named("accept"))) {
            insert.setString(1, manifest.dataSet());
            insert.setString(2, manifest.syncId());
            insert.setObject(3, manifest.snapshotTime().atOffset(ZoneOffset.UTC));
            insert.setString(4, Json.MAPPER.writeValueAsString(manifest));
            insert.setString(5, Staging.suffix(manifest.dataSet(), manifest.syncId()));
            insert.setString(6, Json.MAPPER.writeValueAsString(decision.orElseThrow()));
            insert.executeUpdate();
        }
        return read(connection, manifest.dataSet(), manifest.syncId());
    }

    static Accepted read(Connection connection, String dataSet, String syncId) throws SQLException {
        return find(connection, dataSet, syncId)
                .orElseThrow(
                        () -> new Fault.InvalidRequest("sync " + syncId + " of data set '" + dataSet + "' has not passed preflight here"));
    }

    static Optional<Accepted> find(Connection connection, String dataSet, String syncId) throws SQLException {
        try (var query = connection.prepareStatement("SELECT manifest, decision FROM lockstep.sync WHERE data_set = ? AND sync_id = ?")) {
            query.setString(1, dataSet);
            query.setString(2, syncId);
            try (var row = query.executeQuery()) {
                return row.next() ? Optional.of(new Accepted(Json.MAPPER.readValue(row.getString(1), Manifest.class),
                        Optional.ofNullable(row.getString(2)).map(d -> Json.MAPPER.readValue(d, Decision.class)))) : Optional.empty();
            }
        }
    }

    /** Returns the tables that must be read, because their recorded state can't be trusted. */
    static List<String> distrusted(Connection connection, String dataSet, String syncId) throws SQLException {
        try (var query = connection.prepareStatement("SELECT distrusted FROM lockstep.sync WHERE data_set = ? AND sync_id = ?")) {
            query.setString(1, dataSet);
            query.setString(2, syncId);
            try (var row = query.executeQuery()) {
                return row.next() ? Schema.strings(row.getArray(1)) : List.of();
            }
        }
    }

    /** Deletes the decision, so that Preflight decides again and does not trust the recorded state of these tables. */
    static void undecide(Connection connection, String dataSet, String syncId, List<String> distrusted) throws SQLException {
        try (var update = connection.prepareStatement(
                "UPDATE lockstep.sync SET decision = NULL, distrusted = distrusted || ? WHERE data_set = ? AND sync_id = ?")) {
            update.setArray(1, connection.createArrayOf("text", distrusted.toArray()));
            update.setString(2, dataSet);
            update.setString(3, syncId);
            update.executeUpdate();
        }
    }

    /** Deletes the decision, after the sync has come into force. */
    void done(Connection connection) throws SQLException {
        try (var update = connection
                .prepareStatement("UPDATE lockstep.sync SET decision = NULL, distrusted = '{}' WHERE data_set = ? AND sync_id = ?")) {
            update.setString(1, manifest.dataSet());
            update.setString(2, manifest.syncId());
            update.executeUpdate();
        }
    }
}
