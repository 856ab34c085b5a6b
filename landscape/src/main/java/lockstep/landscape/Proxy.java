package lockstep.landscape;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * The first hop to the shards of one edition in one account, and the flags of its gateway.
 *
 * @param host        public DNS name; each shard answers at {@code SHARD.host}, and the host itself leads to the first shard of the edition
 * @param certificate ARN of the load balancer's certificate; demo only: production's TLS passes through to nginx
 * @param signUp      whether visitors may make a tenant of their own; demo only
 * @param banner      text that the product shows on every page; demo only
 * @param rateLimit   requests per second and tenant
 */
public record Proxy(Edition edition, String host, Optional<String> certificate, boolean signUp, Optional<String> banner, OptionalInt rateLimit) {}
