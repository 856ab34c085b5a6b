package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.landscape.TableName;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.Schema.Numbering;
import lockstep.masterdata.engine.postgres.Schema.Reference;
import org.postgresql.PGConnection;

/**
 * Creates the two logins that Lockstep uses in a shard and grants them the least privileges: the reader may SELECT the
 * allowed columns; the writer may also change them, and read the columns of foreign keys that refer to these tables.
 * It can be run repeatedly; run it after each migration of the product.
 */
public final class DatabaseRoles {
    private final Database database;

    /** @param database connects as the shard's administrator, who owns the product's tables */
    public DatabaseRoles(Database database) {
        this.database = database;
    }

    public void prepare(Login reader, Login writer, List<DataSet> dataSets) {
        database.transaction(connection -> {
            login(connection, reader);
            login(connection, writer);
            refuseRelationsOwnedByWorkers(connection, reader, writer);
            Sql.execute(connection, Sql.named("state"));
            Sql.execute(connection, Sql.named("lay_aside"));
            Sql.execute(connection, "DELETE FROM lockstep.prepared_table");
            for (Login login : List.of(reader, writer)) {
                Sql.execute(connection, "GRANT USAGE ON SCHEMA lockstep TO " + Sql.identifier(login.username()));
                Sql.execute(connection,
                        "GRANT SELECT ON lockstep.sync, lockstep.staged_part, lockstep.applied, lockstep.applied_history, "
                                + "lockstep.applied_table, lockstep.kept_row TO "
                                + Sql.identifier(login.username()));
                Sql.execute(connection,
                        "GRANT EXECUTE ON FUNCTION lockstep.unreported_sessions TO " + Sql.identifier(login.username()));
            }
            String user = Sql.identifier(writer.username());
            Sql.execute(connection, "GRANT CREATE ON SCHEMA lockstep TO " + user);
            Sql.execute(connection,
                    "GRANT INSERT, UPDATE, DELETE ON lockstep.sync, lockstep.staged_part, lockstep.applied, lockstep.applied_history, "
                            + "lockstep.applied_table, lockstep.kept_row TO "
                            + user);
            Sql.execute(connection,
                    "GRANT EXECUTE ON FUNCTION lockstep.lay_keys_aside, lockstep.lay_triggers_aside, lockstep.put_back TO " + user);
            revokeAll(connection, reader, writer);
            for (DataSet dataSet : dataSets) grant(connection, dataSet, reader, writer);
            return null;
        });
    }

    /**
     * Refuses relations in Lockstep's schema, other than staging tables, that the logins own. The writer may create tables there, so it
     * could create one under the name of a table of Lockstep, whose rows would then be trusted.
     */
    private static void refuseRelationsOwnedByWorkers(Connection connection, Login reader, Login writer) throws SQLException {
        try (var query = connection
                .prepareStatement("SELECT string_agg(relname, ', ') FROM pg_class WHERE relnamespace = to_regnamespace('lockstep')"
                        + " AND relkind NOT IN ('i', 't', 'c') AND relname NOT LIKE 'staging\\_%'"
                        + " AND pg_get_userbyid(relowner) IN (?, ?)")) {
            query.setString(1, reader.username());
            query.setString(2, writer.username());
            try (var row = query.executeQuery()) {
                row.next();
                if (row.getString(1) != null)
                    throw new Fault.AccessRefused(
                            "schema lockstep contains relations that the sync's logins created but must not own: " + row.getString(1)
                                    + ". Find out why, drop them, and invoke prepare-database again; nothing was changed",
                            null);
            }
        }
    }

    private static void login(Connection connection, Login login) throws SQLException {
        boolean exists;
        try (var query = connection.prepareStatement("SELECT FROM pg_roles WHERE rolname = ?")) {
            query.setString(1, login.username());
            exists = query.executeQuery().next();
        }
        if (!exists) Sql.execute(connection, "CREATE ROLE " + Sql.identifier(login.username()) + " LOGIN");
        // sends a SCRAM verifier: the password itself never reaches the server or its log
        connection.unwrap(PGConnection.class).alterUserPassword(login.username(), login.password().toCharArray(), "scram-sha-256");
    }

    /** Revokes earlier grants, so that tables and columns that left the allow-list are no longer accessible. */
    private static void revokeAll(Connection connection, Login reader, Login writer) throws SQLException {
        var granted = new ArrayList<String>();
        try (var query = connection.prepareStatement(Sql.named("granted"))) {
            query.setString(1, reader.username());
            query.setString(2, writer.username());
            try (var row = query.executeQuery()) {
                while (row.next()) granted.add(row.getString(1));
            }
        }
        for (String object : granted) Sql.execute(connection,
                "REVOKE ALL ON " + object + " FROM " + Sql.identifier(reader.username()) + ", " + Sql.identifier(writer.username()));
    }

    private static void grant(Connection connection, DataSet dataSet, Login reader, Login writer) throws SQLException {
        var names = dataSet.tables().stream().map(Table::name).toList();
        var missing = new ArrayList<String>();
        var tables = Schema.tables(connection, names);
        for (Table table : dataSet.tables()) {
            var columns = tables.get(table.name()).columns().keySet();
            if (columns.isEmpty()) missing.add("table " + table.name());
            else table.columns().stream().filter(c -> !columns.contains(c)).forEach(c -> missing.add("column " + table.name() + "." + c));
        }
        if (!missing.isEmpty())
            throw new Fault.SchemaMismatch(
                    "the database lacks tables or columns of data set '" + dataSet.name() + "': " + String.join(", ", missing)
                            + ". Migrate the shard first, or fix lockstep.yaml");
        for (Table table : dataSet.tables()) {
            recordPreparedTable(connection, dataSet, table);
            for (Login login : List.of(reader, writer)) {
                grantSchema(connection, table.name(), login);
                Sql.execute(connection, "GRANT SELECT (" + Sql.columns("", table.columns()) + ") ON " + Sql.table(table.name()) + " TO "
                        + Sql.identifier(login.username()));
            }
            String columns = Sql.columns("", table.columns());
            Sql.execute(connection, "GRANT INSERT (" + columns + "), UPDATE (" + columns + "), DELETE ON " + Sql.table(table.name())
                    + " TO " + Sql.identifier(writer.username()));
        }
        for (Numbering numbering : Schema.numberings(connection, names))
            Sql.execute(connection,
                    "GRANT SELECT, UPDATE ON SEQUENCE " + Sql.table(numbering.sequence()) + " TO " + Sql.identifier(writer.username()));
        var references = Schema.referencesTo(connection, names);
        for (Reference reference : references) {
            grantSchema(connection, reference.child(), writer);
            select(connection, reference.child(), reference.childColumns(), writer);
            select(connection, reference.parent(), reference.parentColumns(), writer);
        }
        var children = references.stream().map(Reference::child).filter(child -> !names.contains(child)).distinct().toList();
        for (String child : children) policy(connection, child, writer, "FOR SELECT", "USING (true)");
        for (String name : names) {
            policy(connection, name, reader, "FOR SELECT", "USING (true)");
            policy(connection, name, writer, "", "USING (true) WITH CHECK (true)");
        }
        grantTypeSchemas(connection, Stream.concat(names.stream(), children.stream()).toList(), reader, writer);
    }

    /** Grants USAGE on the schemas of types and operators that the tables use, for example those of an extension. */
    private static void grantTypeSchemas(Connection connection, List<String> tables, Login reader, Login writer) throws SQLException {
        var missing = new ArrayList<String>();
        try (var query = Schema.query(connection, "schemas_used", tables); var row = query.executeQuery()) {
            while (row.next()) {
                for (Login login : List.of(reader, writer)) {
                    String grant = "GRANT USAGE ON SCHEMA " + Sql.identifier(row.getString(1)) + " TO " + Sql.identifier(login.username());
                    if (hasUsage(connection, login, row.getString(1))) continue;
                    if (row.getBoolean(3)) Sql.execute(connection, grant);
                    else missing.add(grant + "; -- as " + row.getString(2) + ", its owner");
                }
            }
        }
        if (!missing.isEmpty())
            throw new Fault.AccessRefused(
                    "types or operators of the data set's tables are in schemas that this administrator does not own. Run these "
                            + "statements, then invoke prepare-database again:\n"
                            + String.join("\n", missing),
                    null);
    }

    private static boolean hasUsage(Connection connection, Login login, String schema) throws SQLException {
        try (var query = connection.prepareStatement("SELECT has_schema_privilege(?, ?, 'USAGE')")) {
            query.setString(1, login.username());
            query.setString(2, schema);
            try (var row = query.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    private static void recordPreparedTable(Connection connection, DataSet dataSet, Table table) throws SQLException {
        try (var insert = connection
                .prepareStatement("INSERT INTO lockstep.prepared_table (data_set, table_name, triggers) VALUES (?, ?, ?)")) {
            insert.setString(1, dataSet.name());
            insert.setString(2, table.name());
            insert.setString(3, dataSet.triggers().name());
            insert.executeUpdate();
        }
    }

    private static void grantSchema(Connection connection, String table, Login login) throws SQLException {
        Sql.execute(connection,
                "GRANT USAGE ON SCHEMA " + Sql.identifier(TableName.parse(table).schema()) + " TO " + Sql.identifier(login.username()));
    }

    /**
     * Creates a policy that lets a login see every row of a table with row-level security. A hidden row would be treated as deleted, or a
     * reference from it would be missed. A table without row-level security needs no policy.
     */
    private static void policy(Connection connection, String table, Login login, String command, String condition) throws SQLException {
        boolean secured;
        boolean exists;
        try (var query = connection.prepareStatement(
                "SELECT c.relrowsecurity, EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = ?) FROM pg_class c "
                        + "WHERE c.oid = ?::regclass")) {
            query.setString(1, login.username());
            query.setString(2, Sql.table(table));
            try (var row = query.executeQuery()) {
                row.next();
                secured = row.getBoolean(1);
                exists = row.getBoolean(2);
            }
        }
        if (exists) Sql.execute(connection, "DROP POLICY " + Sql.identifier(login.username()) + " ON " + Sql.table(table));
        if (secured) Sql.execute(connection, "CREATE POLICY " + Sql.identifier(login.username()) + " ON " + Sql.table(table) + " " + command
                + " TO " + Sql.identifier(login.username()) + " " + condition);
    }

    private static void select(Connection connection, String table, List<String> columns, Login login) throws SQLException {
        Sql.execute(connection,
                "GRANT SELECT (" + columns.stream().map(Sql::identifier).collect(Collectors.joining(", ")) + ") ON " + Sql.table(table)
                        + " TO " + Sql.identifier(login.username()));
    }
}
