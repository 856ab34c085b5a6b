package lockstep.clinic.store;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;

/** Who may log in to which customer's rows. */
public final class Accounts {
    /** A person who is logged in. {@code since} is the database's time of the login, by which {@link #resume} knows what was ended. */
    public record User(String customer, String clinic, String username, String fullName, Instant since) {
    }

    private record Try(String hash, String clinic, String fullName, Instant at) {
    }

    private final Database database;
    private final Passwords passwords;

    public Accounts(Database database, Passwords passwords) {
        this.database = database;
        this.passwords = passwords;
    }

    /**
     * Empty when customer, user or password is wrong, and for some minutes after five failures of one user: which of these
     * it is can be told neither from the answer nor from the time it takes.
     */
    public Optional<User> login(String customer, String username, String password) {
        // counted before the password is looked at, so that many tries at once are no way round
        var counted = database.of(customer, t -> t.first("count_try", row -> new Try(row.getString(1), row.getString(2), row.getString(3), row.getObject(4, OffsetDateTime.class).toInstant()), username));
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

    /** The person of a session that began at the given time, unless it was ended since, or the account is gone. */
    public Optional<User> resume(String customer, String username, Instant since) {
        return database.of(customer, t -> {
            t.change("UPDATE tenant.activity SET last_active_at = now() WHERE customer = ? AND last_active_at < now() - interval '1 minute'", customer);
            return t.first("resume", row -> new User(customer, row.getString(1), username, row.getString(2), since), username, OffsetDateTime.ofInstant(since, ZoneOffset.UTC));
        });
    }

    /** Ends every session of the user. */
    public void logout(User user) {
        database.of(user.customer(), t -> t.change("UPDATE tenant.account SET sessions_from = now() WHERE username = ?", user.username()));
    }

    /** Makes a customer unless there is one, and in it a user, or gives that user a new password. */
    public void put(String customer, String clinic, String username, String fullName, String password) {
        String hash = passwords.hash(password);
        database.of(customer, t -> {
            t.change("INSERT INTO tenant.customer (name, title) VALUES (?, ?) ON CONFLICT DO NOTHING", customer, clinic);
            return t.change("put_account", username, fullName, hash);
        });
    }
}
