package lockstep.localcloud;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
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
import lockstep.clinic.ClinicDatabase;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;
import lockstep.project.Command;
import lockstep.project.Progress;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import lockstep.release.Cdk;
import lockstep.release.Synthesis;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.lambda.LambdaClient;
import tools.jackson.databind.json.JsonMapper;

/** Brings the local cloud up, or up to date: what is done already is found to be so and skipped. */
public final class Up {
    private static final JsonMapper JSON = JsonMapper.builder().build();
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
     * @param landscapeFile the same, or with the shards that were brought up besides
     * @param landscape     what that holds
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

    /** What runs when it has ended. */
    public record Result(List<AccountResult> accounts, List<Page> pages) {
        public record AccountResult(String name, String id, List<String> stacks, List<ShardResult> shards) {}

        public record ShardResult(String name, Edition edition) {}
    }

    /**
     * What comes to where.
     *
     * @param assembly    as synthesized
     * @param into        the accounts; others stay as they are
     * @param credentials by which stacks are deployed, as the environment of a tool has them
     */
    private record Deployment(Supplier<Path> assembly, List<Account> into, Function<Account, Map<String, String>> credentials) {}

    /** Everything in its order; steps that do not need each other run side by side. */
    public Result run(Optional<FirstSync> firstSync) {
        return run(firstSync, new Deployment(() -> cdk.synthesize(landscapeFile), landscape.accounts(), Cdk::root));
    }

    /** With all rights in an account of the local cloud, as the environment of a tool has them. */
    public static Map<String, String> root(Account account) {
        return Cdk.root(account);
    }

    /** Brings some accounts to what was synthesized before. Databases, tasks and data of others are left alone. */
    public Result deploy(Path assembly, List<Account> into, Function<Account, Map<String, String>> credentials) {
        return run(Optional.empty(), new Deployment(() -> assembly, into, credentials));
    }

    /** Brings one account to its landscape, under the release that it runs; others stay as they are. A cloud that is down is brought up as a whole. */
    public Result change(String name, Optional<FirstSync> firstSync) {
        var account = landscape.accounts().stream().filter(known -> known.name().equals(name)).findFirst().orElseThrow();
        var release = running(account);
        if (release.isEmpty()) return run(firstSync);
        // what up has synthesized serves if that is the landscape's own
        var other = release.filter(running -> !running.equals(landscape.release()));
        return run(firstSync, new Deployment(() -> cdk.synthesize(landscapeFile, other), List.of(account), Cdk::root));
    }

    /** Empty when nothing runs, or not everything the same. */
    private Optional<String> running(Account account) {
        if (store.read().emulator().flatMap(known -> known.process().running()).isEmpty()) return Optional.empty();
        try (var cloud = LocalCloud.open(files, landscape)) {
            var releases = DeployedTask.of(account, cloud.account(account)).stream().flatMap(task -> task.variable("RELEASE").stream()).distinct().toList();
            return releases.size() == 1 ? Optional.of(releases.getFirst()) : Optional.empty();
        }
    }

    private Result run(Optional<FirstSync> firstSync, Deployment deployment) {
        // Synthesis needs nothing of the cloud and takes longest.
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var assembly = after(executor, "stacks synthesized and projected", () -> synthesize(deployment));
            progress.step("certificates", this::certify);
            var databases = deployment.into().stream().map(account -> after(executor, "PostgreSQL of " + account.name(),
                    () -> new PostgresServer(files, store, account.name()).ensure())).toList();
            var codeLists = after(executor, "code lists exported", this::exportCodeLists);
            progress.step("emulator", emulator::ensure);
            var archive = JavaFunctions.Archive.of(files);
            var archived = archive.exists() ? CompletableFuture.<Void>completedFuture(null) : after(executor, "class archive of the functions", () -> archive.make(files));
            try (var cloud = LocalCloud.open(files, landscape)) {
                var deployed = deployment.into().stream().map(account -> deployed(executor, cloud, account, assembly, deployment)).toList();
                joinAll(deployed);
                progress.step("subscriptions across accounts", () -> subscribe(cloud, deployment));
                joinAll(databases);
                joinAll(List.of(archived));
                var images = new ContainerImages(synthesized, files.images());
                var tasks = landscape.accounts().stream().flatMap(account -> DeployedTask.of(account, cloud.account(account)).stream())
                        .filter(this::isWanted).map(task -> new LocalTask(files, store, images, cloud, task)).toList();
                stopOthers(tasks);
                var changing = tasks.stream().filter(task -> deployment.into().contains(task.deployed().account())).toList();
                var proxies = changing.stream().filter(task -> task.deployed().shard().isEmpty()).map(task -> CompletableFuture.runAsync(() -> {
                    proxy(cloud, task).fill(certificates, shard -> port(tasks, shard));
                    start(task, () -> balancer.lead(task.name(), task.servingPort("nginx", "PORT")));
                }, executor)).toList();
                var shards = deployment.into().stream().flatMap(account -> account.shards().stream()
                        .map(shard -> after(executor, "shard " + shard.name(), () -> prepare(cloud, account, shard, application(tasks, shard))))).toList();
                joinAll(shards);
                // which lead to the applications
                joinAll(proxies);
                var applications = changing.stream().filter(task -> task.deployed().shard().isPresent())
                        .map(task -> CompletableFuture.runAsync(() -> start(task, () -> follow(cloud, tasks, task)), executor)).toList();
                joinAll(List.of(codeLists));
                new TemporaryShards(files).list().stream().filter(shard -> !shard.leaving()).forEach(shard -> Expiry.ensure(files, store, shard, declared));
                for (DataSet dataSet : landscape.dataSets()) {
                    if (deployment.into().contains(landscape.accountOf(dataSet.source()))) progress.step("data set " + dataSet.name() + " in " + dataSet.source(), () -> seedMaster(cloud, dataSet));
                }
                joinAll(applications);
                firstSync.ifPresent(sync -> {
                    sync.run(cloud, progress);
                    progress.step("visitors' rows", () -> seedVisitors(cloud));
                });
                // of accounts that stay as they are no image is known here
                if (deployment.into().equals(landscape.accounts())) images.deleteOthers();
                return result(cloud);
            }
        }
    }

    /** What has the certificates of an authority that is no more is ended, to be started with the new ones. */
    private void certify() {
        if (certificates.ensure()) {
            emulator.stop();
            landscape.accounts().forEach(account -> new PostgresServer(files, store, account.name()).stop());
        }
    }

    private void start(LocalTask task, Runnable lead) {
        if (task.ensure(lead)) {
            progress.note("started " + task.name());
        }
    }

    /** A shard that is being taken down is still deployed while others refer to its stack. */
    private boolean isWanted(DeployedTask task) {
        return task.shard().isEmpty() || task.account().shards().stream().anyMatch(shard -> task.shard().get().equals(shard.name()));
    }

    /** Services that are no longer deployed, or about to be no longer. */
    private void stopOthers(List<LocalTask> tasks) {
        var known = tasks.stream().map(LocalTask::name).toList();
        store.read().tasks().keySet().stream().filter(running -> LocalTask.isTask(running) && known.stream().noneMatch(name -> running.startsWith(name + "/"))).forEach(running -> {
            LocalTask.stop(files, store, running);
            progress.note("ended " + running + ", which is no longer deployed");
        });
        balancer.keep(known);
    }

    private static LocalProxy proxy(LocalCloud cloud, LocalTask task) {
        return new LocalProxy(cloud.account(task.deployed().account()), task.deployed());
    }

    /** The first hop of its edition, if the account has one, leads to where an application runs now. */
    private void follow(LocalCloud cloud, List<LocalTask> tasks, LocalTask application) {
        var account = application.deployed().account();
        var shard = account.shards().stream().filter(candidate -> candidate.name().equals(application.deployed().shard().orElseThrow())).findFirst().orElseThrow();
        tasks.stream().filter(task -> task.name().equals(LocalTask.name(account.name(), application.deployed().edition())))
                .forEach(proxy -> proxy(cloud, proxy).follow(shard, other -> port(tasks, other), () -> proxy.servingPort("gateway", "GATEWAY_ADMIN")));
    }

    private static LocalTask application(List<LocalTask> tasks, Shard shard) {
        return tasks.stream().filter(task -> task.deployed().shard().filter(shard.name()::equals).isPresent()).findFirst()
                .orElseThrow(() -> new UserFault("no service of shard " + shard.name() + " is deployed"));
    }

    private static int port(List<LocalTask> tasks, Shard shard) {
        return application(tasks, shard).servingPort("clinic", "PORT");
    }

    private void synthesize(Deployment deployment) {
        synthesized = deployment.assembly().get();
        new Projection(JavaFunctions.runtime(files)).project(synthesized, files.assembly());
    }

    private CompletableFuture<Void> deployed(Executor executor, LocalCloud cloud, Account account, CompletableFuture<Void> assembly, Deployment deployment) {
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
            var changed = cdk.stacksOf(account).stream().map(Cdk.Stack::name)
                    .filter(stack -> !fingerprints.get(stack).equals(known.get(account.name() + "/" + stack))).toList();
            if (changed.isEmpty()) {
                progress.note("stacks of " + account.name() + " are unchanged");
                return;
            }
            progress.step("cdk deploy in " + account.name() + ": " + String.join(", ", changed), () -> cdk.deploy(account, changed, cloud.endpoint(), deployment.credentials().apply(account)));
            changed.forEach(stack -> store.update(state -> state.withDeployed(account.name() + "/" + stack, fingerprints.get(stack))));
        }, executor);
    }

    private void subscribe(LocalCloud cloud, Deployment deployment) {
        for (Account account : deployment.into()) {
            for (Cdk.Stack stack : cdk.stacksOf(account)) {
                new CrossAccountSubscriptions(cloud.account(account)).ensure(stack);
            }
        }
    }

    private void prepare(LocalCloud cloud, Account account, Shard shard, LocalTask application) {
        cloud.database(shard.name()).ensure();
        application.runToCompletion();
        addUser(shard, application);
        try (var lambda = cloud.account(account).client(LambdaClient.builder())) {
            String function = Names.prepareDatabase(shard.name());
            var answer = lambda.invoke(r -> r.functionName(function)
                    .payload(SdkBytes.fromUtf8String(JSON.writeValueAsString(Map.of("dataSets", landscape.dataSets())))));
            if (answer.functionError() != null) {
                throw new UserFault("function " + function + " failed: " + answer.payload().asUtf8String());
            }
        }
    }

    /** Where nobody can sign up. */
    private void addUser(Shard shard, LocalTask application) {
        if (shard.edition() == Edition.PRODUCTION) {
            application.runOnce("clinic", List.of("add-user", Users.CUSTOMER, Users.CLINIC, Users.NAME, "Operator"), new Users(files).password(shard.name()));
        }
    }

    private void exportCodeLists() {
        Path target = codeLists();
        Path complete = target.resolve("complete");
        Path script = files.project().resolve("clinic/data/export.py");
        try {
            if (Files.exists(complete) && Files.getLastModifiedTime(complete).compareTo(Files.getLastModifiedTime(script)) > 0) {
                return;
            }
            Files.createDirectories(target);
            new Command(List.of(files.python().toString(), script.toString(), target.toString()), files.home(), Command.cleanEnvironment(files),
                    files.log("export-code-lists")).run("exporting the code lists");
            Files.writeString(complete, "");
        } catch (IOException e) {
            throw new UserFault("cannot export the code lists: " + e.getMessage(), e);
        }
    }

    private Path codeLists() {
        return files.home().resolve("code-lists");
    }

    private void seedMaster(LocalCloud cloud, DataSet dataSet) {
        try (var connection = cloud.database(dataSet.source()).connect(DatabaseUser.ADMIN)) {
            ClinicDatabase.seedMaster(connection, codeLists());
        } catch (SQLException e) {
            throw new UserFault("cannot fill " + dataSet.source() + ": " + e.getMessage(), e);
        }
    }

    /** Rows that belong to visitors, and refer to master rows: in each demo shard of an account that is for the demo. */
    private void seedVisitors(LocalCloud cloud) {
        for (Account account : landscape.accounts()) {
            if (account.purpose() != lockstep.landscape.Purpose.DEMO) {
                continue;
            }
            for (Shard shard : account.shards()) {
                try (var connection = cloud.database(shard.name()).connect(DatabaseUser.ADMIN)) {
                    ClinicDatabase.seedVisitors(connection);
                } catch (SQLException e) {
                    throw new UserFault("cannot enter visitors into " + shard.name() + ": " + e.getMessage(), e);
                }
            }
        }
    }

    private Result result(LocalCloud cloud) {
        return new Result(landscape.accounts().stream().map(account -> new Result.AccountResult(account.name(), account.id(),
                cdk.stacksOf(account).stream().map(Cdk.Stack::name).toList(),
                account.shards().stream().map(shard -> new Result.ShardResult(shard.name(), shard.edition())).toList())).toList(), cloud.pages());
    }

    private CompletableFuture<Void> after(Executor executor, String title, Runnable work) {
        return CompletableFuture.runAsync(() -> progress.step(title, work), executor);
    }

    /** Waits for all, so that nothing goes on behind a failure that was reported; then the first failure counts. */
    private static void joinAll(List<CompletableFuture<Void>> futures) {
        try {
            CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new)).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
