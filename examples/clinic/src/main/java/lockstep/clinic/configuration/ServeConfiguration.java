package lockstep.clinic.configuration;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import lockstep.clinic.store.DatabaseLogin;

/**
 * @param port               the TLS port for requests of browsers; 0 for any free port
 * @param healthPort         the port of the container's health check, without TLS and on loopback only; 0 for any free port
 * @param drainDelay         how long to keep serving after SIGTERM, for clients that have not noticed yet
 * @param databaseAuthority  the CA certificate of the database; if empty, the server's certificate is not verified
 * @param tenantsExpireAfter how long a visitor's tenant is kept after its last use; zero if tenants do not expire
 * @param inquiryTopic       the topic that notifies sales of inquiries
 * @param endpoint           the AWS endpoint, if it is not the public one
 */
public record ServeConfiguration(Edition edition, String shard, String release, String listenAddress, int port, int healthPort,
        Duration drainDelay, DatabaseLogin database,
        Optional<Path> databaseAuthority, byte[] sessionKey, Duration tenantsExpireAfter, Optional<String> inquiryTopic,
        Optional<String> region, Optional<URI> endpoint) {}
