package lockstep.landscape;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * The first hop to the shards of one edition in one account, and the flags of its gateway.
 *
 * @param host        the public DNS name. Each shard is served at {@code SHARD.host}, and the edition's first shard at the host itself
 * @param certificate the ARN of the load balancer's certificate. Demo only, because production's TLS passes through to nginx
 * @param signUp      whether visitors may create their own tenant; demo only
 * @param banner      a text that the product shows on every page; demo only
 * @param rateLimit   requests per second and tenant
 */
public record Proxy(Edition edition, String host, Optional<String> certificate, boolean signUp, Optional<String> banner,
        OptionalInt rateLimit) {}
