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
 * Manages the schema and the initial data of the clinic's database. All methods are idempotent.
 * Connections must be those of the database's owner. Each seed runs in its own transaction and commits it.
 */
public final class ClinicDatabase {
    /** The export contains the first two tables. Drugs and interactions are generated, because no free lists of them exist. */
    private static final List<MasterTable> EXPORTED = List.of(MasterTable.DISEASE, MasterTable.POSTAL_CODE);
    private static final MasterDataGenerator DRUGS = new MasterDataGenerator(0, 0, 30_000, 60_000);
    /** A minute in total, because each attempt may take as long as its timeout. ECS gives up on container dependencies after three. */
    private static final int CONNECT_RETRIES = 6;
    private static final int CONNECT_RETRY_SECONDS = 10;
    private static final int COPY_BUFFER_BYTES = 1 << 16;

    private ClinicDatabase() {}

    /**
     * Applies pending migrations.
     *
     * @return the number of applied migrations
     */
    public static int migrate(String url, String owner, String password) {
        LogFactory.setLogLevel(LogLevel.WARN);
        try {
            return Flyway.configure(ClinicDatabase.class.getClassLoader())
                    .dataSource(url, owner, password)
                    .locations("classpath:db/migration")
                    // a paused Aurora cluster takes half a minute to resume
                    .connectRetries(CONNECT_RETRIES).connectRetriesInterval(CONNECT_RETRY_SECONDS)
                    .load().migrate().migrationsExecuted;
        } catch (FlywayException e) {
            throw new ClinicFault("could not migrate " + url + " as " + owner + ": " + rootMessage(e), e);
        }
    }

    /**
     * Creates the application's role or changes its password, and grants it exactly its privileges. The admin
     * must own the schema and be allowed to create roles.
     */
    public static void grantApplication(String url, String admin, String password, String application, String applicationPassword) {
        try (var connection = DriverManager.getConnection(url, admin, password)) {
            inTransaction(connection, "grant privileges to " + application, statement -> {
                String role = statement.enquoteIdentifier(application, true);
                try (var found = connection.prepareStatement("SELECT FROM pg_roles WHERE rolname = ?")) {
                    found.setString(1, application);
                    if (!found.executeQuery().next()) statement.execute("CREATE ROLE " + role + " LOGIN");
                }
                // sends a SCRAM verifier, so that the password reaches neither the server nor its log
                connection.unwrap(PGConnection.class).alterUserPassword(application, applicationPassword.toCharArray(), "scram-sha-256");
                statement.execute(resource("grant_application.sql").formatted(role));
                return 0;
            });
        } catch (SQLException e) {
            throw new ClinicFault("could not connect to " + url + " as " + admin + ": " + rootMessage(e), e);
        }
    }

    /**
     * Loads the real code lists and generated drugs, unless a master table already contains rows.
     *
     * @param export the directory that data/export.py wrote to
     * @return the number of rows loaded
     */
    public static long seedMaster(Connection connection, Path export) {
        for (MasterTable table : EXPORTED) {
            Path file = export.resolve(table.fileName());
            if (!Files.isReadable(file)) throw new ClinicFault("no readable file " + file + "; create it with data/export.py");
        }
        return seedMaster(connection, (table, out) -> {
            if (EXPORTED.contains(table)) {
                Files.copy(export.resolve(table.fileName()), out);
            } else {
                DRUGS.write(table, out);
            }
        });
    }

    /** Loads only generated rows, at any scale, unless a master table already contains rows. Returns the number of rows loaded. */
    public static long seedMaster(Connection connection, MasterDataGenerator generator) {
        return seedMaster(connection, generator::write);
    }

    private static long seedMaster(Connection connection, MasterRows rows) {
        return inTransaction(connection, "seed the master tables", statement -> {
            // a concurrent seed waits, and then finds the rows of this one
            statement.execute("LOCK TABLE master.disease IN SHARE ROW EXCLUSIVE MODE");
            for (MasterTable table : MasterTable.values()) {
                if (holdsRows(statement, table.qualifiedName())) return 0L;
            }
            long loaded = 0;
            for (MasterTable table : MasterTable.values()) {
                loaded += copy(connection, table, rows);
                if (table.hasIdentity()) {
                    String name = table.qualifiedName();
                    statement.execute("SELECT setval(pg_get_serial_sequence('" + name + "', 'id'), max(id)) FROM " + name);
                }
            }
            // without statistics, query plans for these tables would be guesses until autovacuum runs
            statement.execute(
                    Arrays.stream(MasterTable.values()).map(MasterTable::qualifiedName).collect(Collectors.joining(", ", "ANALYZE ", "")));
            return loaded;
        });
    }

    /**
     * Inserts the patients, encounters and prescriptions of a few visitors of the demo edition, unless patients
     * exist. They refer to master rows, so a target shard must have been synced first.
     *
     * @return the number of prescriptions inserted
     */
    public static long seedVisitors(Connection connection) {
        return inTransaction(connection, "seed the visitors", statement -> {
            statement.execute("LOCK TABLE tenant.patient IN SHARE ROW EXCLUSIVE MODE");
            if (holdsRows(statement, "tenant.patient")) return 0L;
            for (MasterTable table : List.of(MasterTable.DISEASE, MasterTable.POSTAL_CODE, MasterTable.DRUG)) {
                if (!holdsRows(statement, table.qualifiedName())) {
                    throw new ClinicFault(
                            "visitors' data refers to " + table.qualifiedName() + ", which is empty: seed or sync the master data first");
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
            if (copy.isActive()) copy.cancelCopy();
        }
    }

    private static boolean holdsRows(Statement statement, String table) throws SQLException {
        try (var result = statement.executeQuery("SELECT EXISTS (SELECT FROM " + table + ")")) {
            result.next();
            return result.getBoolean(1);
        }
    }

    /** A source of rows. Writes all rows of a table as COPY text and leaves the stream open. */
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
                if (!connection.isClosed()) connection.setAutoCommit(autoCommit);
            }
        } catch (SQLException | IOException | UncheckedIOException e) {
            throw new ClinicFault("could not " + what + ": " + rootMessage(e), e);
        }
    }

    private static void rollback(Connection connection, Exception cause) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            cause.addSuppressed(e); // a lost connection is rolled back by the server
        }
    }

    /** The message of the innermost cause that has one, which is usually the server's message without a library's prefix. */
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
