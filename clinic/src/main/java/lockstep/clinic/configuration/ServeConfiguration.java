package lockstep.clinic.configuration;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import lockstep.clinic.store.DatabaseLogin;

/**
 * @param port               where browsers' requests come in, over TLS; 0: any that is free
 * @param healthPort         for the container's own health check: plain, loopback only; 0: any that is free
 * @param drainDelay         how long everything is answered after SIGTERM, for clients that have not heard of it
 * @param databaseAuthority  the certificate of the database's authority; without one its certificate is not verified
 * @param tenantsExpireAfter how long a visitor's tenant stays after its last use; zero where tenants do not expire
 * @param inquiryTopic       the topic by which sales is told of inquiries
 * @param endpoint           of AWS, where it is not the public one
 */
public record ServeConfiguration(Edition edition, String shard, String release, String listenAddress, int port, int healthPort, Duration drainDelay, DatabaseLogin database,
        Optional<Path> databaseAuthority, byte[] sessionKey, Duration tenantsExpireAfter, Optional<String> inquiryTopic, Optional<String> region, Optional<URI> endpoint) {
}
