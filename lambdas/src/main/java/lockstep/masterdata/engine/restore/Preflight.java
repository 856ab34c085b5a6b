package lockstep.masterdata.engine.restore;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.Triggers;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.FunctionTime;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.postgres.ContentReader;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Key;
import lockstep.masterdata.engine.postgres.RowSecurity;
import lockstep.masterdata.engine.postgres.Schema.TableInfo;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.postgres.SchemaCheck;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.postgres.WriteFingerprint;
import lockstep.masterdata.engine.restore.Accepted.Piece;

/**
 * Checks whether a target can take a manifest, before anything is copied: its order, and every table, column, type and key. Then it
 * plans the restore, stores manifest and plan in the target, and creates the staging tables.
 */
public final class Preflight {
    /** The number of parts in a batch, regardless of their size. */
    private static final int PARTS_IN_BATCH = 12;
    /** The maximum number of parts in a batch while they are small in total, because each invocation has a cost. */
    private static final int SMALL_PARTS_IN_BATCH = 120;
    /** The total compressed size up to which parts are small. */
    private static final long SMALL_BYTES = 8 << 20;

    private final Database target;
    private final FunctionTime functionTime;

    public Preflight(Database target) {
        this(target, FunctionTime.UNLIMITED);
    }

    public Preflight(Database target, FunctionTime functionTime) {
        this.target = target;
        this.functionTime = functionTime;
    }

    /** The numbers of parts to be staged, from one (inclusive) up to another (exclusive). */
    public record PartRange(int from, int until) {}

    /**
     * The parts and deltas to be staged, and how each table will be updated.
     *
     * @param warnings conditions that may make this sync or a later one fail, such as triggers that change rows; only given at the first
     *         sync
     */
    public record Plan(List<PartRange> batches, long rows, List<Choice> tables, List<String> warnings) {
        static final Plan NOTHING = new Plan(List.of(), 0, List.of(), List.of());
    }

    /**
     * How a table will be updated to the manifest.
     *
     * @param read      whether the table was read, because its recorded state could not be trusted
     * @param unchanged number of parts that it holds already
     * @param deltas    number of deltas to be staged
     * @param parts     number of parts to be staged
     * @param bytes     compressed size of these deltas and parts
     */
    public record Choice(String table, boolean read, int unchanged, int deltas, int parts, long bytes) {}

    /** The kind of restore. */
    public enum Mode {
        /** Refuses a manifest older than the one in force, and trusts the recorded state of tables. */
        SYNC,
        /** As SYNC, but accepts a manifest older than the one in force. */
        ROLLBACK,
        /** As SYNC, but reads every table, even if the sync is already in force. */
        REPAIR
    }

    /** Prepares a {@link Mode#SYNC}. */
    public Plan prepare(Manifest manifest) {
        return prepare(manifest, Mode.SYNC);
    }

    /** Prepares a restore in which the product's triggers run. */
    public Plan prepare(Manifest manifest, Mode mode) {
        return prepare(manifest, mode, Triggers.RUN);
    }

    /**
     * Checks the target and plans the restore.
     *
     * @param triggers what the product's triggers do when the sync writes
     * @return a plan without batches if the sync is in force already
     * @throws Fault.SchemaMismatch naming everything that does not fit
     * @throws Fault.OutOfOrder     when a newer snapshot is in force
     * @throws Fault.TooLong        when tables have to be read, and that may take longer than a function; nothing was changed
     */
    public Plan prepare(Manifest manifest, Mode mode, Triggers triggers) {
        return target.transaction(connection -> {
            var applied = Applied.read(connection, manifest.dataSet());
            if (mode != Mode.REPAIR && applied.filter(a -> a.syncId().equals(manifest.syncId())).isPresent()) return Plan.NOTHING;
            if (mode != Mode.ROLLBACK) Applied.checkOrder(applied, manifest);
            var found = SchemaCheck.atTarget(connection, target.name(), manifest, triggers);
            var warnings = applied.isEmpty() ? found : List.<String>of();
            var tables = Schema.tables(connection, manifest.tables().stream().map(TableManifest::name).toList());
            RowSecurity.seeAndWriteEveryRow(connection, List.of(), tables.keySet());
            dropOvertaken(connection, manifest);
            var decided = Accepted.find(connection, manifest.dataSet(), manifest.syncId()).filter(a -> a.decision().isPresent());
            if (decided.flatMap(Accepted::decision).filter(d -> mode == Mode.REPAIR || d.rollback() != (mode == Mode.ROLLBACK))
                    .isPresent()) {
                // an unfinished restore had another mode
                Accepted.undecide(connection, manifest.dataSet(), manifest.syncId(), List.of());
                Staging.drop(connection, manifest.dataSet(), manifest.syncId());
                decided = Optional.empty();
            }
            var accepted = decided.isPresent() ? decided.get()
                    : decide(connection, manifest, tables, mode, triggers, applied).write(connection);
            new Staging(accepted).create(connection);
            var pieces = accepted.pieces();
            return new Plan(batches(pieces), pieces.stream().mapToLong(Piece::rows).sum(),
                    accepted.tablePlans().stream().map(Preflight::choice).toList(), warnings);
        });
    }

    private static Choice choice(TablePlan tablePlan) {
        return new Choice(tablePlan.table(), tablePlan.read(), tablePlan.unchanged(), tablePlan.steps().size(), tablePlan.parts().size(),
                tablePlan.parts().stream().mapToLong(Part::bytes).sum()
                        + tablePlan.steps().stream().mapToLong(s -> s.delta().bytes()).sum());
    }

    private Accepted decide(Connection connection, Manifest manifest, Map<String, TableInfo> tables, Mode mode, Triggers triggers,
            Optional<Applied> applied) throws SQLException {
        var inForce = mode == Mode.REPAIR || applied.isEmpty() ? Optional.<Accepted>empty()
                : Accepted.find(connection, manifest.dataSet(), applied.get().syncId());
        // deltas of the newer manifest are kept at least as long as the older one's objects, but not vice versa
        boolean older = inForce.filter(a -> manifest.snapshotTime().isBefore(a.manifest().snapshotTime())).isPresent();
        var distrusted = Accepted.distrusted(connection, manifest.dataSet(), manifest.syncId());
        var tablePlans = new ArrayList<TablePlan>();
        var fingerprints = WriteFingerprint.read(connection, tables.keySet());
        var recordedFingerprints = WriteFingerprint.recorded(connection, manifest.dataSet());
        var reader = new ContentReader(connection, manifest.dataSet());
        long toRead = 0;
        for (TableManifest table : manifest.tables()) {
            var fingerprint = Optional.ofNullable(fingerprints.get(table.name()));
            boolean kept = reader.kept(table.name()) > 0;
            boolean trusted = !distrusted.contains(table.name());
            var recorded = Optional.ofNullable(recordedFingerprints.get(table.name()));
            boolean untouched = trusted && fingerprint.isPresent() && recorded.isPresent() && fingerprint.get().isStill(recorded.get());
            var from = inForce.flatMap(a -> a.manifest().table(table.name())).filter(t -> untouched && t.sameShape(table));
            var info = tables.get(table.name());
            if (from.isEmpty()) functionTime.toRead(toRead += Schema.bytes(connection, List.of(table.name())));
            var plan = from.isPresent() ? TablePlan.known(from.get(), table, older, fingerprint, kept)
                    : TablePlan.read(table, fingerprint, kept, differing(connection, reader, info, table), !trusted);
            tablePlans.add(plan.withInline(InlineRows.fit(plan, table, info)));
        }
        // a repair of a rollback is still a rollback
        boolean rollback = mode == Mode.ROLLBACK
                || mode == Mode.REPAIR && applied.filter(a -> a.rollback() && a.syncId().equals(manifest.syncId())).isPresent();
        return new Accepted(manifest, Optional.of(new Accepted.Decision(applied.map(Applied::syncId), rollback, tablePlans, triggers)));
    }

    /** Returns the parts that the table does not hold yet. */
    private static List<Part> differing(Connection connection, ContentReader reader, TableInfo info, TableManifest table)
            throws SQLException {
        Key key = info.knownKey(table.key());
        // text may have another sort order than at the source
        if (!key.ascends(connection, table.parts().stream().skip(1).map(Part::from).toList()))
            return reader.read(table).equals(table.content()) ? List.of() : table.parts();
        var differing = new ArrayList<Part>();
        for (Part part : table.parts())
            if (!reader.read(table, key.within("t", part.from(), part.until())).equals(part.content()))
                differing.add(part);
        return differing;
    }

    private static List<PartRange> batches(List<Piece> pieces) {
        var batches = new ArrayList<PartRange>();
        int from = 0;
        long bytes = 0;
        for (int i = 0; i < pieces.size(); i++) {
            int parts = i - from;
            if (parts == SMALL_PARTS_IN_BATCH || parts >= PARTS_IN_BATCH && bytes + pieces.get(i).bytes() > SMALL_BYTES) {
                batches.add(new PartRange(from, i));
                from = i;
                bytes = 0;
            }
            bytes += pieces.get(i).bytes();
        }
        if (!pieces.isEmpty()) batches.add(new PartRange(from, pieces.size()));
        return batches;
    }

    /** Drops what was staged by syncs that can no longer be published, because they are older than the one in force. */
    private static void dropOvertaken(Connection connection, Manifest manifest) throws SQLException {
        var overtaken = new ArrayList<String>();
        try (var query = connection.prepareStatement(Sql.named("overtaken"))) {
            query.setString(1, manifest.dataSet());
            query.setString(2, manifest.syncId());
            try (var row = query.executeQuery()) {
                while (row.next()) overtaken.add(row.getString(1));
            }
        }
        for (String syncId : overtaken) Staging.drop(connection, manifest.dataSet(), syncId);
        try (var delete = connection.prepareStatement(Sql.named("forget_overtaken"))) {
            delete.setString(1, manifest.dataSet());
            delete.setString(2, manifest.syncId());
            delete.executeUpdate();
        }
    }
}
