package lockstep.landscape;

import java.time.Duration;
import java.util.Optional;

/**
 * One application and one database for a group of customers, or a database that exists already. Its name is unique in the landscape.
 *
 * @param tenantsExpireAfter how long a visitor's tenant may stay unused before it is deleted. Always set in the demo edition, never in
 *         others
 * @param reader whether the database has a second instance, which takes over when the first fails; by default in production accounts
 * @param postgres the version of Aurora PostgreSQL, such as 17.9. AWS never upgrades it by itself, so a shard can have it before others
 * @param database the database that exists already; Lockstep then runs no application either
 */
public record Shard(String name, Edition edition, Optional<Duration> tenantsExpireAfter, Optional<Boolean> reader, String postgres,
        Optional<ExistingDatabase> database) {
    /** The version that every shard has unless its line says otherwise. */
    static final String POSTGRES = "17.9";

    static final Duration TENANTS_EXPIRE_AFTER = Duration.ofDays(7);

    /** Uses the edition's default for {@code tenantsExpireAfter}. */
    public Shard(String name, Edition edition) {
        this(name, edition, edition == Edition.DEMO ? Optional.of(TENANTS_EXPIRE_AFTER) : Optional.empty(), Optional.empty(), POSTGRES,
                Optional.empty());
    }

    /** Uses the purpose's default for {@code reader}, and the default version. */
    public Shard(String name, Edition edition, Optional<Duration> tenantsExpireAfter) {
        this(name, edition, tenantsExpireAfter, Optional.empty(), POSTGRES, Optional.empty());
    }

    /** Whether Lockstep creates its database and runs the product on it. */
    public boolean runsProduct() {
        return database.isEmpty();
    }

    /** Whether the local cloud creates its database. */
    public boolean isCreatedLocally() {
        return database.flatMap(ExistingDatabase::localSchema).isPresent() || database.isEmpty();
    }
}
