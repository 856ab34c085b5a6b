package lockstep.localcloud;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.Supplier;
import lockstep.accounts.DeployedTask;
import lockstep.assembly.Assembly.Stack;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Product;
import lockstep.landscape.Purpose;
import lockstep.landscape.Shard;
import lockstep.project.Progress;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import lockstep.release.AwsDeployment;
import lockstep.release.Cdk;

/** Starts or updates the local cloud. Steps that are up to date are skipped. */
public final class Up {
    private final ProjectFiles files;
    private final Path declared;
    private final Path landscapeFile;
    private final Landscape landscape;
    private final Progress progress;
    private final CloudState.Store store;
    private final Certificates certificates;
    private final Cdk cdk;
    private final Emulator emulator;
    private final LocalBalancer balancer;
    private volatile Path synthesized;

    /**
     * @param declared      lockstep.yaml
     * @param landscapeFile the landscape file including temporary shards
     * @param landscape     the contents of {@code landscapeFile}
     */
    public Up(ProjectFiles files, Path declared, Path landscapeFile, Landscape landscape, Progress progress) {
        this.declared = declared;
        this.files = files;
        this.landscapeFile = landscapeFile;
        this.landscape = landscape;
        this.progress = progress;
        this.store = new CloudState.Store(files);
        this.certificates = Certificates.in(files.certificates());
        this.cdk = new Cdk(files, landscape.region());
        this.emulator = new Emulator(files, store, landscape.region());
        this.balancer = new LocalBalancer(files, store);
    }

    /** What is running afterwards. */
    public record Result(List<AccountResult> accounts, List<Page> pages) {
        public record AccountResult(String name, String id, List<String> stacks, List<ShardResult> shards) {}

        public record ShardResult(String name, Edition edition) {}
    }

    /**
     * An assembly and the accounts to deploy it to.
     *
     * @param assembly    returns the synthesized assembly
     * @param into        the accounts; others are not changed
     * @param credentials returns environment variables with the credentials for deploying stacks
     */
    private record Deployment(Supplier<Path> assembly, List<Account> into, Function<Account, Map<String, String>> credentials) {}

    /** Runs all steps; independent steps run in parallel. */
    public Result run(Optional<FirstSync> firstSync) {
        return run(firstSync, new Deployment(() -> cdk.synthesize(landscapeFile), landscape.accounts(), Cdk::root));
    }

    /** Returns environment variables with root credentials for an account of the local cloud. */
    public static Map<String, String> root(Account account) {
        return Cdk.root(account);
    }

    /** Deploys an existing assembly to some accounts. The databases, tasks and data of others are not changed. */
    public Result deploy(Path assembly, List<Account> into, Function<Account, Map<String, String>> credentials) {
        return run(Optional.empty(), new Deployment(() -> assembly, into, credentials));
    }

    /**
     * Applies the landscape to one account with the release that it runs; others are not changed. If the cloud is not running, all of it is
     * started.
     */
    public Result change(String name, Optional<FirstSync> firstSync) {
        var account = landscape.accounts().stream().filter(known -> known.name().equals(name)).findFirst().orElseThrow();
        var release = running(account);
        if (release.isEmpty()) return run(firstSync);
        // for the landscape's own release, the assembly of up can be reused
        var other = release.filter(running -> !running.equals(landscape.release()));
        return run(firstSync, new Deployment(() -> cdk.synthesize(landscapeFile, other), List.of(account), Cdk::root));
    }

    /** Returns the release that an account runs; empty if nothing is running or the releases differ. */
    private Optional<String> running(Account account) {
        if (store.read().emulator().flatMap(known -> known.process().running()).isEmpty()) return Optional.empty();
        try (var cloud = LocalCloud.open(files, landscape)) {
            var releases = DeployedTask.of(account, cloud.account(account)).stream().flatMap(task -> task.variable("RELEASE").stream())
                    .distinct().toList();
            return releases.size() == 1 ? Optional.of(releases.getFirst()) : Optional.empty();
        }
    }

    private Result run(Optional<FirstSync> firstSync, Deployment deployment) {
        if (landscape.product().map(Product::image).orElse(null) instanceof Product.Existing existing) throw new UserFault(
                "the local cloud cannot run " + existing.reference()
                        + ", because it has no container engine; give product.build instead of product.image");
        // a running cloud has its memory already
        if (store.read().emulator().flatMap(known -> known.process().running()).isEmpty()) {
            var room = Room.needed(landscape);
            progress.note("needs about " + room);
            files.create();
            room.check(files.home());
        }
        // start with the synthesis, because it needs nothing from the cloud and takes longest
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var assembly = after(executor, "stacks synthesized and projected", () -> synthesize(deployment));
            progress.step("certificates", this::certify);
            var databases = deployment.into().stream().filter(account -> account.shards().stream().anyMatch(Shard::isCreatedLocally))
                    .map(account -> after(executor, "PostgreSQL of " + account.name(),
                            () -> new PostgresServer(files, store, account.name()).ensure()))
                    .toList();
            progress.step("emulator", emulator::ensure);
            var archive = JavaFunctions.Archive.of(files);
            var archived = archive.exists() ? CompletableFuture.<Void>completedFuture(null)
                    : after(executor, "class archive of the functions", () -> archive.make(files));
            try (var cloud = LocalCloud.open(files, landscape)) {
                var deployed = deployment.into().stream().map(account -> deployed(executor, cloud, account, assembly, deployment)).toList();
                joinAll(deployed);
                progress.step("subscriptions across accounts", () -> subscribe(cloud, deployment));
                joinAll(databases);
                joinAll(List.of(archived));
                var images = new ContainerImages(synthesized, files.images());
                images.writeStarters(files.emulator().resolve("images"), certificates.trustStore());
                var tasks = landscape.accounts().stream().flatMap(account -> DeployedTask.of(account, cloud.account(account)).stream())
                        .filter(this::isWanted).map(task -> new LocalTask(files, store, images, cloud, task)).toList();
                stopOthers(tasks);
                var changing = tasks.stream().filter(task -> deployment.into().contains(task.deployed().account())).toList();
                var proxies = changing.stream().filter(task -> task.deployed().shard().isEmpty())
                        .map(task -> CompletableFuture.runAsync(() -> {
                            proxy(cloud, task).configure(certificates, shard -> port(tasks, shard));
                            start(task, () -> balancer.route(task.name(), task.servingPort("nginx", "PORT")));
                        }, executor)).toList();
                var shards = deployment.into().stream().flatMap(account -> account.shards().stream()
                        .map(shard -> after(executor, "shard " + shard.name(),
                                () -> prepare(cloud, account, shard, tasks))))
                        .toList();
                joinAll(shards);
                joinAll(proxies);
                var applications = changing.stream().filter(task -> task.deployed().shard().isPresent())
                        .map(task -> CompletableFuture.runAsync(() -> start(task, () -> routeTo(cloud, tasks, task)), executor)).toList();
                new TemporaryShards(files).list().stream().filter(shard -> !shard.leaving())
                        .forEach(shard -> Expiry.ensure(files, store, shard, declared));
                for (DataSet dataSet : landscape.dataSets()) {
                    deployment.into().stream().flatMap(account -> account.shards().stream())
                            .filter(shard -> shard.runsProduct() && shard.name().equals(dataSet.source()))
                            .forEach(shard -> seed(cloud, application(tasks, shard.name()), "master"));
                }
                joinAll(applications);
                firstSync.ifPresent(sync -> {
                    sync.run(cloud, progress);
                    landscape.accounts().stream().filter(account -> account.purpose() == Purpose.DEMO)
                            .flatMap(account -> account.shards().stream()).filter(Shard::runsProduct)
                            .forEach(shard -> seed(cloud, application(tasks, shard.name()), "visitors"));
                });
                // the images of accounts that are not deployed are unknown here
                if (deployment.into().equals(landscape.accounts())) images.deleteOthers();
                return result(cloud);
            }
        }
    }

    /** Creates the certificates, and stops processes that still use a certificate of the replaced authority. */
    private void certify() {
        if (certificates.ensure()) {
            emulator.stop();
            landscape.accounts().forEach(account -> new PostgresServer(files, store, account.name()).stop());
        }
    }

    private void start(LocalTask task, Runnable route) {
        if (task.ensure(route)) {
            progress.note("started " + task.name());
        }
    }

    /** Reports whether a task is part of the landscape. A shard being removed stays deployed while others refer to its stack. */
    private boolean isWanted(DeployedTask task) {
        return task.shard().isEmpty() || task.account().shards().stream().anyMatch(shard -> task.shard().get().equals(shard.name()));
    }

    /** Stops tasks that are no longer deployed or are being removed. */
    private void stopOthers(List<LocalTask> tasks) {
        var known = tasks.stream().map(LocalTask::name).toList();
        store.read().tasks().keySet().stream()
                .filter(running -> LocalTask.isTask(running) && known.stream().noneMatch(name -> running.startsWith(name + "/")))
                .forEach(running -> {
                    LocalTask.stop(files, store, running);
                    progress.note("ended " + running + ", which is no longer deployed");
                });
        balancer.retain(known);
    }

    private static LocalProxy proxy(LocalCloud cloud, LocalTask task) {
        return new LocalProxy(cloud.account(task.deployed().account()), task.deployed());
    }

    /** Lets the proxy of the edition, if the account has one, route to the current address of an application. */
    private void routeTo(LocalCloud cloud, List<LocalTask> tasks, LocalTask application) {
        var account = application.deployed().account();
        var shard = account.shards().stream().filter(candidate -> candidate.name().equals(application.deployed().shard().orElseThrow()))
                .findFirst().orElseThrow();
        tasks.stream().filter(task -> task.name().equals(LocalTask.name(account.name(), application.deployed().edition())))
                .forEach(proxy -> proxy(cloud, proxy).routeAndAwait(shard, other -> port(tasks, other),
                        () -> proxy.servingPort("gateway", "GATEWAY_ADMIN")));
    }

    private static LocalTask application(List<LocalTask> tasks, String shard) {
        return tasks.stream().filter(task -> task.deployed().shard().filter(shard::equals).isPresent()).findFirst()
                .orElseThrow(() -> new UserFault("no service of shard " + shard + " is deployed"));
    }

    private int port(List<LocalTask> tasks, Shard shard) {
        return application(tasks, shard.name()).servingPort(product().name(), "PORT");
    }

    private void synthesize(Deployment deployment) {
        synthesized = deployment.assembly().get();
        new Projection(JavaFunctions.runtime(files)).project(synthesized, files.assembly());
    }

    private CompletableFuture<Void> deployed(Executor executor, LocalCloud cloud, Account account, CompletableFuture<Void> assembly,
            Deployment deployment) {
        String instance = store.read().emulator().orElseThrow().instance();
        boolean bootstrapped = Optional.ofNullable(store.read().deployed().get(account.name())).map(instance::equals).orElse(false);
        var ready = bootstrapped ? CompletableFuture.<Void>completedFuture(null)
                : after(executor, "cdk bootstrap in " + account.name(), () -> {
                    cdk.bootstrap(account, cloud.endpoint());
                    store.update(state -> state.withDeployed(account.name(), instance));
                });
        return CompletableFuture.allOf(ready, assembly).thenRunAsync(() -> {
            var fingerprints = new TreeMap<String, String>();
            cdk.stacksOf(account).forEach(stack -> fingerprints.put(stack.name(), instance + " " + stack.fingerprint()));
            var known = store.read().deployed();
            var changed = cdk.stacksOf(account).stream().map(Stack::name)
                    .filter(stack -> !fingerprints.get(stack).equals(known.get(account.name() + "/" + stack))).toList();
            if (changed.isEmpty()) {
                progress.note("stacks of " + account.name() + " are unchanged");
                return;
            }
            progress.step("cdk deploy in " + account.name() + ": " + String.join(", ", changed),
                    () -> cdk.deploy(account, changed, cloud.endpoint(), deployment.credentials().apply(account)));
            changed.forEach(stack -> store.update(state -> state.withDeployed(account.name() + "/" + stack, fingerprints.get(stack))));
        }, executor);
    }

    private void subscribe(LocalCloud cloud, Deployment deployment) {
        for (Account account : deployment.into()) {
            for (Stack stack : cdk.stacksOf(account)) {
                new CrossAccountSubscriptions(cloud.account(account)).ensure(stack);
            }
        }
    }

    /** The product of the shards that run it. */
    private Product product() {
        return landscape.product().orElseThrow();
    }

    private void prepare(LocalCloud cloud, Account account, Shard shard, List<LocalTask> tasks) {
        cloud.database(shard.name()).ensure();
        if (shard.runsProduct()) {
            var application = application(tasks, shard.name());
            application.runToCompletion();
            addUser(shard, application);
        }
        AwsDeployment.prepareDatabase(cloud.account(account), shard, landscape.dataSets());
    }

    /** Adds a user to a production shard, where nobody can sign up. */
    private void addUser(Shard shard, LocalTask application) {
        Product product = product();
        if (shard.edition() == Edition.PRODUCTION && !product.commands().addUser().isEmpty()) {
            application.runOnce(product.name(), product.commands().addUser().stream()
                    .map(word -> word.replace("{customer}", Users.CUSTOMER).replace("{user}", Users.NAME)).toList(),
                    new Users(files).password(shard.name()));
        }
    }

    /**
     * Lets the product fill a shard's database.
     *
     * @param what {@code master} for master data, {@code visitors} for rows that refer to master data
     */
    private void seed(LocalCloud cloud, LocalTask application, String what) {
        Product product = product();
        if (product.commands().seed().isEmpty()) return;
        var line = new ArrayList<>(Product.in(product.directory(), product.commands().seed()));
        line.add(what);
        progress.step("seed " + what + " in " + application.deployed().shard().orElseThrow(),
                () -> application.copy(cloud).runHereOnce("migrate", line, product.directory()));
    }

    private Result result(LocalCloud cloud) {
        return new Result(landscape.accounts().stream().map(account -> new Result.AccountResult(account.name(), account.id(),
                cdk.stacksOf(account).stream().map(Stack::name).toList(),
                account.shards().stream().map(shard -> new Result.ShardResult(shard.name(), shard.edition())).toList())).toList(),
                cloud.pages());
    }

    private CompletableFuture<Void> after(Executor executor, String title, Runnable work) {
        return CompletableFuture.runAsync(() -> progress.step(title, work), executor);
    }

    /** Waits for all, so that nothing is still running when a failure is reported, then throws the first failure. */
    private static void joinAll(List<CompletableFuture<Void>> futures) {
        try {
            CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new)).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
