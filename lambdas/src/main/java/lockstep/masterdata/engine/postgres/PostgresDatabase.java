package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import lockstep.masterdata.engine.Fault;

/** A shard's PostgreSQL server over TLS with its certificate and host name checked. */
public final class PostgresDatabase implements Database {
    /** First wait between two tries; it doubles: 3 seconds in all. The state machines try again after that. */
    private static final Duration FIRST_WAIT = Duration.ofSeconds(1);

    private static final int TRIES = 3;

    private final String url;
    private final Properties properties;

    /** What a secret of Secrets Manager tells of a database and a login to it. */
    public record Login(String host, int port, String dbname, String username, String password) {
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
        properties.setProperty("sslmode", "verify-full");
        properties.setProperty("sslfactory", TrustedTls.class.getName());
        properties.setProperty("ApplicationName", "lockstep");
        // Aurora that pauses when idle accepts a connection and answers when it has woken up: within half a minute or so.
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
        for (int attempt = 1; ; attempt++) {
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
