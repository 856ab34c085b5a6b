package lockstep.clinic.demo;

import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import lockstep.clinic.store.Accounts;
import lockstep.clinic.store.Database;
import lockstep.clinic.store.Passwords;
import lockstep.clinic.store.Transaction;

/** The tenants that visitors of the demo edition create, until they expire. */
public final class Visitors {
    /** @param suggestion what to try; empty if the master data has not been synced yet */
    public record Arrival(Accounts.User user, Optional<InitialData.Suggestion> suggestion) {}

    public static final String USERNAME = "doctor";
    /** Advisory lock, so that only one instance at a time expires tenants. */
    private static final long EXPIRER_LOCK = 0x10C5_7E90_0000_0001L;

    private final Database database;
    private final Passwords passwords;

    public Visitors(Database database, Passwords passwords) {
        this.database = database;
        this.passwords = passwords;
    }

    /**
     * Creates a tenant with generated data and one user, {@link #USERNAME}. Its name is random, so it reveals nothing about the visitor.
     */
    public Arrival add(String clinic, String fullName, String email, String password) {
        return add(clinic, fullName, email, password, ThreadLocalRandom.current().nextLong());
    }

    /** @param seed the seed of the generated data */
    public Arrival add(String clinic, String fullName, String email, String password, long seed) {
        String hash = passwords.hash(password);
        String customer = passwords.words(2, 5);
        return database.of(customer, t -> {
            t.change("INSERT INTO tenant.customer (name, title) VALUES (?, ?)", customer, clinic);
            t.change("INSERT INTO tenant.activity (customer) VALUES (?)", customer);
            var suggestion = InitialData.enter(t, seed);
            var since = t
                    .first("INSERT INTO tenant.account (username, full_name, email, password_hash) VALUES (?, ?, ?, ?) RETURNING now()",
                            row -> row.getObject(1, OffsetDateTime.class).toInstant(), USERNAME, fullName, email, hash)
                    .orElseThrow();
            return new Arrival(new Accounts.User(customer, clinic, USERNAME, fullName, since), suggestion);
        });
    }

    /**
     * Deletes all rows of tenants that have been unused for this long, and equally old inquiries of people who were not logged in.
     *
     * @return the names of the deleted tenants
     */
    public List<String> expire(Duration age) {
        String interval = age.toString();
        return database.ofNobody(t -> {
            if (!t.first("SELECT pg_try_advisory_xact_lock(?)", row -> row.getBoolean(1), EXPIRER_LOCK).orElseThrow()) {
                return List.<String>of();
            }
            t.change("DELETE FROM tenant.inquiry WHERE customer IS NULL AND created_at < now() - ?::interval", interval);
            return t.list(
                    "SELECT customer FROM tenant.activity WHERE last_active_at < now() - ?::interval ORDER BY last_active_at LIMIT 100",
                    row -> row.getString(1), interval)
                    .stream().filter(customer -> database.of(customer, own -> delete(own, customer, interval))).toList();
        });
    }

    private static boolean delete(Transaction t, String customer, String interval) {
        // Lock and check again: a tenant that became active in between is kept; a later request waits, and then finds nothing.
        var idle = t.first("SELECT 1 FROM tenant.activity WHERE customer = ? AND last_active_at < now() - ?::interval FOR UPDATE",
                _ -> true, customer, interval);
        if (idle.isEmpty()) return false;
        for (String table : List.of("accepted_interaction", "prescription", "encounter", "patient", "inquiry", "account")) {
            t.change("DELETE FROM tenant." + table + " WHERE customer = ?", customer);
        }
        t.change("DELETE FROM tenant.customer WHERE name = ?", customer);
        return true;
    }
}
