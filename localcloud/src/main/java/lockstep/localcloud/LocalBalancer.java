package lockstep.localcloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import lockstep.localcloud.CloudState.ContainerState;
import lockstep.localcloud.CloudState.TaskState;
import lockstep.poll.Poll;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;

/**
 * The local replacement for the load balancers in front of the proxies: one nginx that forwards TCP connections, so that the address stays
 * the same while the task behind it changes. Open connections stay with their task until it closes them.
 */
final class LocalBalancer {
    private static final String NAME = "balancer";
    /** Suffixes of port names in {@link CloudState}: the port that clients connect to, and the port of the proxy. */
    private static final String FROM = "/from";
    private static final String TO = "/to";
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private final ProjectFiles files;
    private final CloudState.Store store;

    LocalBalancer(ProjectFiles files, CloudState.Store store) {
        this.files = files;
        this.store = store;
    }

    /** Returns the loopback port for the clients of a proxy; empty before {@link #route}. */
    static Optional<Integer> port(CloudState state, String proxy) {
        return Optional.ofNullable(state.ports().get(NAME + "/" + proxy + FROM));
    }

    /** Routes new connections for a proxy to a port, and returns when the change is in effect. */
    synchronized void route(String proxy, int port) {
        store.update(state -> state.withPort(NAME + "/" + proxy + TO, port));
        ensure();
    }

    /** Removes proxies that are no longer deployed. */
    synchronized void retain(Collection<String> proxies) {
        var gone = targets().keySet().stream().filter(proxy -> !proxies.contains(proxy)).toList();
        if (!gone.isEmpty()) {
            gone.forEach(proxy -> store.update(state -> state.without("", NAME + "/" + proxy + "/")));
            ensure();
        }
    }

    private void ensure() {
        var running = Optional.ofNullable(store.read().tasks().get(NAME)).map(state -> state.containers().getFirst().process())
                .filter(process -> process.running().isPresent());
        if (running.isEmpty()) {
            targets().keySet().forEach(proxy -> CloudState.renewPorts(store, NAME + "/" + proxy + FROM));
        }
        String configuration = configuration();
        String fingerprint = ProjectFiles.digest(configuration.getBytes(StandardCharsets.UTF_8));
        if (running.isPresent() && store.read().tasks().get(NAME).fingerprint().equals(fingerprint)) {
            return;
        }
        try {
            Files.createDirectories(directory());
            ProjectFiles.writePrivately(directory().resolve("nginx.conf"), configuration.getBytes(StandardCharsets.UTF_8));
            if (running.isPresent()) {
                reload(running.get());
            } else {
                start();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        store.update(state -> state.withTask(NAME, new TaskState(fingerprint, state.tasks().get(NAME).containers())));
    }

    private void start() throws IOException {
        Files.deleteIfExists(files.log(NAME));
        var process = new Command(List.of(files.nginx().toString(), "-e", "stderr", "-p", directory() + "/", "-c", "nginx.conf"),
                directory(), Command.cleanEnvironment(files), files.log(NAME))
                .detached(files).start();
        var identity = ProcessIdentity.of(process.toHandle());
        store.update(state -> state.withTask(NAME, new TaskState("", List.of(new ContainerState("nginx", identity, "TERM", 5)))));
        await("did not start", identity, () -> !workers(identity).isEmpty());
    }

    /**
     * Reloads the configuration. Old workers keep their connections; once their process title says that they shut down, they accept no new
     * ones.
     */
    private void reload(ProcessIdentity master) {
        var before = workers(master).stream().map(ProcessHandle::pid).collect(Collectors.toSet());
        master.signal("HUP");
        await("does not use its new configuration", master,
                () -> !workers(master).isEmpty() && workers(master).stream().noneMatch(worker -> before.contains(worker.pid())));
    }

    /** Returns the workers that accept connections. */
    private static List<ProcessHandle> workers(ProcessIdentity master) {
        return master.group().stream().filter(process -> process.pid() != master.pid())
                .filter(process -> process.info().commandLine()
                        .map(line -> line.contains("worker process") && !line.contains("shutting down")).orElse(false))
                .toList();
    }

    private void await(String problem, ProcessIdentity master, BooleanSupplier done) {
        boolean ended = Poll.within(PATIENCE, () -> done.getAsBoolean() || master.running().isEmpty());
        if (!ended || !done.getAsBoolean()) throw new UserFault("the balancer in front of the first hops " + problem, files.log(NAME));
    }

    private String configuration() {
        String module = Files.exists(files.nginxStream()) ? "load_module " + files.nginxStream() + ";\n" : "";
        return module + """
                daemon off;
                worker_processes 1;
                pid nginx.pid;
                error_log stderr warn;
                events {
                    worker_connections 4096;
                }
                stream {
                    proxy_connect_timeout 5s;
                    proxy_timeout 1h;
                """
                + targets().entrySet().stream()
                        .map(target -> "    server { listen 127.0.0.1:" + CloudState.port(store, NAME + "/" + target.getKey() + FROM)
                                + "; proxy_pass 127.0.0.1:" + target.getValue() + "; }\n")
                        .collect(Collectors.joining())
                + "}\n";
    }

    /** Returns the target port of each proxy. */
    private Map<String, Integer> targets() {
        return store.read().ports().entrySet().stream().filter(port -> port.getKey().startsWith(NAME + "/") && port.getKey().endsWith(TO))
                .collect(Collectors.toMap(port -> port.getKey().substring(NAME.length() + 1, port.getKey().length() - TO.length()),
                        Map.Entry::getValue, (one, other) -> one, TreeMap::new));
    }

    private Path directory() {
        return files.volumes().resolve(NAME);
    }
}
