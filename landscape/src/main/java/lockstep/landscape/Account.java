package lockstep.landscape;

import java.util.List;
import java.util.Optional;

/**
 * An AWS account: its name in the landscape, its 12-digit id, its purpose, its shards in file order, and at most one proxy per edition.
 *
 * @param limits  what master data may use at once
 * @param region  its region; if empty, the landscape's
 * @param zones   the two availability zones of its network; if empty, the first two that the account has when it is deployed
 * @param network the network that exists already; created if empty
 */
public record Account(String name, String id, Purpose purpose, List<Shard> shards, List<Proxy> proxies, Limits limits,
        Optional<String> region, List<String> zones, Optional<ExistingNetwork> network) {
    public Account {
        shards = List.copyOf(shards);
        proxies = List.copyOf(proxies);
        zones = List.copyOf(zones);
    }

    public Account(String name, String id, Purpose purpose, List<Shard> shards, List<Proxy> proxies, Limits limits) {
        this(name, id, purpose, shards, proxies, limits, Optional.empty(), List.of(), Optional.empty());
    }

    public Account(String name, String id, Purpose purpose, List<Shard> shards, List<Proxy> proxies) {
        this(name, id, purpose, shards, proxies, Limits.DEFAULT);
    }

    public List<Shard> shardsOf(Edition edition) {
        return shards.stream().filter(shard -> shard.edition() == edition).toList();
    }

    /** The shards of this edition that run the product. */
    public List<Shard> applicationsOf(Edition edition) {
        return shardsOf(edition).stream().filter(Shard::runsProduct).toList();
    }

    public Optional<Proxy> proxyOf(Edition edition) {
        return proxies.stream().filter(proxy -> proxy.edition() == edition).findFirst();
    }
}
