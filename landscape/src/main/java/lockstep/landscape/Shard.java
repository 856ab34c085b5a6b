package lockstep.landscape;

import java.time.Duration;
import java.util.Optional;

/**
 * One application and one database for a group of customers. The name is unique in the landscape.
 *
 * @param tenantsExpireAfter how long a visitor's tenant stays unused before it is deleted; always and only in the demo edition
 */
public record Shard(String name, Edition edition, Optional<Duration> tenantsExpireAfter) {
    static final Duration TENANTS_EXPIRE_AFTER = Duration.ofDays(7);

    /** With the default of the edition. */
    public Shard(String name, Edition edition) {
        this(name, edition, edition == Edition.DEMO ? Optional.of(TENANTS_EXPIRE_AFTER) : Optional.empty());
    }
}
