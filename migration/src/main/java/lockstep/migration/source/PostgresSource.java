package lockstep.migration.source;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.copy.Column;
import lockstep.masterdata.engine.postgres.Faults;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.PostgresDatabase;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.masterdata.engine.postgres.TableReader.LineSink;
import lockstep.masterdata.engine.postgres.TableReader;

/** One schema of a PostgreSQL database. */
public final class PostgresSource implements Source {
    private static final String TABLES = """
            SELECT c.relname, a.attname, format_type(t.oid, a.atttypmod), t.typtype = 'e', n.nspname = 'pg_catalog', e.typnamespace =
            'pg_catalog'::regnamespace, coalesce(array_position(k.conkey, a.attnum), 0), greatest(c.reltuples, 0)::bigint,
            pg_table_size(c.oid), format_type(a.atttypid, a.atttypmod)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            JOIN pg_type own ON own.oid = a.atttypid
            JOIN pg_type t ON t.oid = CASE own.typtype WHEN 'd' THEN own.typbasetype ELSE own.oid END
            JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typelem <> 0
            LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
            WHERE c.relnamespace = to_regnamespace(?) AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname, a.attnum""";
    private final PostgresDatabase database;
    private final String schema;

    /** @param schema quoted as in SQL where it needs to be */
    public PostgresSource(Login login, String schema) {
        this.database = new PostgresDatabase(login);
        this.schema = schema;
    }

    private record Described(String table, String name, String type, boolean copied, int keyPosition, long rows, long bytes) {}

    /** A label of an enum lands as text. Other types that the product created can't be known to the target. */
    private static Described described(ResultSet row) throws SQLException {
        boolean label = row.getBoolean(4);
        boolean element = row.getObject(6) == null || row.getBoolean(6);
        return new Described(row.getString(1), row.getString(2), label ? "text" : row.getBoolean(5) && element ? row.getString(3)
                : row.getString(10), label || row.getBoolean(5) && element, row.getInt(7), row.getLong(8), row.getLong(9));
    }

    private LinkedHashMap<String, List<Described>> columns() {
        return database.run(connection -> {
            var tables = new LinkedHashMap<String, List<Described>>();
            try (var query = connection.prepareStatement(TABLES)) {
                query.setString(1, schema);
                try (var row = query.executeQuery()) {
                    while (row.next()) tables.computeIfAbsent(row.getString(1), name -> new ArrayList<>()).add(described(row));
                }
            }
            return tables;
        });
    }

    @Override
    public List<SourceTable> tables() {
        return columns().entrySet().stream().map(table -> new SourceTable(table.getKey(),
                table.getValue().stream().filter(Described::copied).map(column -> new Column(column.name(), column.type())).toList(),
                table.getValue().stream().filter(column -> column.keyPosition() > 0)
                        .sorted((one, other) -> one.keyPosition() - other.keyPosition()).map(Described::name).toList(),
                table.getValue().getFirst().rows(), table.getValue().getFirst().bytes())).toList();
    }

    @Override
    public List<Finding> findings(List<SourceTable> tables) {
        var findings = new ArrayList<Finding>();
        String level = database.run(connection -> text(connection, "SHOW wal_level"));
        if (!level.equals("logical"))
            findings.add(new Finding(false, "the server", "wal_level is " + level + ", so changes can't be followed",
                    "set it to logical, on RDS and Aurora by rds.logical_replication = 1"));
        var described = columns();
        for (SourceTable table : tables) {
            if (table.key().isEmpty())
                findings.add(new Finding(false, table.name(), "it has no primary key, so its changes can't be followed",
                        "add a primary key if it changes during the migration"));
            for (Described column : described.get(table.name()))
                if (!column.copied()) findings.add(new Finding(true, table.name() + "." + column.name(),
                        "values of type " + column.type() + " can't be copied",
                        "leave the table out, or copy the column at the source into "
                                + "one of PostgreSQL's own types"));
        }
        return findings;
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement(); var row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    @Override
    public Snapshot snapshot(List<SourceTable> tables, int connections) {
        var now = tables().stream().collect(Collectors.toMap(SourceTable::name, SourceTable::columns));
        tables.forEach(table -> table.refuseOther(now.getOrDefault(table.name(), List.of())));
        var opened = new ArrayList<Connection>();
        try {
            Connection first = database.connect();
            opened.add(first);
            begin(first);
            String id = text(first, "SELECT pg_export_snapshot()");
            String position = text(first,
                    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END");
            for (int i = 1; i < connections; i++) {
                Connection next = database.connect();
                opened.add(next);
                begin(next);
                Sql.execute(next, "SET TRANSACTION SNAPSHOT " + Sql.literal(id));
            }
            return new Held(position, opened);
        } catch (SQLException e) {
            HeldSnapshot.close(opened);
            throw Faults.of(e, database.name());
        }
    }

    private static void begin(Connection connection) throws SQLException {
        Sql.execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    }

    private final class Held extends HeldSnapshot {
        private static final int BLOCKS = 8192;

        Held(String position, List<Connection> connections) {
            super(position, connections);
        }

        /** Ranges divide the table's blocks, which needs no key. A partitioned table has none of its own. */
        @Override
        public List<Range> ranges(SourceTable table, long rows) {
            var all = List.of(new Range(table, "true"));
            try {
                long blocks = Long.parseLong(text(connections.getFirst(), "SELECT pg_relation_size(" + Sql.literal(qualified(table))
                        + ") / current_setting('block_size')::int"));
                int count = (int) Math.min(BLOCKS, Math.min(blocks, Math.ceilDiv(table.rows(), rows)));
                if (count < 2) return all;
                var ranges = new ArrayList<Range>();
                for (int i = 0; i < count; i++)
                    ranges.add(new Range(table, "ctid >= '(" + blocks * i / count + ",0)'"
                            + (i + 1 < count ? " AND ctid < '(" + blocks * (i + 1) / count + ",0)'" : "")));
                return ranges;
            } catch (SQLException e) {
                throw Faults.of(e, database.name());
            }
        }

        @Override
        public void read(int connection, Range range, LineSink sink) {
            try {
                TableReader.stream(connections.get(connection), "SELECT "
                        + Sql.columns("t.", range.table().columns().stream().map(Column::name).toList()) + " FROM "
                        + qualified(range.table()) + " t WHERE " + range.condition(), sink);
            } catch (SQLException e) {
                throw Faults.of(e, database.name());
            }
        }
    }

    private String qualified(SourceTable table) {
        return schema + "." + Sql.identifier(table.name());
    }
}
