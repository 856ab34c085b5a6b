package lockstep.masterdata.engine;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Faults;
import lockstep.masterdata.engine.postgres.SessionSettings;
import lockstep.masterdata.engine.postgres.Sql;

/** A real PostgreSQL server for the tests of this JVM, which creates a separate database for each caller. */
final class TestingServer {
    private static final EmbeddedPostgres SERVER = start();
    private static final AtomicInteger DATABASES = new AtomicInteger();

    private TestingServer() {}

    private static EmbeddedPostgres start() {
        try {
            return EmbeddedPostgres.builder().setServerConfig("fsync", "off").setServerConfig("full_page_writes", "off")
                    .setServerConfig("wal_level", "minimal").setServerConfig("max_wal_senders", "0")
                    .setServerConfig("max_wal_size", "8GB").setServerConfig("checkpoint_timeout", "1h")
                    .setServerConfig("max_connections", "200").start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Creates an empty database, with connections as its superuser. */
    static TestingDatabase database() {
        String name = "test_" + DATABASES.incrementAndGet();
        new TestingDatabase(SERVER.getPort(), "postgres", "postgres").execute("CREATE DATABASE " + name);
        return new TestingDatabase(SERVER.getPort(), name, "postgres");
    }

    /** @param port the port of a server on this machine, or of a {@link TestingWire} in front of one */
    record TestingDatabase(int port, String name, String user) implements Database {
        @Override
        public Connection connect() {
            try {
                var connection = DriverManager.getConnection(
                        "jdbc:postgresql://127.0.0.1:" + port + "/" + name + "?sslmode=disable&gssEncMode=disable", user, "secret");
                SessionSettings.apply(connection);
                return connection;
            } catch (SQLException e) {
                throw Faults.of(e, name);
            }
        }

        TestingDatabase as(String otherUser) {
            return new TestingDatabase(port, name, otherUser);
        }

        TestingDatabase through(TestingWire wire) {
            return new TestingDatabase(wire.port(), name, user);
        }

        void execute(String... statements) {
            run(connection -> {
                for (String sql : statements) Sql.execute(connection, sql);
                return null;
            });
        }

        /** Returns the single value of a query as text. */
        String value(String query) {
            return run(connection -> {
                try (var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
                    return row.next() ? row.getString(1) : null;
                }
            });
        }
    }
}
