package lockstep.localcloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import lockstep.project.ProjectFiles;
import tools.jackson.databind.json.JsonMapper;

/**
 * The state of a local cloud that is kept between commands.
 *
 * @param databases the databases by account name
 * @param deployed  the emulator instance by bootstrapped account, and the instance and fingerprint of the last deployment by account and
 *         stack
 * @param tasks     the running processes by task and slot (see {@link LocalTask}), or by name
 * @param serving   the slot that serves requests by task name
 * @param completed the fingerprint of the last run by task and container that runs to completion
 * @param ports     the ports by task, slot, container and variable; chosen once, so that addresses stay the same
 */
public record CloudState(Optional<EmulatorState> emulator, Map<String, DatabaseState> databases, Map<String, String> deployed,
        Map<String, TaskState> tasks,
        Map<String, String> serving, Map<String, String> completed, Map<String, Integer> ports) {
    static final CloudState EMPTY = new CloudState(Optional.empty(), Map.of(), Map.of(), Map.of(), Map.of(), Map.of(), Map.of());

    /**
     * @param instance      differs for each start, because a restarted emulator has lost all earlier deployments
     * @param configuration the fingerprint of its configuration
     */
    public record EmulatorState(int port, ProcessIdentity process, String instance, String configuration) {}

    record DatabaseState(int port, String password) {}

    /**
     * @param fingerprint the fingerprint of its definition
     * @param containers  the containers in start order, without those that run to completion
     */
    public record TaskState(String fingerprint, List<ContainerState> containers) {}

    /** @param stopSignal the signal name without SIG */
    public record ContainerState(String name, ProcessIdentity process, String stopSignal, int stopTimeoutSeconds) {}

    /** Accepts missing fields, because an earlier version may have written the state. */
    public CloudState {
        databases = databases == null ? Map.of() : Map.copyOf(databases);
        deployed = deployed == null ? Map.of() : Map.copyOf(deployed);
        tasks = tasks == null ? Map.of() : Map.copyOf(tasks);
        serving = serving == null ? Map.of() : Map.copyOf(serving);
        completed = completed == null ? Map.of() : Map.copyOf(completed);
        ports = ports == null ? Map.of() : Map.copyOf(ports);
    }

    CloudState withEmulator(Optional<EmulatorState> started) {
        return new CloudState(started, databases, deployed, tasks, serving, completed, ports);
    }

    CloudState withDatabase(String account, DatabaseState database) {
        return new CloudState(emulator, with(databases, account, database), deployed, tasks, serving, completed, ports);
    }

    CloudState withDeployed(String what, String fingerprint) {
        return new CloudState(emulator, databases, with(deployed, what, fingerprint), tasks, serving, completed, ports);
    }

    CloudState withTask(String task, TaskState state) {
        return new CloudState(emulator, databases, deployed, with(tasks, task, state), serving, completed, ports);
    }

    CloudState withoutTask(String task) {
        var left = new TreeMap<>(tasks);
        left.remove(task);
        return new CloudState(emulator, databases, deployed, left, serving, completed, ports);
    }

    CloudState withServing(String task, String slot) {
        return new CloudState(emulator, databases, deployed, tasks, with(serving, task, slot), completed, ports);
    }

    CloudState withCompleted(String container, String fingerprint) {
        return new CloudState(emulator, databases, deployed, tasks, serving, with(completed, container, fingerprint), ports);
    }

    CloudState withPort(String name, int port) {
        return new CloudState(emulator, databases, deployed, tasks, serving, completed, with(ports, name, port));
    }

    /** Removes everything that is stored for a deleted shard. */
    CloudState without(String stack, String taskPrefix) {
        var left = new TreeMap<>(deployed);
        left.remove(stack);
        var leftCompleted = new TreeMap<>(completed);
        leftCompleted.keySet().removeIf(name -> name.startsWith(taskPrefix));
        var leftPorts = new TreeMap<>(ports);
        leftPorts.keySet().removeIf(name -> name.startsWith(taskPrefix));
        return new CloudState(emulator, databases, left, tasks, serving, leftCompleted, leftPorts);
    }

    private static <V> Map<String, V> with(Map<String, V> map, String key, V value) {
        var changed = new TreeMap<>(map);
        changed.put(key, value);
        return changed;
    }

    /** The state file. Only one command writes at a time (see {@link ProjectFiles#exclusively}), but from several threads. */
    public static final class Store {
        private static final JsonMapper JSON = JsonMapper.builder().build();
        private final ProjectFiles files;

        public Store(ProjectFiles files) {
            this.files = files;
        }

        public synchronized CloudState read() {
            try {
                return Files.exists(files.state())
                        ? JSON.readValue(Files.readAllBytes(files.state()), CloudState.class)
                        : EMPTY;
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + files.state(), e);
            }
        }

        synchronized void update(UnaryOperator<CloudState> change) {
            ProjectFiles.writePrivately(files.state(), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(change.apply(read())));
        }
    }

    /** Returns the port of a name. A new name gets a free port that no other name has. */
    static int port(Store store, String name) {
        synchronized (store) {
            var known = store.read().ports();
            if (known.containsKey(name)) {
                return known.get(name);
            }
            int port = freePort(Optional.empty());
            while (known.containsValue(port)) {
                port = freePort(Optional.empty());
            }
            int chosen = port;
            store.update(state -> state.withPort(name, chosen));
            return chosen;
        }
    }

    /** Replaces the ports of names with a prefix that another process has taken. */
    static void renewPorts(Store store, String prefix) {
        store.read().ports().forEach((name, number) -> {
            if (name.startsWith(prefix)) {
                int free = freePort(Optional.of(number));
                if (free != number) {
                    store.update(state -> state.withPort(name, free));
                }
            }
        });
    }

    /** Returns the remembered port if it is still free on loopback, or any free port. */
    public static int freePort(Optional<Integer> remembered) {
        if (remembered.isPresent()) {
            try (var socket = new ServerSocket(remembered.get(), 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                // another process has taken it, so choose another port
            }
        }
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot find a free port on loopback", e);
        }
    }
}
