package lockstep.clinic.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/** Runs transactions in the shard's database as the application's user. Each transaction sees only the rows of its customer. */
public final class Database implements AutoCloseable {
    private static final int CONNECTIONS = 8;
    /** The default of page requests. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private final HikariDataSource pool;

    /** Does not wait for the database. Queries fail until it is available. */
    public Database(DatabaseLogin login, Optional<Path> authority) {
        this(login, authority, PATIENCE);
    }

    /** @param patience how long work waits for a connection before it fails */
    public Database(DatabaseLogin login, Optional<Path> authority, Duration patience) {
        var configuration = new HikariConfig();
        configuration.setJdbcUrl(login.url(authority));
        configuration.setUsername(login.username());
        configuration.setPassword(login.password());
        configuration.addDataSourceProperty("ApplicationName", "clinic");
        configuration.addDataSourceProperty("options", "-c statement_timeout=10s -c idle_in_transaction_session_timeout=30s");
        configuration.setAutoCommit(false);
        configuration.setMaximumPoolSize(CONNECTIONS);
        configuration.setMinimumIdle(1);
        configuration.setConnectionTimeout(patience.toMillis());
        configuration.setInitializationFailTimeout(-1);
        pool = new HikariDataSource(configuration);
    }

    /** Runs the work in a transaction that can read and write only this customer's rows. */
    public <T> T of(String customer, Function<Transaction, T> work) {
        return run(customer, work);
    }

    /** Runs the work in a transaction that can't read or write any customer's rows. */
    public <T> T ofNobody(Function<Transaction, T> work) {
        return run("", work);
    }

    /** Whether the database responds. */
    public boolean answers() {
        try (var connection = pool.getConnection()) {
            return connection.isValid(2);
        } catch (SQLException e) {
            return false;
        }
    }

    private <T> T run(String customer, Function<Transaction, T> work) {
        try (var connection = pool.getConnection()) {
            try {
                var transaction = new Transaction(connection);
                transaction.become(customer);
                T result = work.apply(transaction);
                connection.commit();
                return result;
            } catch (SQLException | RuntimeException e) {
                connection.rollback();
                throw e;
            }
        } catch (SQLException e) {
            throw new StoreFault(e);
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
