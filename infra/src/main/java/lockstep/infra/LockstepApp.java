package lockstep.infra;

import io.github.cdklabs.cdknag.AwsSolutionsChecks;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import lockstep.landscape.Names;
import lockstep.landscape.Product;
import software.amazon.awscdk.App;
import software.amazon.awscdk.AppProps;
import software.amazon.awscdk.Aspects;

/**
 * The CDK application, run at the root of the project. Context: {@code landscape}, the landscape file (default {@code lockstep.yaml});
 * {@code release}, which overrides the release in that file.
 */
public final class LockstepApp {
    private LockstepApp() {}

    public static void main(String[] args) {
        // without metadata, which changes with the versions of the tools
        var app = new App(AppProps.builder().analyticsReporting(false).build());
        var landscape = LandscapeReader.read(Path.of(context(app, "landscape").orElse("lockstep.yaml")));
        var released = context(app, "release").map(landscape::of).orElse(landscape);
        assemble(app, released, Artefacts.of(Path.of("")));
        app.synth();
    }

    /** Adds the stacks of all accounts and the checks of cdk-nag. A finding of cdk-nag fails the synthesis. */
    static void assemble(App app, Landscape landscape, Artefacts artefacts) {
        landscape.product().ifPresent(product -> {
            if (product.image() instanceof Product.Built built) Artefacts.built(built.context(), "./lockstep build");
        });
        Aspects.of(app).add(AwsSolutionsChecks.Builder.create().verbose(true).build());
        var accounts = landscape.accounts().stream()
                .map(account -> new AccountStacks(app, new AccountStack.Props(landscape, account, artefacts))).toList();
        accounts.forEach(AccountStacks::addProxies);
        var sources = accounts.stream().map(AccountStacks::addSource).flatMap(Optional::stream).toList();
        // a subscription needs its topic, even in another account
        accounts.stream().map(AccountStacks::addTarget).flatMap(Optional::stream)
                .forEach(target -> sources.forEach(source -> target.addStackDependency(source)));
    }

    /** The stacks of one account, created step by step. */
    private static final class AccountStacks {
        private final App app;
        private final AccountStack.Props props;
        private final NetworkStack network;
        private final Map<String, ShardStack> shards = new LinkedHashMap<>();

        AccountStacks(App app, AccountStack.Props props) {
            this.app = app;
            this.props = props;
            var account = props.account().name();
            network = new NetworkStack(app, Names.networkStack(account), props);
            new DeliveryStack(app, Names.deliveryStack(account), props, network);
            for (var shard : props.account().shards()) {
                shards.put(shard.name(), new ShardStack(app, Names.shardStack(account, shard.name()), props, network, shard));
            }
            new ShardFunctionsStack(app, Names.shardFunctionsStack(account), props, network);
        }

        void addProxies() {
            for (var proxy : props.account().proxies()) {
                var id = Names.proxyStack(props.account().name(), proxy.edition());
                var stack = switch (proxy.edition()) {
                    case PRODUCTION -> new ProductionProxyStack(app, id, props, network, proxy);
                    case DEMO -> new DemoProxyStack(app, id, props, network, proxy);
                };
                // the shards must exist before the proxy routes to them
                props.account().applicationsOf(proxy.edition()).forEach(shard -> stack.addStackDependency(shards.get(shard.name())));
            }
        }

        Optional<AccountStack> addSource() {
            Account account = props.account();
            var dataSets = props.landscape().sourcesIn(account);
            return dataSets.isEmpty() ? Optional.empty()
                    : Optional.of(new MasterDataSourceStack(app, Names.sourceStack(account.name()), props, network, shards, dataSets));
        }

        Optional<AccountStack> addTarget() {
            Account account = props.account();
            var dataSets = props.landscape().receivedBy(account);
            return dataSets.isEmpty() ? Optional.empty()
                    : Optional.of(new MasterDataTargetStack(app, Names.targetStack(account.name()), props, network, shards, dataSets));
        }
    }

    private static Optional<String> context(App app, String key) {
        return Optional.ofNullable(app.getNode().tryGetContext(key)).map(Object::toString);
    }
}
