package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import java.util.Set;
import lockstep.masterdata.engine.Fault;
import org.postgresql.ssl.SingleCertValidatingFactory;

/** Connects to a shard's PostgreSQL server over TLS and verifies its certificate and host name, unless it runs on this machine. */
public final class PostgresDatabase implements Database {
    /** The first wait between two attempts. It doubles, so three attempts wait 3 seconds in all. After that the state machine retries. */
    private static final Duration FIRST_WAIT = Duration.ofSeconds(1);

    private static final int TRIES = 3;
    /** Only these hosts may be reached without TLS. */
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1");

    private final String url;
    private final Properties properties;

    /**
     * A login to a database, as a secret in Secrets Manager describes it. The names of all components are those of RDS and libpq.
     *
     * @param sslmode     {@code disable} for a server on this machine; null otherwise
     * @param sslrootcert the CA certificate of the server, as PEM; if null, Amazon's and public authorities are trusted
     */
    public record Login(String host, int port, String dbname, String username, String password, String sslmode, String sslrootcert) {
        /** Connects over TLS to a server with a certificate of Amazon's or a public authority. */
        public Login(String host, int port, String dbname, String username, String password) {
            this(host, port, dbname, username, password, null, null);
        }

        /** Whether the server is reached without TLS, which only one on this machine may be. */
        public boolean withoutTls() {
            return "disable".equals(sslmode) && LOOPBACK.contains(host);
        }

        @Override
        public String toString() {
            return username + "@" + host + ":" + port + "/" + dbname;
        }
    }

    public PostgresDatabase(Login login) {
        url = "jdbc:postgresql://" + login.host() + ":" + login.port() + "/" + login.dbname();
        properties = new Properties();
        properties.setProperty("user", login.username());
        properties.setProperty("password", login.password());
        if (login.withoutTls()) {
            properties.setProperty("sslmode", "disable");
        } else {
            properties.setProperty("sslmode", "verify-full");
            properties.setProperty("sslfactory",
                    (login.sslrootcert() == null ? TrustedTls.class : SingleCertValidatingFactory.class).getName());
            if (login.sslrootcert() != null) properties.setProperty("sslfactoryarg", login.sslrootcert());
        }
        properties.setProperty("ApplicationName", "lockstep");
        // A paused Aurora cluster accepts a connection at once but answers only after it has resumed, in about half a minute.
        properties.setProperty("connectTimeout", "60");
        properties.setProperty("sslResponseTimeout", "60000");
        properties.setProperty("tcpKeepAlive", "true");
    }

    @Override
    public String name() {
        return url.substring("jdbc:postgresql://".length());
    }

    @Override
    public Connection connect() {
        Duration wait = FIRST_WAIT;
        for (int attempt = 1;; attempt++) {
            try {
                Connection connection = DriverManager.getConnection(url, properties);
                SessionSettings.apply(connection);
                return connection;
            } catch (SQLException e) {
                Fault fault = Faults.of(e, name());
                if (!(fault instanceof Fault.Transient) || attempt == TRIES) throw fault;
                sleep(wait);
                wait = wait.multipliedBy(2);
            }
        }
    }

    private static void sleep(Duration wait) {
        try {
            Thread.sleep(wait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Fault.DatabaseUnavailable("interrupted while waiting for the database", e);
        }
    }
}
