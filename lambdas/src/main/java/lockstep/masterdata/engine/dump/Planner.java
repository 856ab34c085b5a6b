package lockstep.masterdata.engine.dump;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.masterdata.engine.dump.Snapshot.TableColumns;
import lockstep.masterdata.engine.parts.KeyRange;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.postgres.Key;
import lockstep.masterdata.engine.postgres.Schema;
import lockstep.masterdata.engine.postgres.Sql;

/**
 * Divides tables into key ranges, and groups the ranges into batches. A table that was dumped before keeps the bounds of its parts, so that
 * unchanged ranges yield the same parts again; small neighbours are joined. Any other table is divided into ranges of about equal
 * size. Sizes are estimates: the dump of a range cuts it into parts by its actual size.
 *
 * @param rangeBytes target size of a range on disk
 * @param batchBytes target size of a batch, the work of one invocation
 */
public record Planner(long rangeBytes, long batchBytes) {
    /** Neighbouring parts are joined while they are together no larger than this fraction of a range. */
    private static final int SMALL = 8;

    public static final Planner DEFAULT = new Planner(32L << 20, 512L << 20);

    private record Sized(KeyRange range, long bytes) {}

    /** @param unread tables that need not be read, as they are in the previous manifest */
    record Plan(List<Batch> batches, List<TableManifest> unread) {}

    /** Returns the previous manifest's tables that have still the same columns. */
    static List<TableManifest> comparable(List<TableColumns> columns, Optional<Manifest> before) {
        return columns.stream().flatMap(c -> before.flatMap(m -> m.table(c.name())).filter(t -> t.columns().equals(c.columns())).stream())
                .toList();
    }

    /**
     * @param before    the {@link #comparable} tables
     * @param unwritten tables that have the same rows as before
     */
    Plan plan(Connection connection, DataSet dataSet, List<TableManifest> before, Set<String> unwritten) throws SQLException {
        var batches = new ArrayList<Batch>();
        var unread = new ArrayList<TableManifest>();
        var current = new ArrayList<KeyRange>();
        long size = 0;
        var tables = Schema.tables(connection, dataSet.tables().stream().map(Table::name).toList());
        for (Table table : dataSet.tables()) {
            var dumped = before.stream().filter(t -> t.name().equals(table.name())).findFirst();
            // the sort order of text may have changed since
            Key key = tables.get(table.name()).knownKey(table.key());
            boolean inRanges = dumped.isPresent()
                    && key.ascends(connection, dumped.get().parts().stream().skip(1).map(Part::from).toList());
            if (inRanges && unwritten.contains(table.name())) {
                unread.add(dumped.get());
                continue;
            }
            for (Sized sized : inRanges ? ranges(dumped.get()) : ranges(connection, table, key)) {
                if (!current.isEmpty() && size + sized.bytes() > batchBytes) {
                    batches.add(new Batch(batches.size(), List.copyOf(current)));
                    current.clear();
                    size = 0;
                }
                current.add(sized.range());
                size += sized.bytes();
            }
        }
        batches.add(new Batch(batches.size(), List.copyOf(current)));
        return new Plan(batches, unread);
    }

    private List<Sized> ranges(TableManifest before) {
        var ranges = new ArrayList<Sized>();
        var joined = new ArrayList<Part>();
        long size = 0;
        for (Part part : before.parts()) {
            if (!joined.isEmpty() && size + part.textBytes() > rangeBytes / SMALL) {
                ranges.add(new Sized(range(before, joined), size));
                joined.clear();
                size = 0;
            }
            joined.add(part);
            size += part.textBytes();
        }
        ranges.add(new Sized(range(before, joined), size));
        return ranges;
    }

    private static KeyRange range(TableManifest before, List<Part> parts) {
        return new KeyRange(before.name(), parts.getFirst().from(), parts.getLast().until(), parts);
    }

    private List<Sized> ranges(Connection connection, Table table, Key key) throws SQLException {
        long bytes = Schema.bytes(connection, List.of(table.name()));
        var bounds = bytes <= rangeBytes ? List.<List<String>>of() : bounds(connection, table, key, Math.ceilDiv(bytes, rangeBytes));
        var ranges = new ArrayList<Sized>();
        for (int i = 0; i <= bounds.size(); i++)
            ranges.add(new Sized(new KeyRange(table.name(), i == 0 ? List.of() : bounds.get(i - 1),
                    i == bounds.size() ? List.of() : bounds.get(i), List.of()), bytes / (bounds.size() + 1)));
        return ranges;
    }

    private static List<List<String>> bounds(Connection connection, Table table, Key key, long ranges) throws SQLException {
        String condition = table.where().orElse("true");
        long rows = number(connection, "SELECT count(*) FROM " + Sql.table(table.name()) + " t WHERE " + condition);
        String query = Sql.named("key_bounds",
                Map.of("select_key", key.select("t"), "key_order", key.order("t"), "table", Sql.table(table.name()), "key_text",
                        Key.text(key.at("b")),
                        "condition", condition, "step", Long.toString(Math.max(1, Math.ceilDiv(rows, ranges)))));
        var bounds = new ArrayList<List<String>>();
        try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
            while (row.next()) {
                var bound = new ArrayList<String>();
                for (int i = 1; i <= table.key().size(); i++) bound.add(row.getString(i));
                bounds.add(bound);
            }
        }
        return bounds;
    }

    private static long number(Connection connection, String query) throws SQLException {
        try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }
}
