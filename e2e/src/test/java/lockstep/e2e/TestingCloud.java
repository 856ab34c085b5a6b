package lockstep.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import lockstep.accounts.AccountAccess;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import lockstep.localcloud.Certificates;
import lockstep.localcloud.ClientCertificates;
import lockstep.localcloud.CloudState;
import lockstep.localcloud.Emulator;
import lockstep.localcloud.PostgresServer;
import lockstep.project.ProjectFiles;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A separate local cloud for tests, controlled like by a user: through the command line in separate processes. */
final class TestingCloud {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    final ProjectFiles files;
    final Landscape landscape;
    private final Path landscapeFile;

    /** @param watch the watch settings for the data set in {@code lockstep.yaml} */
    TestingCloud(String name, String watch) {
        var launcher = ProjectFiles.ofLauncher();
        files = new ProjectFiles(launcher.project(), launcher.tools(), launcher.project().resolve("e2e/target").resolve(name));
        landscapeFile = watched(files, name, watch);
        landscape = LandscapeReader.read(landscapeFile);
    }

    /** Returns a cloud with a landscape file of the checkout. */
    static TestingCloud of(String name, String landscapeFile) {
        var launcher = ProjectFiles.ofLauncher();
        return new TestingCloud(
                new ProjectFiles(launcher.project(), launcher.tools(), launcher.project().resolve("e2e/target").resolve(name)),
                launcher.project().resolve(landscapeFile));
    }

    private TestingCloud(ProjectFiles files, Path landscapeFile) {
        this.files = files;
        this.landscapeFile = landscapeFile;
        landscape = LandscapeReader.read(landscapeFile);
    }

    /** Returns the same cloud with a changed landscape. */
    TestingCloud with(UnaryOperator<String> change) {
        try {
            String before = Files.readString(landscapeFile);
            String after = change.apply(before);
            if (after.equals(before)) throw new IllegalStateException("nothing was changed in " + landscapeFile);
            return new TestingCloud(files,
                    Files.writeString(files.project().resolve("e2e/target").resolve("changed-" + landscapeFile.getFileName()), after));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Path watched(ProjectFiles files, String name, String watch) {
        try {
            String shipped = Files.readString(files.project().resolve("lockstep.yaml"));
            String watched = shipped.replace("directory: ", "directory: " + files.project() + "/").replace("    source: clinic-1\n",
                    "    source: clinic-1\n" + watch.indent(4));
            if (watched.equals(shipped)) throw new IllegalStateException("lockstep.yaml has no data set of clinic-1");
            return Files.writeString(Files.createDirectories(files.project().resolve("e2e/target")).resolve(name + ".yaml"), watched);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Turns the schedules with a name on or off: {@code WatchSchedule}, {@code SyncWhenQuiet}. They are off while a test's changes must not
     * be repaired. A schedule that was off for longer than its interval fires immediately.
     */
    void schedule(String name, boolean on) {
        for (var account : landscape.accounts()) {
            try (var events = root(account.name()).client(EventBridgeClient.builder())) {
                for (var rule : events.listRules(r -> {}).rules()) {
                    if (rule.scheduleExpression() == null || !rule.name().contains(name)) continue;
                    if (on) events.enableRule(r -> r.name(rule.name()));
                    else events.disableRule(r -> r.name(rule.name()));
                }
            }
        }
    }

    record Ended(int exit, String out, String err) {
        JsonNode json() {
            return JSON.readTree(out);
        }

        @Override
        public String toString() {
            return "exit " + exit + "\n" + out + "\n" + err;
        }
    }

    Ended lockstep(String... arguments) {
        return lockstepAsync(arguments).join();
    }

    CompletableFuture<Ended> lockstepAsync(String... arguments) {
        return lockstepAsync(Map.of(), arguments);
    }

    CompletableFuture<Ended> lockstepAsync(Map<String, String> environment, String... arguments) {
        var process = start(environment, arguments);
        var out = read(process.getInputStream());
        var err = read(process.getErrorStream());
        return out.thenCombine(err, (o, e) -> new Ended(process.onExit().join().exitValue(), o, e));
    }

    /** Starts a command that runs until it is stopped. */
    Process start(Map<String, String> environment, String... arguments) {
        var line = new ArrayList<>(List.of(files.project().resolve("lockstep").toString()));
        line.addAll(Arrays.asList(arguments));
        line.addAll(List.of("--landscape", landscapeFile.toString()));
        var builder = new ProcessBuilder(line).directory(files.project().toFile());
        builder.environment().put("LOCKSTEP_HOME", files.home().toString());
        builder.environment().put("LOCKSTEP_BUILT", "yes");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        try {
            var process = builder.start();
            process.getOutputStream().close();
            return process;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static CompletableFuture<String> read(java.io.InputStream in) {
        var text = new CompletableFuture<String>();
        Thread.ofVirtual().start(() -> {
            try (in) {
                text.complete(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                text.completeExceptionally(e);
            }
        });
        return text;
    }

    /** Returns access with all rights in an account. */
    AccountAccess root(String account) {
        return AccountAccess.root(endpoint(), landscape.region(), account(account).id());
    }

    lockstep.accounts.LocalEndpoint endpoint() {
        return Emulator.endpoint(Certificates.in(files.certificates()), new CloudState.Store(files).read().emulator().orElseThrow());
    }

    lockstep.landscape.Account account(String name) {
        return landscape.accounts().stream().filter(a -> a.name().equals(name)).findFirst().orElseThrow();
    }

    PostgresServer server(String account) {
        return new PostgresServer(files, new CloudState.Store(files), account);
    }

    /** Returns a page of the cloud and what the browser needs for it. */
    JsonNode opened(String what) {
        var open = lockstep("open", what, "--print", "--output", "json");
        if (open.exit() != 0) throw new IllegalStateException(open.toString());
        return open.json().get("pages").get(0);
    }

    String page(String shard) {
        return opened(shard).get("url").asString();
    }

    /** Returns the proxy's URL for localhost, which every resolver knows; it leads to the first shard of the edition. */
    String firstHop(String shard) {
        return page(shard).replace(shard + ".localhost", "localhost");
    }

    /** Returns an existing client certificate, or a new one. */
    TestingLoad.Client client(String name) {
        if (lockstep("certificate", "list", "--output", "json").json().get("clients").valueStream()
                .noneMatch(client -> client.get("name").asString().equals(name))) {
            var issue = lockstep("certificate", "issue", name);
            if (issue.exit() != 0) throw new IllegalStateException(issue.toString());
        }
        var issued = new ClientCertificates(files.certificates().resolve("clients")).files(name);
        return new TestingLoad.Client(issued.pkcs12(), issued.password());
    }

    /** Connects to the shard's database as superuser. */
    Connection connect(String shard) throws SQLException {
        return server(landscape.accountOf(shard).name()).connect(shard.replace('-', '_'));
    }

    void sql(String shard, String... statements) {
        try (var connection = connect(shard); var statement = connection.createStatement()) {
            for (String sql : statements) statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the first column of the first row as text. */
    String value(String shard, String query) {
        try (var connection = connect(shard); var statement = connection.createStatement(); var row = statement.executeQuery(query)) {
            return row.next() ? row.getString(1) : null;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns all allowed values of all master tables, with SQL that shares no code with the engine. */
    String master(String shard) {
        return landscape.dataSets().getFirst().tables().stream().map(table -> {
            String columns = table.columns().stream().map(c -> "t." + c).collect(Collectors.joining(", "));
            return value(shard,
                    "SELECT '" + table.name() + " ' || count(*) || ' ' || md5(string_agg(md5(ROW(" + columns + ")::text), '' ORDER BY "
                            + table.key().stream().map(k -> "t." + k).collect(Collectors.joining(", ")) + ")) FROM " + table.name() + " t");
        }).collect(Collectors.joining("\n"));
    }

    /** Returns a digest of all rows that visitors and customers entered. */
    String tenants(String shard) {
        return List.of("patient", "encounter", "prescription").stream()
                .map(table -> value(shard,
                        "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '' ORDER BY id)), '') FROM tenant." + table + " t"))
                .collect(Collectors.joining("\n"));
    }

    /** Returns the processes of functions with a handler in an account, with their environment. */
    Map<ProcessHandle, Map<String, String>> functions(String account, String handler) {
        var found = new LinkedHashMap<ProcessHandle, Map<String, String>>();
        ProcessHandle.allProcesses().forEach(process -> environment(process.pid()).ifPresent(environment -> {
            String name = environment.getOrDefault("AWS_LAMBDA_FUNCTION_NAME", "");
            if (environment.getOrDefault("LAMBDA_TASK_ROOT", "").startsWith(files.home().toString())
                    && (name.matches(account + "-.*" + handler + ".*")
                            || name.equals("lockstep-" + handler) && isOf(account, environment)))
                found.put(process, environment);
        }));
        return found;
    }

    /** Returns the tasks that do a step of a state machine. */
    List<ProcessHandle> tasks(String step) {
        return ProcessHandle.allProcesses().filter(process -> environment(process.pid())
                .filter(own -> step.equals(own.get("STEP")) && own.containsKey("TASK_TOKEN")
                        && own.getOrDefault("TASK_IMAGES", "").startsWith(files.home().toString()))
                .isPresent()).toList();
    }

    /** Each account has a function with this name. */
    private boolean isOf(String account, Map<String, String> environment) {
        try (var sts = as(account, environment).client(StsClient.builder())) {
            return sts.getCallerIdentity().account().equals(account(account).id());
        }
    }

    private AccountAccess as(String account, Map<String, String> environment) {
        return root(account).with(StaticCredentialsProvider.create(AwsSessionCredentials.create(environment.get("AWS_ACCESS_KEY_ID"),
                environment.get("AWS_SECRET_ACCESS_KEY"), environment.get("AWS_SESSION_TOKEN"))));
    }

    /** Returns access with the execution role's credentials of a function that has run. */
    AccountAccess asFunction(String account, String handler) {
        var environment = functions(account, handler).values().stream().findFirst()
                .orElseThrow(() -> new IllegalStateException("no process of " + handler + " in " + account));
        return as(account, environment);
    }

    private static Optional<Map<String, String>> environment(long pid) {
        try {
            return Optional.of(Arrays
                    .stream(Files.readString(Path.of("/proc", Long.toString(pid), "environ"), StandardCharsets.ISO_8859_1).split("\0"))
                    .filter(entry -> entry.contains("="))
                    .collect(Collectors.toMap(e -> e.substring(0, e.indexOf('=')), e -> e.substring(e.indexOf('=') + 1), (a, b) -> a)));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Runs work while the function that receives notifications in demo is disabled. */
    void whileNobodyListensAtTheDemo(Consumer<String> work) {
        try (var lambda = root("demo").client(LambdaClient.builder()); var sqs = root("demo").client(SqsClient.builder())) {
            var mapping = lambda.listEventSourceMappings().eventSourceMappings().stream()
                    .filter(m -> m.functionArn().contains("StartRestore")).findFirst().orElseThrow();
            String queue = sqs
                    .getQueueUrl(r -> r.queueName(mapping.eventSourceArn().substring(mapping.eventSourceArn().lastIndexOf(':') + 1)))
                    .queueUrl();
            lambda.updateEventSourceMapping(r -> r.uuid(mapping.uuid()).enabled(false));
            try {
                work.accept(queue);
            } finally {
                lambda.updateEventSourceMapping(r -> r.uuid(mapping.uuid()).enabled(true));
            }
        }
    }

    static void await(String what, Duration patience, BooleanSupplier reached) {
        var deadline = Instant.now().plus(patience);
        while (!reached.getAsBoolean()) {
            if (Instant.now().isAfter(deadline)) throw new AssertionError("not reached after " + patience + ": " + what);
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
