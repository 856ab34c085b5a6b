package lockstep.cli.cloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a local cloud remembers between commands.
 *
 * @param databases by account name
 * @param deployed  by account name: the fingerprint of what was deployed there, and into which emulator
 */
record CloudState(Optional<EmulatorState> emulator, Map<String, DatabaseState> databases, Map<String, String> deployed) {

    /**
     * @param instance      differs for each start: an emulator that was started anew knows nothing of earlier deployments
     * @param configuration fingerprint of what it was started with
     */
    record EmulatorState(int port, ProcessIdentity process, String instance, String configuration) {}

    record DatabaseState(int port, String password) {}

    CloudState {
        databases = Map.copyOf(databases);
        deployed = Map.copyOf(deployed);
    }

    CloudState withEmulator(Optional<EmulatorState> started) {
        return new CloudState(started, databases, deployed);
    }

    CloudState withDatabase(String account, DatabaseState database) {
        return new CloudState(emulator, with(databases, account, database), deployed);
    }

    CloudState withDeployed(String account, String fingerprint) {
        return new CloudState(emulator, databases, with(deployed, account, fingerprint));
    }

    private static <V> Map<String, V> with(Map<String, V> map, String key, V value) {
        var changed = new TreeMap<>(map);
        changed.put(key, value);
        return changed;
    }

    /** The state file. One command writes at a time (see {@link CloudFiles#exclusively}), several of its threads may. */
    static final class Store {
        private static final JsonMapper JSON = JsonMapper.builder().build();
        private final CloudFiles files;

        Store(CloudFiles files) {
            this.files = files;
        }

        synchronized CloudState read() {
            try {
                return Files.exists(files.state())
                        ? JSON.readValue(Files.readAllBytes(files.state()), CloudState.class)
                        : new CloudState(Optional.empty(), Map.of(), Map.of());
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + files.state(), e);
            }
        }

        synchronized void update(UnaryOperator<CloudState> change) {
            CloudFiles.writePrivately(files.state(), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(change.apply(read())));
        }
    }

    /** The remembered port when it is still free on loopback, or else any free one. */
    static int freePort(Optional<Integer> remembered) {
        if (remembered.isPresent()) {
            try (var socket = new ServerSocket(remembered.get(), 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                // somebody else has it now: take another
            }
        }
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port on loopback", e);
        }
    }
}
