package lockstep.clinic;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.logging.LogFactory;
import org.flywaydb.core.api.logging.LogLevel;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.PGCopyOutputStream;

/**
 * Schema and data of the clinic's database. Every method may be repeated: what is done already is left alone.
 * Connections are those of the database's owner. A seed is one transaction of its own, with the commit at its end.
 */
public final class ClinicDatabase {
    /** The export holds the first two tables; drugs and interactions, of which there is no free list, are generated. */
    private static final List<MasterTable> EXPORTED = List.of(MasterTable.DISEASE, MasterTable.POSTAL_CODE);
    private static final MasterDataGenerator DRUGS = new MasterDataGenerator(0, 0, 30_000, 60_000);
    /** Together a minute, for each attempt may take as long as its time-out; ECS gives up a container that others wait for after three. */
    private static final int CONNECT_RETRIES = 6;
    private static final int CONNECT_RETRY_SECONDS = 10;
    private static final int COPY_BUFFER_BYTES = 1 << 16;

    private ClinicDatabase() {
    }

    /**
     * Applies the migrations that the database lacks.
     *
     * @return how many were applied
     */
    public static int migrate(String url, String owner, String password) {
        LogFactory.setLogLevel(LogLevel.WARN);
        try {
            return Flyway.configure(ClinicDatabase.class.getClassLoader())
                    .dataSource(url, owner, password)
                    .locations("classpath:db/migration")
                    // a paused Aurora takes half a minute to wake up
                    .connectRetries(CONNECT_RETRIES).connectRetriesInterval(CONNECT_RETRY_SECONDS)
                    .load().migrate().migrationsExecuted;
        } catch (FlywayException e) {
            throw new ClinicFault("could not migrate " + url + " as " + owner + ": " + rootMessage(e), e);
        }
    }

    /**
     * Makes the application's role, or gives it this password, and grants it what it may do and nothing else. The admin
     * must own the schema and be allowed to create roles.
     */
    public static void grantApplication(String url, String admin, String password, String application, String applicationPassword) {
        try (var connection = DriverManager.getConnection(url, admin, password)) {
            inTransaction(connection, "grant " + application + " its rights", statement -> {
                String role = statement.enquoteIdentifier(application, true);
                try (var found = connection.prepareStatement("SELECT FROM pg_roles WHERE rolname = ?")) {
                    found.setString(1, application);
                    if (!found.executeQuery().next()) {
                        statement.execute("CREATE ROLE " + role + " LOGIN");
                    }
                }
                // sends a SCRAM verifier: the password itself reaches neither the server nor its log
                connection.unwrap(PGConnection.class).alterUserPassword(application, applicationPassword.toCharArray(), "scram-sha-256");
                statement.execute(resource("grant_application.sql").formatted(role));
                return 0;
            });
        } catch (SQLException e) {
            throw new ClinicFault("could not connect to " + url + " as " + admin + ": " + rootMessage(e), e);
        }
    }

    /**
     * Loads the real code lists, and generated drugs, unless a master table holds rows already.
     *
     * @param export the directory that clinic/data/export.py wrote to
     * @return the number of rows loaded
     */
    public static long seedMaster(Connection connection, Path export) {
        for (MasterTable table : EXPORTED) {
            Path file = export.resolve(table.fileName());
            if (!Files.isReadable(file)) {
                throw new ClinicFault("no readable file " + file + "; clinic/data/export.py writes it");
            }
        }
        return seedMaster(connection, (table, out) -> {
            if (EXPORTED.contains(table)) {
                Files.copy(export.resolve(table.fileName()), out);
            } else {
                DRUGS.write(table, out);
            }
        });
    }

    /** Loads generated rows alone, at any scale, unless a master table holds rows already; answers the number loaded. */
    public static long seedMaster(Connection connection, MasterDataGenerator generator) {
        return seedMaster(connection, generator::write);
    }

    private static long seedMaster(Connection connection, MasterRows rows) {
        return inTransaction(connection, "seed the master tables", statement -> {
            // two seeds at once: the second waits, and then finds the rows of the first
            statement.execute("LOCK TABLE master.disease IN SHARE ROW EXCLUSIVE MODE");
            for (MasterTable table : MasterTable.values()) {
                if (holdsRows(statement, table.qualifiedName())) {
                    return 0L;
                }
            }
            long loaded = 0;
            for (MasterTable table : MasterTable.values()) {
                loaded += copy(connection, table, rows);
                if (table.hasIdentity()) {
                    String name = table.qualifiedName();
                    statement.execute("SELECT setval(pg_get_serial_sequence('" + name + "', 'id'), max(id)) FROM " + name);
                }
            }
            // without statistics the first plans on these tables would be guesses until autovacuum comes by
            statement.execute(Arrays.stream(MasterTable.values()).map(MasterTable::qualifiedName).collect(Collectors.joining(", ", "ANALYZE ", "")));
            return loaded;
        });
    }

    /**
     * Enters the patients, encounters and prescriptions of a few visitors of the demo edition, unless there are
     * patients already. They refer to master rows, so a target shard must have been synced before.
     *
     * @return the number of prescriptions entered
     */
    public static long seedVisitors(Connection connection) {
        return inTransaction(connection, "seed the visitors", statement -> {
            statement.execute("LOCK TABLE tenant.patient IN SHARE ROW EXCLUSIVE MODE");
            if (holdsRows(statement, "tenant.patient")) {
                return 0L;
            }
            for (MasterTable table : List.of(MasterTable.DISEASE, MasterTable.POSTAL_CODE, MasterTable.DRUG)) {
                if (!holdsRows(statement, table.qualifiedName())) {
                    throw new ClinicFault("visitors refer to " + table.qualifiedName() + ", which is empty: seed or sync the master data first");
                }
            }
            return (long) statement.executeUpdate(resource("seed_visitors.sql"));
        });
    }

    private static long copy(Connection connection, MasterTable table, MasterRows rows) throws SQLException, IOException {
        CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(table.copyIn());
        try {
            var out = new PGCopyOutputStream(copy, COPY_BUFFER_BYTES);
            rows.write(table, out);
            out.flush();
            return copy.endCopy();
        } finally {
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        }
    }

    private static boolean holdsRows(Statement statement, String table) throws SQLException {
        try (var result = statement.executeQuery("SELECT EXISTS (SELECT FROM " + table + ")")) {
            result.next();
            return result.getBoolean(1);
        }
    }

    /** Where rows come from: writes all of a table as COPY text and leaves the stream open. */
    private interface MasterRows {
        void write(MasterTable table, OutputStream out) throws IOException;
    }

    private interface Work {
        long run(Statement statement) throws SQLException, IOException;
    }

    private static long inTransaction(Connection connection, String what, Work work) {
        try {
            boolean autoCommit = connection.getAutoCommit();
            connection.setAutoCommit(false);
            try (var statement = connection.createStatement()) {
                long result = work.run(statement);
                connection.commit();
                return result;
            } catch (SQLException | IOException | RuntimeException e) {
                rollback(connection, e);
                throw e;
            } finally {
                if (!connection.isClosed()) {
                    connection.setAutoCommit(autoCommit);
                }
            }
        } catch (SQLException | IOException | UncheckedIOException e) {
            throw new ClinicFault("could not " + what + ": " + rootMessage(e), e);
        }
    }

    private static void rollback(Connection connection, Exception cause) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            cause.addSuppressed(e); // a lost connection has rolled back by itself
        }
    }

    /** The message of the innermost cause that has one: the server's own words rather than a library's frame around them. */
    private static String rootMessage(Throwable fault) {
        String message = fault.getMessage();
        for (Throwable cause = fault.getCause(); cause != null; cause = cause.getCause()) {
            message = cause.getMessage() == null ? message : cause.getMessage();
        }
        return message;
    }

    private static String resource(String name) {
        try (InputStream in = ClinicDatabase.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
