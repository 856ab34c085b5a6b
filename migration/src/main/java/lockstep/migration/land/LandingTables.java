package lockstep.migration.land;

import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.copy.Column;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.postgres.Sql;
import lockstep.migration.source.SourceTable;
import org.postgresql.PGConnection;

/** The schema of the target database in which the old tables land, and the record of the parts that are in them. */
final class LandingTables {
    private static final int CHUNK = 64 << 10;
    private final String schema;
    private final String state;

    LandingTables(String migration) {
        var schemas = new Schemas(migration);
        schema = schemas.old();
        state = schemas.state();
    }

    String name(SourceTable table) {
        return schema + "." + Sql.identifier(table.name());
    }

    /** Creates the tables, empty. Earlier ones are dropped. */
    void create(Connection connection, List<SourceTable> tables) throws SQLException {
        drop(connection);
        Sql.execute(connection, "CREATE SCHEMA " + schema + "; CREATE SCHEMA " + state + "; CREATE TABLE " + state
                + ".landed_part (object text, table_name text, PRIMARY KEY (table_name, object))");
        for (SourceTable table : tables)
            Sql.execute(connection, "CREATE TABLE " + name(table) + " (" + table.columns().stream()
                    .map(column -> Sql.identifier(column.name()) + " " + column.type()).collect(Collectors.joining(", "))
                    + ") WITH (autovacuum_enabled = off)");
    }

    void drop(Connection connection) throws SQLException {
        Sql.execute(connection,
                "SET LOCAL client_min_messages = warning; DROP SCHEMA IF EXISTS " + schema + " CASCADE; DROP SCHEMA IF EXISTS "
                        + state + " CASCADE");
    }

    /** Returns the parts that are in the tables, each as its table and object. */
    Set<List<String>> loaded(Connection connection) throws SQLException {
        var loaded = new HashSet<List<String>>();
        try (var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT table_name, object FROM " + state + ".landed_part")) {
            while (row.next()) loaded.add(List.of(row.getString(1), row.getString(2)));
        }
        return loaded;
    }

    /** Copies a part into its table, and records it in the same transaction. */
    void load(Connection connection, SourceTable table, Part part, InputStream text) throws SQLException, IOException {
        connection.setAutoCommit(false);
        try (var record = connection.prepareStatement("INSERT INTO " + state + ".landed_part (object, table_name) VALUES (?, ?)")) {
            record.setString(1, part.object());
            record.setString(2, table.name());
            record.execute();
            long rows = connection.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY " + name(table) + " ("
                    + Sql.columns("", table.columns().stream().map(Column::name).toList()) + ") FROM STDIN", text, CHUNK);
            if (rows != part.rows()) throw new Fault.PartRefused("part " + part.object() + " of " + table.name() + " holds " + rows
                    + " rows, but " + part.rows() + " were read at the source");
            connection.commit();
        } catch (SQLException | IOException | RuntimeException e) {
            connection.rollback();
            throw e;
        }
    }

    /** Adds the primary key and statistics. */
    void complete(Connection connection, SourceTable table) throws SQLException {
        if (!table.key().isEmpty() && !hasKey(connection, table))
            Sql.execute(connection, "ALTER TABLE " + name(table) + " ADD PRIMARY KEY (" + Sql.columns("", table.key()) + ")");
        Sql.execute(connection, "ALTER TABLE " + name(table) + " RESET (autovacuum_enabled); ANALYZE " + name(table));
    }

    private boolean hasKey(Connection connection, SourceTable table) throws SQLException {
        try (var query = connection.prepareStatement("SELECT FROM pg_index WHERE indrelid = ?::regclass AND indisprimary")) {
            query.setString(1, name(table));
            try (var row = query.executeQuery()) {
                return row.next();
            }
        }
    }
}
