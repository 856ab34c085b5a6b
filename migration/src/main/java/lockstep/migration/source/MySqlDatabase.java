package lockstep.migration.source;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.postgres.PostgresDatabase.Login;
import lockstep.masterdata.engine.postgres.TrustedTls;

/** Connects to a MySQL server over TLS and verifies its certificate and host name, unless it runs on this machine. */
final class MySqlDatabase {
    private static final String STORE_PASSWORD = "certificates are public";
    private final String url;
    private final String name;
    private final Properties properties = new Properties();

    MySqlDatabase(Login login) {
        name = login.host() + ":" + login.port() + "/" + login.dbname();
        url = "jdbc:mysql://" + name;
        properties.setProperty("user", login.username());
        properties.setProperty("password", login.password());
        if (login.withoutTls()) {
            properties.setProperty("sslMode", "DISABLED");
            properties.setProperty("allowPublicKeyRetrieval", "true");
        } else {
            properties.setProperty("sslMode", "VERIFY_IDENTITY");
            properties.setProperty("trustCertificateKeyStoreUrl", authorities(login.sslrootcert()).toUri().toString());
            properties.setProperty("trustCertificateKeyStoreType", "PKCS12");
            properties.setProperty("trustCertificateKeyStorePassword", STORE_PASSWORD);
        }
        properties.setProperty("connectTimeout", "60000");
        properties.setProperty("tcpKeepAlive", "true");
        // values arrive as text, exactly as the server writes them
        properties.setProperty("useServerPrepStmts", "false");
        properties.setProperty("characterEncoding", "UTF-8");
        properties.setProperty("connectionTimeZone", "UTC");
        properties.setProperty("forceConnectionTimeZoneToSession", "true");
        properties.setProperty("zeroDateTimeBehavior", "CONVERT_TO_NULL");
    }

    String name() {
        return name;
    }

    /** Opens a connection whose settings do not depend on the server's defaults. */
    Connection connect() throws SQLException {
        var connection = DriverManager.getConnection(url, properties);
        try (var statement = connection.createStatement()) {
            statement.execute("SET SESSION sql_mode = 'NO_UNSIGNED_SUBTRACTION', time_zone = '+00:00', max_execution_time = 0, "
                    + "net_write_timeout = 28800, wait_timeout = 28800, sql_select_limit = DEFAULT, "
                    + "transaction_isolation = 'REPEATABLE-READ', character_set_results = utf8mb4");
        }
        return connection;
    }

    /** Converts an error of the server or of the connection. */
    Fault fault(SQLException e) {
        String state = e.getSQLState() == null ? "" : e.getSQLState();
        String what = "source " + name + ": " + e.getMessage();
        return switch (e.getErrorCode()) {
            // the table was altered or dropped since the snapshot
            case 1412, 1146, 1054 -> new Fault.SourceChanged(what + "; start again when the change of the schema is done", e);
            case 1044, 1045, 1142, 1143, 1227, 1410 -> new Fault.AccessRefused(what, e);
            case 1205, 1213 -> new Fault.Busy(what, e);
            // connections were lost or refused, or the server shuts down
            case 1040, 1053, 1077, 1317, 3168 -> new Fault.DatabaseUnavailable(what, e);
            default -> state.startsWith("08") || isOfConnection(e) ? new Fault.DatabaseUnavailable(what, e) : new Fault.Unexpected(what, e);
        };
    }

    /** While rows are streamed, the driver gives no SQLSTATE. */
    private static boolean isOfConnection(Throwable e) {
        return e instanceof IOException || e.getCause() != null && isOfConnection(e.getCause());
    }

    /** The driver reads certificates only from a file. */
    private static Path authorities(String pem) {
        try {
            KeyStore store = pem == null ? TrustedTls.authorities() : KeyStore.getInstance("PKCS12");
            if (pem != null) {
                store.load(null, null);
                var factory = CertificateFactory.getInstance("X.509");
                for (var certificate : factory.generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.UTF_8))))
                    store.setCertificateEntry("ca-" + store.size(), certificate);
            }
            Path file = Files.createTempFile("authorities", ".p12");
            file.toFile().deleteOnExit();
            try (OutputStream out = Files.newOutputStream(file)) {
                store.store(out, STORE_PASSWORD.toCharArray());
            }
            return file;
        } catch (GeneralSecurityException e) {
            throw new Fault.InvalidRequest("the CA certificate of the source can't be read: " + e.getMessage());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
