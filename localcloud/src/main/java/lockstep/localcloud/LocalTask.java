package lockstep.localcloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import lockstep.accounts.AccountAccess;
import lockstep.accounts.DeployedTask;
import lockstep.landscape.Edition;
import lockstep.landscape.Names;
import lockstep.localcloud.CloudState.ContainerState;
import lockstep.localcloud.CloudState.TaskState;
import lockstep.poll.Poll;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.services.ecs.model.ContainerCondition;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.ContainerDependency;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;
import software.amazon.awssdk.services.ecs.model.MountPoint;
import software.amazon.awssdk.services.ecs.model.Secret;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import tools.jackson.databind.json.JsonMapper;

/**
 * A task of a service, run as local processes instead of by ECS. There is always one task, whatever the desired count of the service. It is
 * replaced like an ECS blue/green deployment: a task has two slots, each with its own ports and volumes. The new version starts in the free
 * slot. When it is healthy, requests are routed to it, and then the old version stops. If it does not become healthy, the old version keeps
 * running.
 */
public final class LocalTask {
    private static final Duration START_PATIENCE = Duration.ofSeconds(90);
    private static final Duration KILL_PATIENCE = Duration.ofSeconds(30);
    private static final int DEFAULT_STOP_TIMEOUT = 30;
    private static final Duration SESSION = Duration.ofDays(365);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String BLUE = "blue";
    private static final String GREEN = "green";
    /** The slot of containers that run to completion. */
    private static final String ONCE = "once";
    private final ProjectFiles files;
    private final CloudState.Store store;
    private final ContainerImages images;
    private final AccountAccess account;
    private final String endpoint;
    private final Certificates certificates;
    private final DeployedTask task;
    private final String name;
    private AwsSessionCredentials credentials;
    /** The slot in which containers are started. */
    private String slot;
    /** The processes that this run started, by container. */
    private final Map<String, Process> processes = new HashMap<>();
    /** The values of secrets by {@code valueFrom}. */
    private final Map<String, String> secrets = new HashMap<>();

    LocalTask(ProjectFiles files, CloudState.Store store, ContainerImages images, LocalCloud cloud, DeployedTask task) {
        this.files = files;
        this.store = store;
        this.images = images;
        this.account = cloud.account(task.account());
        this.endpoint = cloud.endpoint().uri().toString();
        this.certificates = Certificates.in(files.certificates());
        this.task = task;
        this.name = name(task);
        this.slot = serving(store.read(), name);
    }

    private static String name(DeployedTask task) {
        return task.shard().map(LocalTask::name).orElseGet(() -> name(task.account().name(), task.edition()));
    }

    static String name(String shard) {
        return "shard-" + shard;
    }

    static String name(String account, Edition edition) {
        return Names.proxyStack(account, edition);
    }

    String name() {
        return name;
    }

    DeployedTask deployed() {
        return task;
    }

    /** Returns the slot that serves the requests of a task, or the first slot if it never ran. */
    public static String serving(CloudState state, String name) {
        return state.serving().getOrDefault(name, BLUE);
    }

    /** Returns the name of a slot of a task in {@link CloudState#tasks}. */
    public static String running(String name, String slot) {
        return name + "/" + slot;
    }

    /** Reports whether a name in {@link CloudState#tasks} is that of a slot of a task. */
    static boolean isTask(String running) {
        return running.contains("/");
    }

    /** Returns the loopback port for a variable of a container in the serving slot. */
    int servingPort(String container, String variable) {
        return CloudState.port(store, portName(serving(store.read(), name), container, variable));
    }

    private String portName(String slot, String container, String variable) {
        return running(name, slot) + "/" + container + "/" + variable;
    }

    /** Runs the containers whose completion others depend on, unless they completed with the same image, environment and secrets before. */
    void runToCompletion() {
        resolve();
        slot = ONCE;
        for (ContainerDefinition container : ordered()) {
            if (runsToCompletion(container)) {
                Path log = log(container);
                var command = command(container);
                String fingerprint = fingerprint(List.of(container));
                if (!fingerprint.equals(store.read().completed().get(name + "/" + container.name()))) {
                    command.run("container " + container.name() + " of " + name);
                    store.update(state -> state.withCompleted(name + "/" + container.name(), fingerprint));
                }
            }
        }
    }

    /** Runs a command in the environment of a container with a file as standard input, unless it completed before. */
    void runOnce(String container, List<String> command, Path input) {
        resolve();
        slot = ONCE;
        String key = name + "/" + command.getFirst();
        if (!store.read().completed().containsKey(key)) {
            command(task.container(container).toBuilder().command(command).build()).withInput(input)
                    .run(command.getFirst() + " in " + name);
            store.update(state -> state.withCompleted(key, "done"));
        }
    }

    /** Returns a task that can run something once while this one starts. */
    LocalTask copy(LocalCloud cloud) {
        return new LocalTask(files, store, images, cloud, task);
    }

    /** Runs a program of this machine with the variables of a container, unless it completed before with the same last argument. */
    void runHereOnce(String container, List<String> line, Path directory) {
        resolve();
        slot = ONCE;
        String what = line.getLast(), key = name + "/seed-" + what;
        if (store.read().completed().containsKey(key)) return;
        var environment = Command.cleanEnvironment(files);
        environment.putAll(environment(task.container(container)));
        environment.merge("PATH", files.python().getParent().toString(), (path, python) -> python + ":" + path);
        new Command(line, directory, environment, files.log(name + "-seed-" + what)).run("seed " + what + " of " + name);
        store.update(state -> state.withCompleted(key, "done"));
    }

    /**
     * Starts the other containers, unless they are running, healthy and up to date.
     *
     * @param route routes requests to {@link #servingPort}, and returns when the change is in effect
     * @return whether they were started
     */
    boolean ensure(Runnable route) {
        resolve();
        var containers = ordered().stream().filter(container -> !runsToCompletion(container)).toList();
        String serving = serving(store.read(), name);
        slot = serving;
        var known = Optional.ofNullable(store.read().tasks().get(running(name, serving)));
        boolean lives = known.isPresent() && known.get().containers().stream().anyMatch(state -> state.process().running().isPresent());
        String other = serving.equals(BLUE) ? GREEN : BLUE;
        if (lives && known.get().fingerprint().equals(fingerprint(containers)) && known.get().containers().size() == containers.size()
                && known.get().containers().stream().allMatch(state -> state.process().running().isPresent())
                && containers.stream().allMatch(container -> !hasHealthCheck(container) || isHealthy(container))) {
            route.run();
            // an interrupted command may have left the other slot running
            stop(files, store, running(name, other));
            return false;
        }
        slot = lives ? other : serving;
        start(containers);
        store.update(state -> state.withServing(name, slot));
        route.run();
        if (!slot.equals(serving)) {
            stop(files, store, running(name, serving));
        }
        return true;
    }

    /** Starts all containers in the slot. */
    private void start(List<ContainerDefinition> containers) {
        String running = running(name, slot);
        stop(files, store, running);
        CloudState.renewPorts(store, running + "/");
        var started = new LinkedHashMap<String, ContainerState>();
        try {
            for (ContainerDefinition container : containers) {
                for (ContainerDependency dependency : container.dependsOn()) {
                    await(dependency, started);
                }
                started.put(container.name(), start(container));
                store.update(state -> state.withTask(running, new TaskState("", List.copyOf(started.values()))));
            }
            for (ContainerDefinition container : containers) {
                if (hasHealthCheck(container)) {
                    awaitHealthy(container, started.get(container.name()));
                }
            }
        } catch (RuntimeException e) {
            stop(files, store, running);
            throw e;
        }
        String fingerprint = fingerprint(containers);
        store.update(state -> state.withTask(running, new TaskState(fingerprint, List.copyOf(started.values()))));
    }

    /** Stops a task like ECS: the containers in reverse order, each with its stop signal, and forcibly after its timeout. */
    static void stop(ProjectFiles files, CloudState.Store store, String running) {
        Optional.ofNullable(store.read().tasks().get(running)).ifPresent(state -> {
            state.containers().reversed().forEach(container -> stop(files, container));
            store.update(known -> known.withoutTask(running));
        });
    }

    private static void stop(ProjectFiles files, ContainerState container) {
        container.process().signal(container.stopSignal());
        Poll.within(Duration.ofSeconds(container.stopTimeoutSeconds()), () -> container.process().running().isEmpty());
        // when the first process of a container ends, the others are killed
        var left = members(files, container);
        left.forEach(ProcessHandle::destroyForcibly);
        if (!Poll.within(KILL_PATIENCE, () -> members(files, container).isEmpty()))
            throw new UserFault("processes of a container did not end: " + members(files, container));
    }

    /**
     * Returns the processes of a container: its whole group while the first process runs, otherwise those of the group that work in our
     * files.
     */
    static List<ProcessHandle> members(ProjectFiles files, ContainerState container) {
        boolean leads = container.process().running().isPresent();
        return container.process().group().stream().filter(process -> leads || worksIn(files.home(), process)).toList();
    }

    private static boolean worksIn(Path home, ProcessHandle process) {
        try {
            return Files.readSymbolicLink(Path.of("/proc", String.valueOf(process.pid()), "cwd")).startsWith(home);
        } catch (IOException ended) {
            return false;
        }
    }

    // --- starting ---

    private ContainerState start(ContainerDefinition container) {
        try {
            Files.deleteIfExists(log(container));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        var image = images.layOut(container.image()).image();
        var process = command(container).detached(files).start();
        processes.put(container.name(), process);
        return new ContainerState(container.name(), ProcessIdentity.of(process.toHandle()), image.stopSignal().replaceFirst("^SIG", ""),
                Optional.ofNullable(container.stopTimeout()).orElse(DEFAULT_STOP_TIMEOUT));
    }

    private Command command(ContainerDefinition container) {
        var laidOut = images.layOut(container.image());
        // an entry point in the task definition also overrides the command of the image
        var line = new ArrayList<>(container.entryPoint().isEmpty() ? laidOut.image().entrypoint() : container.entryPoint());
        line.addAll(container.command().isEmpty() && container.entryPoint().isEmpty() ? laidOut.image().command() : container.command());
        if (line.isEmpty()) {
            throw new UserFault("container " + container.name() + " of " + name + " has no command");
        }
        return new Command(line, directory(container), environment(container), log(container));
    }

    /** Returns the working directory of a container. */
    private Path directory(ContainerDefinition container) {
        var laidOut = images.layOut(container.image());
        return laidOut.root().resolve(laidOut.image().workingDirectory().substring(1));
    }

    Map<String, String> environment(ContainerDefinition container) {
        return local(container).of(deployedEnvironment(container));
    }

    /** Returns the environment of the container on AWS, from the image, the task definition and the secrets. */
    Map<String, String> deployedEnvironment(ContainerDefinition container) {
        var environment = new TreeMap<>(images.layOut(container.image()).image().environment());
        container.environment().stream().sorted(java.util.Comparator.comparing(KeyValuePair::name))
                .forEach(variable -> environment.put(variable.name(), variable.value()));
        container.secrets().forEach(secret -> environment.put(secret.name(), secrets.get(secret.valueFrom())));
        return environment;
    }

    private LocalEnvironment local(ContainerDefinition container) {
        Path directory = directory(container);
        var volumes = new TreeMap<String, Path>();
        for (MountPoint mount : container.mountPoints()) {
            // relative, because a socket path is limited to 107 bytes and the project may be deeply nested
            volumes.put(mount.containerPath(), directory.relativize(volume(mount.sourceVolume())));
        }
        return new LocalEnvironment(variable -> CloudState.port(store, portName(slot, container.name(), variable)), volumes, endpoint,
                certificates.authority(), credentials, files.nginx());
    }

    /** Returns the directory of a volume in the slot, which is created if necessary. */
    private Path volume(String volume) {
        try {
            return Files.createDirectories(files.volumes().resolve(name).resolve(slot).resolve(volume));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads the secrets with the execution role, and creates a long session of the task role, because nothing refreshes it locally. */
    private void resolve() {
        var definition = task.definition();
        var wanted = new HashSet<String>();
        definition.containerDefinitions().forEach(container -> container.secrets().stream().map(Secret::valueFrom).forEach(wanted::add));
        if (!wanted.isEmpty()) {
            var execution = account.assume(definition.executionRoleArn(), "lockstep-ecs-agent");
            try (var client = execution.client(SecretsManagerClient.builder())) {
                wanted.forEach(from -> secrets.put(from, secret(client, from)));
            }
        }
        if (credentials == null) {
            credentials = account.session(definition.taskRoleArn(), name, SESSION);
        }
    }

    /** Reads a secret like ECS: an ARN followed by a JSON key, version stage and version id, each of which may be empty. */
    private static String secret(SecretsManagerClient client, String from) {
        var parts = from.split(":", -1);
        String arn = String.join(":", List.of(parts).subList(0, 7));
        String text = client.getSecretValue(r -> r.secretId(arn)).secretString();
        return parts.length < 8 || parts[7].isEmpty() ? text : JSON.readTree(text).get(parts[7]).asString();
    }

    /**
     * Returns a fingerprint of everything that a start depends on. The credentials differ each time, so the emulator instance represents
     * them.
     */
    private String fingerprint(List<ContainerDefinition> containers) {
        var text = new StringBuilder(store.read().emulator().orElseThrow().instance());
        for (ContainerDefinition container : containers) {
            var command = command(container);
            var environment = new TreeMap<>(command.environment());
            environment.keySet().removeAll(Set.of("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PATH"));
            text.append('\n').append(container.name()).append(command.line()).append(command.directory()).append(environment)
                    .append(healthCheck(container));
        }
        return ProjectFiles.digest(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    // --- dependencies and health ---

    /** Returns the containers in declaration order, but after their dependencies. */
    private List<ContainerDefinition> ordered() {
        var ordered = new LinkedHashMap<String, ContainerDefinition>();
        task.definition().containerDefinitions().forEach(container -> add(container, ordered, new HashSet<>()));
        return List.copyOf(ordered.values());
    }

    private void add(ContainerDefinition container, Map<String, ContainerDefinition> ordered, Set<String> under) {
        if (!under.add(container.name())) {
            throw new UserFault("the containers of " + name + " wait for each other: " + under);
        }
        container.dependsOn().forEach(dependency -> add(task.container(dependency.containerName()), ordered, new HashSet<>(under)));
        ordered.putIfAbsent(container.name(), container);
    }

    private boolean runsToCompletion(ContainerDefinition container) {
        return task.definition().containerDefinitions().stream().flatMap(other -> other.dependsOn().stream())
                .anyMatch(dependency -> dependency.containerName().equals(container.name())
                        && (dependency.condition() == ContainerCondition.SUCCESS || dependency.condition() == ContainerCondition.COMPLETE));
    }

    private void await(ContainerDependency dependency, Map<String, ContainerState> started) {
        switch (dependency.condition()) {
            case HEALTHY -> awaitHealthy(task.container(dependency.containerName()), started.get(dependency.containerName()));
            // containers that run to completion have already completed, and containers are started in dependency order
            case START, COMPLETE, SUCCESS -> {}
            case UNKNOWN_TO_SDK_VERSION -> throw new UserFault(
                    "container " + dependency.containerName() + " of " + name + ": unknown condition " + dependency.conditionAsString());
        }
    }

    private void awaitHealthy(ContainerDefinition container, ContainerState state) {
        boolean healthy = Poll.within(START_PATIENCE, () -> {
            if (isHealthy(container)) return true;
            if (state.process().running().isPresent()) return false;
            throw new UserFault("container " + container.name() + " of " + name + " has ended (exit code "
                    + processes.get(container.name()).onExit().join().exitValue() + ")", log(container));
        });
        if (!healthy) {
            throw new UserFault(
                    "container " + container.name() + " of " + name + " is not healthy after " + START_PATIENCE.toSeconds() + " s: "
                            + String.join(" ", healthCheck(container)),
                    log(container));
        }
    }

    private static boolean hasHealthCheck(ContainerDefinition container) {
        return container.healthCheck() != null && !container.healthCheck().command().isEmpty();
    }

    /** Returns the health check command that ECS would run in the container. */
    private List<String> healthCheck(ContainerDefinition container) {
        if (!hasHealthCheck(container)) {
            return List.of();
        }
        var command = container.healthCheck().command();
        return switch (command.getFirst()) {
            case "CMD-SHELL" -> List.of("sh", "-c", command.get(1));
            case "CMD" -> command.subList(1, command.size());
            case String other ->
                    throw new UserFault("container " + container.name() + " of " + name + ": unknown kind of health check " + other);
        };
    }

    private boolean isHealthy(ContainerDefinition container) {
        var command = command(container);
        var check = new Command(healthCheck(container), command.directory(), command.environment(),
                files.log(name + "-" + container.name() + "-health")).start();
        try {
            int timeout = Optional.ofNullable(container.healthCheck().timeout()).orElse(5);
            boolean ended = check.waitFor(timeout, TimeUnit.SECONDS);
            check.destroyForcibly();
            return ended && check.exitValue() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserFault("interrupted", e);
        }
    }

    private Path log(ContainerDefinition container) {
        return files.log(name + "-" + container.name());
    }
}
