package lockstep.localcloud;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.accounts.AccountAccess;
import lockstep.accounts.Accounts;
import lockstep.accounts.DeployedTask;
import lockstep.accounts.LocalEndpoint;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Shard;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;

/** A running local cloud: its accounts and the databases of its shards. */
public final class LocalCloud implements Accounts {
    private final Landscape landscape;
    private final LocalEndpoint endpoint;
    private final Map<String, AccountAccess> accounts = new LinkedHashMap<>();
    private final Map<String, PostgresServer> servers = new LinkedHashMap<>();
    private final Certificates certificates;
    private final CloudState.Store store;
    private final ProjectFiles files;

    private LocalCloud(ProjectFiles files, CloudState.Store store, Landscape landscape, LocalEndpoint endpoint) {
        this.landscape = landscape;
        this.endpoint = endpoint;
        this.certificates = Certificates.in(files.certificates());
        this.store = store;
        this.files = files;
        for (Account account : landscape.accounts()) {
            accounts.put(account.name(), AccountAccess.root(endpoint, landscape.regionOf(account), account.id()));
            servers.put(account.name(), new PostgresServer(files, store, account.name()));
        }
    }

    /** Connects to the cloud that {@code up} started. */
    public static LocalCloud open(ProjectFiles files, Landscape landscape) {
        var store = new CloudState.Store(files);
        var emulator = store.read().emulator().filter(known -> known.process().running().isPresent())
                .orElseThrow(() -> new UserFault("the local cloud is not up: run lockstep up"));
        return new LocalCloud(files, store, landscape, Emulator.endpoint(Certificates.in(files.certificates()), emulator));
    }

    @Override
    public Landscape landscape() {
        return landscape;
    }

    public LocalEndpoint endpoint() {
        return endpoint;
    }

    /** Returns access with all rights in the account; {@link AccountAccess#assume} narrows them. */
    @Override
    public AccountAccess account(Account account) {
        return accounts.get(account.name());
    }

    public ShardDatabase database(String shard) {
        Account account = landscape.accountOf(shard);
        var found = account.shards().stream().filter(s -> s.name().equals(shard)).findFirst().orElseThrow();
        return new ShardDatabase(found, servers.get(account.name()), account(account), certificates);
    }

    public Certificates certificates() {
        return certificates;
    }

    public ClientCertificates clients() {
        return certificates.clients();
    }

    /** Publishes the client authority and revocation list to every production proxy, which apply them within seconds. */
    public void publishClients() {
        for (Account account : landscape.accounts()) {
            DeployedTask.proxy(account, Edition.PRODUCTION, account(account))
                    .ifPresent(proxy -> new LocalProxy(account(account), proxy).publish(clients()));
        }
    }

    /** Returns the browser address of each shard that has a proxy, in landscape order. */
    public List<Page> pages() {
        var state = store.read();
        return landscape.accounts().stream()
                .flatMap(account -> account.shards().stream().filter(Shard::runsProduct)
                        .flatMap(shard -> LocalBalancer.port(state, LocalTask.name(account.name(), shard.edition())).stream()
                                .map(port -> new Page(account.name(), shard.edition().word(), shard.name(),
                                        "https://" + LocalProxy.host(shard) + ":" + port + "/"))))
                .toList();
    }

    /** Returns the user that can log in to a shard; empty if visitors sign up themselves. */
    public Optional<User> user(String shard) {
        return new Users(files).find(shard);
    }

    @Override
    public void close() {
        accounts.values().forEach(AccountAccess::close);
    }
}
