package lockstep.landscape;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An account's network that exists already. Lockstep adds only the endpoints that it lacks.
 *
 * @param cidr          the addresses of the VPC
 * @param subnets       the ids of the private subnets by zone, for functions, tasks and databases
 * @param publicSubnets the ids of the public subnets by zone, for load balancers
 * @param routeTables   the ids of the private subnets' route tables in the order of the subnets, for an endpoint of S3
 * @param endpoints     the services that have an endpoint already
 * @param securityGroup the group of what opens databases; created if empty
 * @param namespace     the Cloud Map namespace of the applications; created if empty
 */
public record ExistingNetwork(String vpc, String cidr, Map<String, String> subnets, Map<String, String> publicSubnets,
        List<String> routeTables, List<String> endpoints, Optional<String> securityGroup, Optional<Namespace> namespace) {
    /** @param name its domain, such as {@code shop.internal} */
    public record Namespace(String id, String name) {}

    public ExistingNetwork {
        subnets = Collections.unmodifiableMap(new LinkedHashMap<>(subnets));
        publicSubnets = Collections.unmodifiableMap(new LinkedHashMap<>(publicSubnets));
        routeTables = List.copyOf(routeTables);
        endpoints = List.copyOf(endpoints);
    }
}
