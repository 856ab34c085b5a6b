package lockstep.migration.source;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.copy.CopyText;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.TableReader.LineSink;

/** A database of MySQL 8. */
public final class MySqlSource implements Source {
    private static final int EXAMPLES = 3;
    private final MySqlDatabase database;
    private final String schema;

    /** @param login its {@code dbname} is the database, which MySQL also calls a schema */
    public MySqlSource(Login login) {
        this.database = new MySqlDatabase(login);
        this.schema = login.dbname();
    }

    private interface Work<T> {
        T with(Connection connection) throws SQLException;
    }

    private <T> T run(Work<T> work) {
        try (Connection connection = database.connect()) {
            return work.with(connection);
        } catch (SQLException e) {
            throw database.fault(e);
        }
    }

    private interface Row<T> {
        T of(ResultSet row) throws SQLException;
    }

    private static <T> List<T> query(Connection connection, String sql, Row<T> each, Object... parameters) throws SQLException {
        try (var query = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) query.setObject(i + 1, parameters[i]);
            var rows = new ArrayList<T>();
            try (var row = query.executeQuery()) {
                while (row.next()) rows.add(each.of(row));
            }
            return rows;
        }
    }

    /** A column as the catalogue has it; the conversion is empty if its type is not supported. */
    private record Described(String table, String name, String type, Optional<MySqlColumn> column) {}

    private Map<String, List<Described>> columns(Connection connection) throws SQLException {
        return query(connection, """
                SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, COALESCE(c.NUMERIC_PRECISION, 0),
                COALESCE(c.NUMERIC_SCALE, 0)
                FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)
                WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME, ORDINAL_POSITION""",
                row -> new Described(row.getString(1), row.getString(2), row.getString(4),
                        MySqlColumn.of(row.getString(2), row.getString(3), row.getString(4), row.getLong(5), row.getLong(6))),
                schema).stream().collect(Collectors.groupingBy(Described::table, TreeMap::new, Collectors.toList()));
    }

    private static List<MySqlColumn> supported(List<Described> columns) {
        return columns.stream().flatMap(described -> described.column().stream()).toList();
    }

    @Override
    public List<SourceTable> tables() {
        return run(connection -> {
            var keys = query(connection, """
                    SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS
                    WHERE TABLE_SCHEMA = ? AND INDEX_NAME = 'PRIMARY' ORDER BY TABLE_NAME, SEQ_IN_INDEX""",
                    row -> List.of(row.getString(1), row.getString(2)), schema).stream()
                    .collect(Collectors.groupingBy(List::getFirst, Collectors.mapping(List::getLast, Collectors.toList())));
            var sizes = new TreeMap<String, long[]>();
            query(connection, "SELECT TABLE_NAME, COALESCE(TABLE_ROWS, 0), COALESCE(DATA_LENGTH, 0) FROM information_schema.TABLES "
                    + "WHERE TABLE_SCHEMA = ?", row -> sizes.put(row.getString(1), new long[]{row.getLong(2), row.getLong(3)}), schema);
            return columns(connection).entrySet().stream().map(table -> new SourceTable(table.getKey(),
                    supported(table.getValue()).stream().map(MySqlColumn::column).toList(),
                    keys.getOrDefault(table.getKey(), List.of()), sizes.get(table.getKey())[0], sizes.get(table.getKey())[1])).toList();
        });
    }

    @Override
    public List<Finding> findings(List<SourceTable> tables) {
        return run(connection -> {
            var findings = new ArrayList<>(ofServer(connection, tables));
            var described = columns(connection);
            for (SourceTable table : tables) {
                if (table.key().isEmpty()) findings.add(new Finding(false, table.name(),
                        "it has no primary key, so it is read by one connection, and its changes can't be followed",
                        "add a primary key if it changes during the migration"));
                for (var column : described.get(table.name()))
                    if (column.column().isEmpty()) findings.add(new Finding(true, table.name() + "." + column.name(),
                            "values of type " + column.type() + " can't be copied", "leave the table out, or copy the column at the source "
                                    + "into one of another type, such as ST_AsText or ST_AsWKB of a geometry"));
                findings.addAll(unusable(connection, table, supported(described.get(table.name()))));
            }
            return findings;
        });
    }

    /** Counts the rows with values that PostgreSQL can't hold in a single pass over the table. */
    private static List<Finding> unusable(Connection connection, SourceTable table, List<MySqlColumn> columns) throws SQLException {
        record Suspect(MySqlColumn column, MySqlColumn.Unusable unusable) {}
        var suspects = columns.stream().flatMap(column -> column.unusable().stream().map(unusable -> new Suspect(column, unusable)))
                .toList();
        if (suspects.isEmpty()) return List.of();
        String from = " FROM " + MySqlColumn.quoted(table.name());
        var counts = query(connection,
                "SELECT " + suspects.stream().map(suspect -> "COALESCE(SUM(" + suspect.unusable().condition() + "), 0)")
                        .collect(Collectors.joining(", ")) + from,
                row -> {
                    var numbers = new ArrayList<Long>();
                    for (int i = 0; i < suspects.size(); i++) numbers.add(row.getLong(i + 1));
                    return numbers;
                }).getFirst();
        var findings = new ArrayList<Finding>();
        for (int i = 0; i < suspects.size(); i++) {
            if (counts.get(i) == 0) continue;
            var suspect = suspects.get(i);
            var shown = table.key().isEmpty() ? List.of(suspect.column().name()) : table.key();
            String example = "CONCAT_WS(', ', " + shown.stream().map(MySqlColumn::quoted).collect(Collectors.joining(", ")) + ")";
            var examples = query(connection, "SELECT " + example + from + " WHERE " + suspect.unusable().condition() + " LIMIT " + EXAMPLES,
                    row -> row.getString(1));
            findings.add(new Finding(true, table.name() + "." + suspect.column().name(), counts.get(i) + " rows have "
                    + suspect.unusable().what() + ", such as " + String.join(", ", shown) + " = " + String.join("; ", examples),
                    suspect.unusable().remedy()));
        }
        return findings;
    }

    private List<Finding> ofServer(Connection connection, List<SourceTable> tables) throws SQLException {
        var findings = new ArrayList<Finding>();
        String version = query(connection, "SELECT VERSION()", row -> row.getString(1)).getFirst();
        if (!version.matches("([89]|[1-9][0-9])\\..*") || version.contains("MariaDB")) findings.add(new Finding(true, "the server",
                "it is version " + version + ", and only MySQL 8 and later is supported", "upgrade it"));
        for (var setting : List.of(List.of("log_bin", "ON"), List.of("binlog_format", "ROW"), List.of("binlog_row_image", "FULL"),
                List.of("binlog_row_metadata", "FULL"), List.of("gtid_mode", "ON"))) {
            String name = setting.getFirst(), needed = setting.getLast();
            String value = query(connection, "SHOW GLOBAL VARIABLES LIKE '" + name + "'", row -> row.getString(2)).stream().findFirst()
                    .orElse("not known");
            if (!value.equals(needed))
                findings.add(new Finding(false, "the server", name + " is " + value + ", so changes can't be followed",
                        "set it to " + needed + (name.equals("log_bin") ? ", on RDS by keeping automatic backups for a day or more" : "")));
        }
        int major = Integer.parseInt(version.split("\\.")[0]);
        int minor = Integer.parseInt(version.split("\\.")[1]);
        var cascades = major < 9 || major == 9 && minor < 6 ? query(connection, """
                SELECT TABLE_NAME, CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS
                WHERE CONSTRAINT_SCHEMA = ? AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))""",
                row -> List.of(row.getString(1), row.getString(2)), schema) : List.<List<String>>of();
        for (var cascade : cascades) {
            String name = cascade.getFirst();
            if (tables.stream().anyMatch(table -> table.name().equals(name))) findings.add(new Finding(false, name,
                    "foreign key " + cascade.getLast() + " cascades, and the binary log of this version does not contain what it changes",
                    "upgrade to MySQL 9.6, or delete and update the rows of " + name + " explicitly while changes are followed"));
        }
        try {
            for (long lag : query(connection, "SHOW REPLICA STATUS", row -> row.getLong("Seconds_Behind_Source")))
                if (lag > 60) findings.add(new Finding(false, "the server", "it is a replica that is " + lag + " seconds behind",
                        "wait until it has caught up"));
        } catch (SQLException e) {
            findings.add(new Finding(false, "the server", "it does not say whether it is a replica that lags: " + e.getMessage(),
                    "grant REPLICATION CLIENT to the user"));
        }
        return findings;
    }

    @Override
    public Snapshot snapshot(List<SourceTable> tables, int connections) {
        var columns = new HashMap<String, List<MySqlColumn>>();
        run(this::columns).forEach((table, all) -> columns.put(table, supported(all)));
        tables.forEach(table -> table.refuseOther(
                columns.getOrDefault(table.name(), List.of()).stream().map(MySqlColumn::column).toList()));
        var opened = new ArrayList<Connection>();
        try (Connection locking = database.connect()) {
            for (int i = 0; i < connections; i++) opened.add(database.connect());
            // Transactions end before the lock is given, and none begins to write until it is released. RDS does not allow
            // FLUSH TABLES WITH READ LOCK.
            try (var lock = locking.createStatement()) {
                lock.execute("SET SESSION lock_wait_timeout = 60");
                lock.execute("LOCK TABLES " + tables.stream().map(table -> MySqlColumn.quoted(table.name()) + " READ")
                        .collect(Collectors.joining(", ")));
                for (Connection each : opened)
                    try (var begin = each.createStatement()) {
                        begin.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
                    }
                String position = query(locking, "SELECT @@GLOBAL.gtid_executed", row -> row.getString(1)).getFirst().replace("\n", "");
                lock.execute("UNLOCK TABLES");
                return new Held(position, opened, columns);
            }
        } catch (SQLException e) {
            HeldSnapshot.close(opened);
            throw database.fault(e);
        }
    }

    /** The lines of a row are built in one buffer per connection. */
    private static final class Line extends ByteArrayOutputStream {
        void put(byte next) {
            if (count == buf.length) {
                write(next);
                return;
            }
            buf[count++] = next;
        }
    }

    private final class Held extends HeldSnapshot {
        private final Map<String, List<MySqlColumn>> columns;

        Held(String position, List<Connection> connections, Map<String, List<MySqlColumn>> columns) {
            super(position, connections);
            this.columns = columns;
        }

        /** Ranges divide the values of the first column of the key evenly, if it is an integer. */
        @Override
        public List<Range> ranges(SourceTable table, long rows) {
            var all = List.of(new Range(table, "TRUE"));
            if (table.key().isEmpty() || table.rows() <= rows) return all;
            var first = columns.get(table.name()).stream().filter(column -> column.name().equals(table.key().getFirst())).findFirst()
                    .orElseThrow();
            if (first.kind() != MySqlColumn.Kind.NUMBER || first.landing().matches("numeric\\(.*,[1-9].*")) return all;
            String column = MySqlColumn.quoted(first.name());
            try {
                var bounds = query(connections.getFirst(), "SELECT MIN(" + column + "), MAX(" + column + ") FROM "
                        + MySqlColumn.quoted(table.name()), row -> new String[]{row.getString(1), row.getString(2)}).getFirst();
                if (bounds[0] == null) return all;
                BigInteger least = new BigInteger(bounds[0]);
                BigInteger width = new BigInteger(bounds[1]).subtract(least).add(BigInteger.ONE);
                BigInteger count = BigInteger.valueOf(Math.ceilDiv(table.rows(), rows)).min(width);
                var ranges = new ArrayList<Range>();
                for (BigInteger i = BigInteger.ZERO; i.compareTo(count) < 0; i = i.add(BigInteger.ONE)) {
                    BigInteger from = least.add(width.multiply(i).divide(count));
                    BigInteger until = least.add(width.multiply(i.add(BigInteger.ONE)).divide(count));
                    ranges.add(new Range(table, column + " >= " + from + " AND " + column + " < " + until));
                }
                return ranges;
            } catch (SQLException e) {
                throw database.fault(e);
            }
        }

        @Override
        public void read(int connection, Range range, LineSink sink) {
            var selected = columns.get(range.table().name());
            try (var statement = connections.get(connection).createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
                statement.setFetchSize(Integer.MIN_VALUE); // streams rows instead of reading all of them first
                try (var row = statement.executeQuery("SELECT " + selected.stream().map(MySqlColumn::selected)
                        .collect(Collectors.joining(", ")) + " FROM " + MySqlColumn.quoted(range.table().name()) + " WHERE "
                        + range.condition())) {
                    var line = new Line();
                    CopyText.ByteSink text = line::put;
                    while (row.next()) {
                        line.reset();
                        for (int i = 0; i < selected.size(); i++) {
                            if (i > 0) line.put((byte) '\t');
                            byte[] value = row.getBytes(i + 1);
                            if (value == null) {
                                line.put((byte) '\\');
                                line.put((byte) 'N');
                            } else {
                                selected.get(i).write(value, text);
                            }
                        }
                        line.put((byte) '\n');
                        sink.line(line.toByteArray());
                    }
                }
            } catch (SQLException e) {
                throw database.fault(e);
            }
        }
    }
}
