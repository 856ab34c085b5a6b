package lockstep.migration.derive;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Faults;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.migration.derive.Migration.Entity;
import lockstep.migration.derive.Migration.OldTable;
import lockstep.migration.derive.Migration.Target;
import lockstep.migration.land.Schemas;

/**
 * Derives the rows of the new model, a chunk of roots in each transaction. A chunk and the record that it is done are committed together,
 * so that chunks can run in parallel, be repeated, and be interrupted anywhere.
 */
public final class Derivation {
    private static final String TRACE = "from_";
    private static final int EXAMPLES = 3;
    private final Migration migration;
    private final Database target;
    private final String old;
    private final String views;
    private final String state;

    /** The roots of an entity from one number until before another. */
    public record Chunk(String entity, long from, long until) {}

    /**
     * What has become of the rows of an old table.
     *
     * @param dropped  by the name of the condition
     * @param derived  rows that rows of the new model were derived from
     * @param refused  rows of chunks that are not done
     * @param orphaned rows whose root does not exist, or that belong to no entity
     * @param lookedUp rows of a table whose rows are only looked up
     */
    public record Account(String table, long rows, Map<String, Long> dropped, long derived, long refused, long orphaned, long lookedUp) {
        /** Whether every row is accounted for, and none was refused or has lost its root. */
        public boolean isComplete() {
            return refused == 0 && orphaned == 0
                    && rows == dropped.values().stream().mapToLong(Long::longValue).sum() + derived + lookedUp;
        }
    }

    public Derivation(Migration migration, Database target) {
        this.migration = migration;
        this.target = target;
        var schemas = new Schemas(migration.name());
        this.old = schemas.old();
        this.views = schemas.views();
        this.state = schemas.state();
    }

    /**
     * Checks the values that SELECTs do not know, creates what SELECTs see of the old tables, and numbers the roots. A repetition numbers
     * only roots that are new.
     *
     * @throws Fault.DerivationFailed if there are other values; nothing was changed
     */
    public void prepare() {
        target.transaction(connection -> {
            refuseUnknownValues(connection);
            Sql.execute(connection, "SET LOCAL client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS " + views
                    + "; CREATE TABLE IF NOT EXISTS " + state
                    + ".chunk (entity text, first bigint, until bigint, derived jsonb, PRIMARY KEY (entity, first, until))");
            for (OldTable table : migration.tables())
                Sql.execute(connection, "CREATE OR REPLACE VIEW " + view(table.name()) + " AS SELECT *, ctid FROM "
                        + raw(table.name()) + kept(table));
            for (Entity entity : migration.entities()) number(connection, entity);
            return null;
        });
    }

    private String raw(String table) {
        return old + "." + Sql.identifier(table);
    }

    private String view(String table) {
        return views + "." + Sql.identifier(table);
    }

    private static String kept(OldTable table) {
        return table.drop().isEmpty() ? "" : table.drop().values().stream().map(condition -> "(" + condition + ") IS NOT TRUE")
                .collect(Collectors.joining(" AND ", " WHERE ", ""));
    }

    private void refuseUnknownValues(Connection connection) throws SQLException {
        var unknown = new ArrayList<String>();
        for (OldTable table : migration.tables())
            for (var values : table.values().entrySet()) {
                String column = Sql.identifier(values.getKey());
                String known = values.getValue().stream().map(Sql::literal).collect(Collectors.joining(", "));
                for (var row : rows(connection, "SELECT " + column + ", count(*) FROM (SELECT * FROM " + raw(table.name()) + kept(table)
                        + ") t WHERE " + column + "::text NOT IN (" + known + ") GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"))
                    unknown.add(
                            "%s.%s: %s rows have the value '%s', which is not among its values; add it, and a branch for it in the SELECTs,"
                                    .formatted(table.name(), values.getKey(), row.get(1), row.get(0)) + " or drop the rows");
            }
        if (!unknown.isEmpty()) throw new Fault.DerivationFailed(String.join("\n", unknown));
    }

    private String key(Entity entity) {
        return views + "." + Sql.identifier(entity.name() + "_key");
    }

    private void number(Connection connection, Entity entity) throws SQLException {
        String columns = Sql.columns("", entity.key());
        Sql.execute(connection, "CREATE TABLE IF NOT EXISTS " + key(entity) + " AS SELECT " + columns + ", 0::bigint AS id FROM "
                + view(entity.table()) + " WITH NO DATA");
        Sql.execute(connection, "INSERT INTO " + key(entity) + " SELECT " + columns + ", (SELECT coalesce(max(id), " + (entity.first() - 1)
                + ") FROM " + key(entity) + ") + row_number() OVER (ORDER BY " + columns + ") FROM (SELECT DISTINCT " + columns + " FROM "
                + view(entity.table()) + " EXCEPT SELECT " + columns + " FROM " + key(entity) + ") new");
        Sql.execute(connection,
                "CREATE UNIQUE INDEX IF NOT EXISTS " + Sql.identifier(entity.name() + "_key_old") + " ON " + key(entity) + " ("
                        + columns + "); CREATE UNIQUE INDEX IF NOT EXISTS " + Sql.identifier(entity.name() + "_key_new") + " ON "
                        + key(entity)
                        + " (id); ANALYZE " + key(entity));
    }

    /** Returns the chunks of an entity that together hold all of its roots. Chunks that are done are among them. */
    public List<Chunk> chunks(Entity entity, long roots) {
        return target.run(connection -> {
            var bounds = rows(connection, "SELECT min(id), max(id) FROM " + key(entity)).getFirst();
            var chunks = new ArrayList<Chunk>();
            if (bounds.getFirst() == null) return chunks;
            long last = Long.parseLong(bounds.get(1));
            for (long from = entity.first(); from <= last; from += roots)
                chunks.add(new Chunk(entity.name(), from, Math.min(from + roots, last + 1)));
            return chunks;
        });
    }

    /**
     * Derives a chunk in a transaction, unless it is done.
     *
     * @throws Fault.DerivationFailed if a statement fails, or a source row is lost or derived twice. The message names the first root for
     *                                which it does. Nothing of the chunk was written
     */
    public void derive(Connection connection, Chunk chunk) throws SQLException {
        connection.setAutoCommit(false);
        try {
            if (Sql.update(connection, "INSERT INTO " + state + ".chunk VALUES (" + Sql.literal(chunk.entity()) + ", " + chunk.from()
                    + ", " + chunk.until() + ") ON CONFLICT DO NOTHING") == 0) {
                connection.rollback();
                return;
            }
            var derived = insert(connection, chunk);
            Sql.update(connection, "UPDATE " + state + ".chunk SET derived = " + Sql.literal(json(derived)) + " WHERE (entity, first, "
                    + "until) = (" + Sql.literal(chunk.entity()) + ", " + chunk.from() + ", " + chunk.until() + ")");
            connection.commit();
        } catch (Refused refused) {
            connection.rollback();
            throw new Fault.DerivationFailed(explain(connection, chunk, refused));
        }
    }

    /** A statement or a check that failed. */
    private static final class Refused extends RuntimeException {
        private Refused(String message) {
            super(message, null, false, false);
        }
    }

    /** Inserts the rows of all targets. Returns how many rows of each old table they were derived from. */
    private Map<String, Long> insert(Connection connection, Chunk chunk) throws SQLException {
        Entity entity = entity(chunk.entity());
        // roots that an earlier run derived in other chunks are left out
        Sql.execute(connection,
                "SET LOCAL search_path = " + views + ", pg_catalog; CREATE TEMP TABLE roots ON COMMIT DROP AS SELECT * FROM "
                        + key(entity) + " k WHERE id >= " + chunk.from() + " AND id < " + chunk.until() + " AND NOT EXISTS (SELECT FROM "
                        + state
                        + ".chunk c WHERE c.entity = " + Sql.literal(entity.name())
                        + " AND derived IS NOT NULL AND k.id >= c.first AND k.id < c.until)"
                        + "; ANALYZE roots");
        var traced = new TreeMap<String, Long>();
        for (Target each : migration.targets())
            if (each.entity().equals(chunk.entity())) insert(connection, each, traced);
        for (OldTable table : migration.tables()) {
            if (table.root().filter(way -> way.entity().equals(chunk.entity())).isEmpty()) continue;
            long expected = Long
                    .parseLong(rows(connection, "SELECT count(*) FROM " + ofRoots(table, entity, "roots")).getFirst().getFirst());
            long found = traced.getOrDefault(table.name(), 0L);
            if (found < expected)
                throw new Refused(
                        "no SELECT returns as %s%s: %d of %d rows of %s".formatted(TRACE, table.name(), expected - found, expected,
                                table.name()));
            if (found > expected)
                throw new Refused("several SELECTs return as %s%s the same rows of %s, or rows of other roots: %d instead of %d".formatted(
                        TRACE, table.name(), table.name(), found, expected));
        }
        return traced;
    }

    private void insert(Connection connection, Target each, Map<String, Long> traced) throws SQLException {
        try {
            var columns = columns(connection, each.select());
            var own = columns.stream().filter(column -> !column.startsWith(TRACE)).toList();
            var traces = columns.stream().filter(column -> column.startsWith(TRACE)).toList();
            var counts = rows(connection,
                    "WITH s AS MATERIALIZED (" + each.select() + "\n), i AS (INSERT INTO " + Sql.table(each.table()) + " ("
                            + Sql.columns("", own) + ") SELECT " + Sql.columns("", own) + " FROM s) SELECT count(*)" + traces.stream()
                                    .map(trace -> ", count(DISTINCT " + Sql.identifier(trace) + ")").collect(Collectors.joining())
                            + " FROM s")
                    .getFirst();
            for (int i = 0; i < traces.size(); i++)
                traced.merge(traces.get(i).substring(TRACE.length()), Long.parseLong(counts.get(i + 1)), Long::sum);
        } catch (SQLException e) {
            if (Faults.of(e, target.name()) instanceof Fault.Transient) throw e;
            throw new Refused("the SELECT of " + each.table() + ": " + e.getMessage());
        }
    }

    private static List<String> columns(Connection connection, String select) throws SQLException {
        try (var statement = connection.createStatement();
                var none = statement.executeQuery("SELECT * FROM (" + select + "\n) s LIMIT 0")) {
            var columns = new ArrayList<String>();
            for (int i = 1; i <= none.getMetaData().getColumnCount(); i++) columns.add(none.getMetaData().getColumnName(i));
            return columns;
        }
    }

    private Entity entity(String name) {
        return migration.entities().stream().filter(entity -> entity.name().equals(name)).findFirst()
                .orElseThrow(() -> new Fault.InvalidRequest("migration " + migration.name() + " has no entity " + name));
    }

    /** Returns, as an item of a FROM clause, the rows of an old table that belong to roots of a relation. */
    private String ofRoots(OldTable table, Entity entity, String roots) {
        var join = new ArrayList<String>();
        for (int i = 0; i < entity.key().size(); i++)
            join.add("t." + Sql.identifier(table.root().orElseThrow().columns().get(i)) + " = r." + Sql.identifier(entity.key().get(i)));
        return view(table.name()) + " t JOIN " + roots + " r ON " + String.join(" AND ", join);
    }

    /** Finds the first root for which the chunk fails, by halving it, and describes the failure with the root's source rows. */
    private String explain(Connection connection, Chunk chunk, Refused refused) throws SQLException {
        Chunk failing = chunk;
        Refused reason = refused;
        while (failing.until() - failing.from() > 1) {
            long middle = (failing.from() + failing.until()) / 2;
            var first = new Chunk(chunk.entity(), failing.from(), middle);
            var second = new Chunk(chunk.entity(), middle, failing.until());
            var ofFirst = fails(connection, first);
            var ofSecond = ofFirst.isPresent() ? Optional.<Refused>empty() : fails(connection, second);
            if (ofFirst.isEmpty() && ofSecond.isEmpty())
                return "roots %d to %d of %s, not all of which fail alone: %s".formatted(failing.from(), failing.until() - 1,
                        chunk.entity(),
                        reason.getMessage());
            failing = ofFirst.isPresent() ? first : second;
            reason = ofFirst.or(() -> ofSecond).orElseThrow();
        }
        return describe(connection, failing, reason);
    }

    private Optional<Refused> fails(Connection connection, Chunk chunk) throws SQLException {
        try {
            insert(connection, chunk);
            return Optional.empty();
        } catch (Refused refused) {
            return Optional.of(refused);
        } finally {
            connection.rollback();
        }
    }

    private String describe(Connection connection, Chunk chunk, Refused refused) throws SQLException {
        Entity entity = entity(chunk.entity());
        String root = "(SELECT * FROM " + key(entity) + " WHERE id = " + chunk.from() + ")";
        var text = new StringBuilder(entity.name()).append(' ').append(chunk.from()).append(" (old key ")
                .append(rows(connection, "SELECT concat_ws(', ', " + Sql.columns("k.", entity.key()) + ") FROM " + root + " k").getFirst()
                        .getFirst())
                .append("): ").append(refused.getMessage());
        for (OldTable table : migration.tables())
            if (table.root().filter(way -> way.entity().equals(entity.name())).isPresent())
                for (var row : rows(connection, "SELECT to_jsonb(t) - 'ctid' FROM " + ofRoots(table, entity, root) + " LIMIT " + EXAMPLES))
                    text.append("\n  ").append(table.name()).append(": ").append(row.getFirst());
        return text.toString();
    }

    /** Sets each sequence of a target's columns to the highest value there. */
    public void setSequences() {
        target.transaction(connection -> {
            for (Target each : migration.targets())
                for (var row : rows(connection,
                        "SELECT quote_ident(attname), pg_get_serial_sequence(" + Sql.literal(Sql.table(each.table()))
                                + ", attname) FROM pg_attribute WHERE attrelid = " + Sql.literal(Sql.table(each.table()))
                                + "::regclass AND attnum > 0 AND NOT attisdropped"))
                    if (row.get(1) != null)
                        rows(connection, "SELECT setval(" + Sql.literal(row.get(1)) + ", max(" + row.get(0) + ")) FROM "
                                + Sql.table(each.table()) + " HAVING max(" + row.get(0) + ") IS NOT NULL");
            return null;
        });
    }

    /** Returns what has become of each row of each old table. */
    public List<Account> accounts() {
        return target.run(connection -> {
            var accounts = new ArrayList<Account>();
            for (OldTable table : migration.tables()) accounts.add(account(connection, table));
            return accounts;
        });
    }

    private Account account(Connection connection, OldTable table) throws SQLException {
        var dropped = new LinkedHashMap<String, Long>();
        String reason = table.drop().entrySet().stream().map(drop -> " WHEN " + drop.getValue() + " THEN " + Sql.literal(drop.getKey()))
                .collect(Collectors.joining("", "CASE", " END"));
        long rows = 0;
        for (var row : rows(connection, "SELECT " + (table.drop().isEmpty() ? "NULL" : reason) + ", count(*) FROM " + raw(table.name())
                + " GROUP BY 1 ORDER BY 1")) {
            rows += Long.parseLong(row.get(1));
            if (row.getFirst() != null) dropped.put(row.getFirst(), Long.parseLong(row.get(1)));
        }
        long kept = rows - dropped.values().stream().mapToLong(Long::longValue).sum();
        if (table.root().isEmpty())
            return new Account(table.name(), rows, dropped, 0, 0, table.lookup() ? 0 : kept, table.lookup() ? kept : 0);
        Entity entity = entity(table.root().get().entity());
        long rooted = Long.parseLong(rows(connection, "SELECT count(*) FROM " + ofRoots(table, entity, key(entity))).getFirst().getFirst());
        long derived = Long
                .parseLong(rows(connection, "SELECT coalesce(sum((derived ->> " + Sql.literal(table.name()) + ")::bigint), 0) FROM "
                        + state + ".chunk WHERE entity = " + Sql.literal(entity.name())).getFirst().getFirst());
        return new Account(table.name(), rows, dropped, derived, rooted - derived, kept - rooted, 0);
    }

    private static String json(Map<String, Long> counts) {
        return Json.MAPPER.writeValueAsString(counts);
    }

    private static List<List<String>> rows(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement(); var row = statement.executeQuery(sql)) {
            var rows = new ArrayList<List<String>>();
            while (row.next()) {
                var values = new ArrayList<String>();
                for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) values.add(row.getString(i));
                rows.add(values);
            }
            return rows;
        }
    }
}
