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

/** Tenants that visitors of the demo edition make, until they expire. */
public final class Visitors {
    /** @param suggestion what to try: absent where the master data is not in step yet */
    public record Arrival(Accounts.User user, Optional<InitialData.Suggestion> suggestion) {
    }

    public static final String USERNAME = "doctor";
    /** One expirer at a time, whatever the number of instances. */
    private static final long EXPIRER_LOCK = 0x10C5_7E90_0000_0001L;

    private final Database database;
    private final Passwords passwords;

    public Visitors(Database database, Passwords passwords) {
        this.database = database;
        this.passwords = passwords;
    }

    /** Makes a tenant with generated data and one user, who is {@link #USERNAME}; its name is made up, so it tells nothing of the visitor. */
    public Arrival add(String clinic, String fullName, String email, String password) {
        return add(clinic, fullName, email, password, ThreadLocalRandom.current().nextLong());
    }

    /** @param seed of the generated data */
    public Arrival add(String clinic, String fullName, String email, String password, long seed) {
        String hash = passwords.hash(password);
        String customer = passwords.words(2, 5);
        return database.of(customer, t -> {
            t.change("INSERT INTO tenant.customer (name, title) VALUES (?, ?)", customer, clinic);
            t.change("INSERT INTO tenant.activity (customer) VALUES (?)", customer);
            var suggestion = InitialData.enter(t, seed);
            var since = t.first("INSERT INTO tenant.account (username, full_name, email, password_hash) VALUES (?, ?, ?, ?) RETURNING now()",
                    row -> row.getObject(1, OffsetDateTime.class).toInstant(), USERNAME, fullName, email, hash).orElseThrow();
            return new Arrival(new Accounts.User(customer, clinic, USERNAME, fullName, since), suggestion);
        });
    }

    /**
     * Deletes every row of the tenants that nobody has used for so long, and inquiries as old of people who were not logged in.
     *
     * @return the names of the tenants deleted
     */
    public List<String> expire(Duration age) {
        String interval = age.toString();
        return database.ofNobody(t -> {
            if (!t.first("SELECT pg_try_advisory_xact_lock(?)", row -> row.getBoolean(1), EXPIRER_LOCK).orElseThrow()) {
                return List.<String>of();
            }
            t.change("DELETE FROM tenant.inquiry WHERE customer IS NULL AND created_at < now() - ?::interval", interval);
            return t.list("SELECT customer FROM tenant.activity WHERE last_active_at < now() - ?::interval ORDER BY last_active_at LIMIT 100", row -> row.getString(1), interval)
                    .stream().filter(customer -> database.of(customer, own -> delete(own, customer, interval))).toList();
        });
    }

    private static boolean delete(Transaction t, String customer, String interval) {
        // Locked and looked at again: who became active in between keeps everything, and who does from now on waits and finds nothing.
        var idle = t.first("SELECT 1 FROM tenant.activity WHERE customer = ? AND last_active_at < now() - ?::interval FOR UPDATE", _ -> true, customer, interval);
        if (idle.isEmpty()) {
            return false;
        }
        for (String table : List.of("accepted_interaction", "prescription", "encounter", "patient", "inquiry", "account")) {
            t.change("DELETE FROM tenant." + table + " WHERE customer = ?", customer);
        }
        t.change("DELETE FROM tenant.customer WHERE name = ?", customer);
        return true;
    }
}
