package lockstep.landscape;

import java.time.Duration;
import java.util.Optional;

/**
 * One application and one database for a group of customers. Its name is unique in the landscape.
 *
 * @param tenantsExpireAfter how long a visitor's tenant may stay unused before it is deleted. Always set in the demo edition, never in
 *         others
 */
public record Shard(String name, Edition edition, Optional<Duration> tenantsExpireAfter) {
    static final Duration TENANTS_EXPIRE_AFTER = Duration.ofDays(7);

    /** Uses the edition's default for {@code tenantsExpireAfter}. */
    public Shard(String name, Edition edition) {
        this(name, edition, edition == Edition.DEMO ? Optional.of(TENANTS_EXPIRE_AFTER) : Optional.empty());
    }
}
