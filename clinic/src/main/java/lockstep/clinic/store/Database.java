package lockstep.clinic.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/** Transactions in the shard's database, as the application's user: which rows each can see follows from whose it is. */
public final class Database implements AutoCloseable {
    private static final int CONNECTIONS = 8;
    /** Of who asks for a page. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private final HikariDataSource pool;

    /** Does not wait for the database: what needs it fails until it is there. */
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

    /** Runs the work where only the rows of this customer can be seen or made. */
    public <T> T of(String customer, Function<Transaction, T> work) {
        return run(customer, work);
    }

    /** Runs the work where no customer's rows can be seen or made. */
    public <T> T ofNobody(Function<Transaction, T> work) {
        return run("", work);
    }

    /** Whether the database answers. */
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
