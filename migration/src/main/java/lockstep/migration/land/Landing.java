package lockstep.migration.land;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Column;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Packed;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Faults;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.postgres.Streams;
import lockstep.masterdata.engine.postgres.TableReader;
import lockstep.migration.source.Finding;
import lockstep.migration.source.Range;
import lockstep.migration.source.Snapshot;
import lockstep.migration.source.Source;
import lockstep.migration.source.SourceTable;

/**
 * Copies tables of a source, all at one position, into a schema of the target database, through parts in a store. Each stream reads a range
 * at the source, writes it as parts, and copies each part into the target at once.
 *
 * <p>If it is interrupted before everything was read, it starts again, because the position is lost. Later it goes on with the parts in the
 * store, and does not need the source any more.
 */
public final class Landing {
    private static final long ROWS_IN_RANGE = 500_000;
    private static final long PART_BYTES = 16 << 20;
    private final String migration;
    private final Database target;
    private final PartStore store;
    private final int streams;
    private final LandingTables tables;
    private final long rowsInRange;
    private final long partBytes;

    /** A table of which more rows have landed. */
    public record Progress(String table, long rows) {}

    /** @param streams the number of connections to the source, and as many to the target */
    public Landing(String migration, Database target, PartStore store, int streams) {
        this(migration, target, store, streams, ROWS_IN_RANGE, PART_BYTES);
    }

    Landing(String migration, Database target, PartStore store, int streams, long rowsInRange, long partBytes) {
        this.migration = migration;
        this.target = target;
        this.store = store;
        this.streams = streams;
        this.tables = new LandingTables(migration);
        this.rowsInRange = rowsInRange;
        this.partBytes = partBytes;
    }

    private String prefix() {
        return "migrations/" + migration + "/";
    }

    /** Returns what was read, once everything was. */
    public Optional<LandingManifest> manifest() {
        return Json.read(store, prefix() + "manifest.json", LandingManifest.class).filter(manifest -> !manifest.tables().isEmpty());
    }

    /**
     * Lands these tables of the source, or goes on with a landing that was interrupted, and verifies it.
     *
     * @throws Fault.SourceRefused      if rows or types can't be copied; nothing was changed
     * @throws Fault.Busy               if another landing of this migration runs
     * @throws Fault.VerificationFailed if the target's rows are not those that were read
     */
    public LandingManifest land(Source source, List<SourceTable> chosen, Consumer<Progress> progress) {
        return target.run(lock -> {
            lock(lock);
            LandingManifest manifest = manifest().orElseGet(() -> read(source, chosen, progress));
            loadMissing(manifest, progress);
            var each = manifest.tables().stream().map(LandedTable::table).toList();
            Streams.forEach(streams, each, target, connection -> {}, (connection, table) -> {
                tables.complete(connection, table);
                return table;
            });
            verify(manifest);
            return manifest;
        });
    }

    private void lock(Connection connection) throws SQLException {
        try (var query = connection.prepareStatement("SELECT pg_try_advisory_lock(hashtextextended('lockstep migrate ' || ?, 0))")) {
            query.setString(1, migration);
            try (var row = query.executeQuery()) {
                row.next();
                if (!row.getBoolean(1)) throw new Fault.Busy("migration " + migration + " is already at work in this database", null);
            }
        }
    }

    private LandingManifest read(Source source, List<SourceTable> chosen, Consumer<Progress> progress) {
        var refused = source.findings(chosen).stream().filter(Finding::refuses).map(Finding::toString).toList();
        if (!refused.isEmpty()) throw new Fault.SourceRefused(String.join("\n", refused));
        target.transaction(connection -> {
            tables.create(connection, chosen);
            return null;
        });
        try (Snapshot snapshot = source.snapshot(chosen, streams)) {
            var ranges = new ArrayList<Range>();
            for (SourceTable table : chosen) ranges.addAll(snapshot.ranges(table, rowsInRange));
            // large tables first, so that no stream is left with one at the end
            ranges.sort((one, other) -> Long.compare(other.table().bytes(), one.table().bytes()));
            var parts = Collections.synchronizedMap(new TreeMap<String, List<Part>>());
            chosen.forEach(table -> parts.put(table.name(), Collections.synchronizedList(new ArrayList<>())));
            var readers = new ConcurrentLinkedQueue<Integer>();
            for (int i = 0; i < streams; i++) readers.add(i);
            Streams.forEach(streams, ranges, target, connection -> {}, (connection, range) -> {
                int reader = readers.remove();
                try (var writer = new PartOfRange(connection, range.table(), parts.get(range.table().name()), progress)) {
                    snapshot.read(reader, range, writer::line);
                    writer.end();
                }
                readers.add(reader);
                return range;
            });
            var manifest = new LandingManifest(migration, snapshot.position(),
                    chosen.stream().map(table -> new LandedTable(table, parts.get(table.name()))).toList());
            Json.write(store, prefix() + "manifest.json", manifest);
            return manifest;
        }
    }

    /** Collects the lines of a range until they are worth a part. */
    private final class PartOfRange implements AutoCloseable {
        private final Connection connection;
        private final SourceTable table;
        private final List<Part> parts;
        private final Consumer<Progress> progress;
        private final Packed packed = new Packed();
        private final Text text = new Text();

        PartOfRange(Connection connection, SourceTable table, List<Part> parts, Consumer<Progress> progress) {
            this.connection = connection;
            this.table = table;
            this.parts = parts;
            this.progress = progress;
        }

        void line(byte[] line) {
            packed.line(line);
            text.writeBytes(line);
            if (text.size() >= partBytes) end();
        }

        void end() {
            if (text.size() == 0) return;
            Part part = packed.part(store, prefix() + "parts/", List.of(), List.of());
            load(connection, table, part, text.asInput(), progress);
            parts.add(part);
            packed.clear();
            text.reset();
        }

        @Override
        public void close() {
            packed.close();
        }
    }

    /** Bytes that are read again without a copy. */
    private static final class Text extends ByteArrayOutputStream {
        InputStream asInput() {
            return new ByteArrayInputStream(buf, 0, count);
        }
    }

    private void load(Connection connection, SourceTable table, Part part, InputStream text, Consumer<Progress> progress) {
        try (text) {
            tables.load(connection, table, part, text);
        } catch (SQLException e) {
            throw Faults.of(e, target.name());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        progress.accept(new Progress(table.name(), part.rows()));
    }

    private record Missing(SourceTable table, Part part) {}

    private void loadMissing(LandingManifest manifest, Consumer<Progress> progress) {
        var loaded = target.run(tables::loaded);
        var missing = manifest.tables().stream().flatMap(table -> table.parts().stream().map(part -> new Missing(table.table(), part)))
                .filter(each -> !loaded.contains(List.of(each.table().name(), each.part().object()))).toList();
        Streams.forEach(streams, missing, target, connection -> {}, (connection, each) -> {
            load(connection, each.table(), each.part(), Packed.text(new ByteArrayInputStream(checked(each))), progress);
            return each;
        });
    }

    private byte[] checked(Missing each) {
        Part part = each.part();
        return Packed.checked(store::open, part.object(), part.bytes(), part.sha256(),
                "part " + Packed.abbreviated(part.object()) + " of " + each.table().name());
    }

    /**
     * Reads the landed rows back and compares them with what was read at the source.
     *
     * @throws Fault.VerificationFailed with the tables that differ
     */
    public void verify(LandingManifest manifest) {
        var differing = Streams.forEach(streams, manifest.tables(), target, connection -> {}, (connection, landed) -> {
            Content there = TableReader.content(connection, "SELECT "
                    + Sql.columns("t.", landed.table().columns().stream().map(Column::name).toList()) + " FROM "
                    + tables.name(landed.table())
                    + " t");
            return there.equals(landed.content()) ? "" : landed.table().name() + " has " + there.rows() + " rows of "
                    + landed.content().rows() + (there.rows() == landed.content().rows() ? ", and some differ" : "");
        }).stream().filter(text -> !text.isEmpty()).toList();
        if (!differing.isEmpty())
            throw new Fault.VerificationFailed("the landed tables are not what was read at the source: " + String.join("; ", differing));
    }

    /**
     * Drops all schemas that the migration created in the target, and forgets what was read. Rows in tables of the new model stay, and
     * parts expire with the store.
     */
    public void abandon() {
        target.transaction(connection -> {
            lock(connection);
            tables.drop(connection);
            Sql.execute(connection, "DROP SCHEMA IF EXISTS " + new Schemas(migration).views() + " CASCADE");
            return null;
        });
        Json.write(store, prefix() + "manifest.json", new LandingManifest(migration, "", List.of()));
    }
}
