package lockstep.clinic.store;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;

/** The user accounts of customers. */
public final class Accounts {
    /**
     * A user who is logged in. {@code since} is the login time by the database's clock, with which {@link #resume} detects ended sessions.
     */
    public record User(String customer, String clinic, String username, String fullName, Instant since) {}

    private record Try(String hash, String clinic, String fullName, Instant at) {}

    private final Database database;
    private final Passwords passwords;

    public Accounts(Database database, Passwords passwords) {
        this.database = database;
        this.passwords = passwords;
    }

    /**
     * Logs a user in. Empty if customer, user or password is wrong, and for some minutes after five failures of one user. Neither
     * the result nor the response time reveals which of these is the case.
     */
    public Optional<User> login(String customer, String username, String password) {
        // counts the attempt before checking the password, so that concurrent attempts can't bypass the limit
        var counted = database.of(customer, t -> t.first("count_try",
                row -> new Try(row.getString(1), row.getString(2), row.getString(3), row.getObject(4, OffsetDateTime.class).toInstant()),
                username));
        if (counted.isEmpty()) {
            passwords.pretend(password);
            return Optional.empty();
        }
        return counted.filter(it -> passwords.matches(password, it.hash())).map(it -> {
            database.of(customer, t -> {
                t.change("UPDATE tenant.activity SET last_active_at = now() WHERE customer = ?", customer);
                return t.change("UPDATE tenant.account SET tries = 0 WHERE username = ?", username);
            });
            return new User(customer, it.clinic(), username, it.fullName(), it.at());
        });
    }

    /** The user of a session that began at the given time. Empty if the session has been ended or the account no longer exists. */
    public Optional<User> resume(String customer, String username, Instant since) {
        return database.of(customer, t -> {
            t.change(
                    "UPDATE tenant.activity SET last_active_at = now() WHERE customer = ? AND last_active_at < now() - interval '1 minute'",
                    customer);
            return t.first("resume", row -> new User(customer, row.getString(1), username, row.getString(2), since), username,
                    OffsetDateTime.ofInstant(since, ZoneOffset.UTC));
        });
    }

    /** Ends every session of the user. */
    public void logout(User user) {
        database.of(user.customer(), t -> t.change("UPDATE tenant.account SET sessions_from = now() WHERE username = ?", user.username()));
    }

    /** Creates the customer if it does not exist, and in it a user, or changes that user's password. */
    public void put(String customer, String clinic, String username, String fullName, String password) {
        String hash = passwords.hash(password);
        database.of(customer, t -> {
            t.change("INSERT INTO tenant.customer (name, title) VALUES (?, ?) ON CONFLICT DO NOTHING", customer, clinic);
            return t.change("put_account", username, fullName, hash);
        });
    }
}
