package lockstep.clinic;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import lockstep.clinic.store.DatabaseLogin;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A separate database on a real PostgreSQL server with TLS. Its owner is an admin that is not a superuser. */
final class TestingDatabase {
    private static final Path CERTIFICATE;
    private static final Path LOGS;
    private static final EmbeddedPostgres SERVER;
    private static final AtomicInteger DATABASES = new AtomicInteger();

    static {
        try {
            Path directory = Files.createTempDirectory("clinic-tls");
            CERTIFICATE = directory.resolve("server.crt");
            writeCertificate(CERTIFICATE, directory.resolve("server.key"));
            LOGS = directory.resolve("logs");
            SERVER = EmbeddedPostgres.builder().setServerConfig("fsync", "off").setServerConfig("max_connections", "300")
                    .setServerConfig("ssl", "on")
                    .setServerConfig("logging_collector", "on").setServerConfig("log_directory", LOGS.toString())
                    .setServerConfig("ssl_cert_file", CERTIFICATE.toString())
                    .setServerConfig("ssl_key_file", directory.resolve("server.key").toString()).start();
        } catch (Exception e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name = "clinic_" + DATABASES.incrementAndGet();

    TestingDatabase() {
        try (var connection = SERVER.getPostgresDatabase().getConnection(); var statement = connection.createStatement()) {
            statement.execute("CREATE ROLE " + admin().username() + " LOGIN CREATEROLE PASSWORD 'secret'");
            statement.execute("CREATE DATABASE " + name + " OWNER " + admin().username());
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The file of the CA that signed the server's certificate. */
    static Path authority() {
        return CERTIFICATE;
    }

    /** The server's log so far, for all databases. */
    static String serverLog() {
        try (var files = Files.list(LOGS)) {
            var text = new StringBuilder();
            for (Path file : files.toList()) text.append(Files.readString(file));
            return text.toString();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    DatabaseLogin admin() {
        return login(name + "_admin");
    }

    DatabaseLogin application() {
        return login(name + "_application");
    }

    DatabaseLogin login(String user) {
        return new DatabaseLogin("localhost", SERVER.getPort(), name, user, "secret");
    }

    TestingDatabase migrated() {
        String url = admin().url(Optional.of(CERTIFICATE));
        ClinicDatabase.migrate(url, admin().username(), admin().password());
        ClinicDatabase.grantApplication(url, admin().username(), admin().password(), application().username(), application().password());
        return this;
    }

    TestingDatabase seeded(MasterDataGenerator generator) {
        try (var connection = connect(admin())) {
            ClinicDatabase.seedMaster(connection, generator);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return this;
    }

    Connection connect(DatabaseLogin login) throws SQLException {
        return DriverManager.getConnection(login.url(Optional.of(CERTIFICATE)), login.username(), login.password());
    }

    /** Connects as the admin, who can see every row. */
    List<String> values(String sql) {
        return values(admin(), sql);
    }

    /** The first column of each row as text; empty for a statement without results. */
    List<String> values(DatabaseLogin login, String sql) {
        try (var connection = connect(login); var statement = connection.createStatement()) {
            var values = new ArrayList<String>();
            if (statement.execute(sql)) {
                for (var row = statement.getResultSet(); row.next();) {
                    values.add(row.getString(1));
                }
            }
            return values;
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    String value(String sql) {
        return values(sql).getFirst();
    }

    /** Runs a query as the server's superuser. */
    boolean isAnybodyWaitingForALock() {
        try (var connection = SERVER.getPostgresDatabase().getConnection();
                var query = connection.prepareStatement("SELECT FROM pg_stat_activity WHERE datname = ? AND wait_event_type = 'Lock'")) {
            query.setString(1, name);
            return query.executeQuery().next();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void writeCertificate(Path certificate, Path key) throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        var pair = generator.generateKeyPair();
        var subject = new X500Name("CN=localhost");
        var now = Instant.now();
        var builder = new JcaX509v3CertificateBuilder(subject, BigInteger.ONE, Date.from(now.minusSeconds(3600)),
                Date.from(now.plusSeconds(86_400)), subject, pair.getPublic());
        builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(new GeneralName(GeneralName.dNSName, "localhost")));
        write(certificate, "CERTIFICATE",
                builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate())).getEncoded());
        Files.createFile(key, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        write(key, "PRIVATE KEY", pair.getPrivate().getEncoded());
    }

    private static void write(Path file, String type, byte[] content) throws IOException {
        Files.writeString(file, "-----BEGIN " + type + "-----\n" + Base64.getMimeEncoder(64, new byte[]{'\n'}).encodeToString(content)
                + "\n-----END " + type + "-----\n");
    }
}
