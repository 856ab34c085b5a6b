package lockstep.localcloud;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import lockstep.localcloud.CloudState.DatabaseState;
import lockstep.localcloud.CloudState.EmulatorState;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CloudStateTest {
    @TempDir private Path directory;

    @Test
    void whatWasWrittenIsReadAgainAndNobodyElseMayReadIt() throws Exception {
        var files = new ProjectFiles(directory, directory, directory.resolve("cloud"));
        files.create();
        var store = new CloudState.Store(files);
        var emulator = new EmulatorState(4566, new ProcessIdentity(17, Instant.parse("2026-01-01T00:00:00.120Z")), "first",
                "as configured");
        store.update(state -> state.withEmulator(Optional.of(emulator)).withDatabase("demo", new DatabaseState(5432, "secret"))
                .withDeployed("demo", "digest"));

        var read = new CloudState.Store(files).read();
        assertEquals(Optional.of(emulator), read.emulator());
        assertEquals(new DatabaseState(5432, "secret"), read.databases().get("demo"));
        assertEquals("digest", read.deployed().get("demo"));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(files.state())));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(files.home())));
    }

    @Test
    void aPortIsKeptWhileItIsFree() throws Exception {
        int port = CloudState.freePort(Optional.empty());
        assertEquals(port, CloudState.freePort(Optional.of(port)));
        try (var other = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            assertNotEquals(port, CloudState.freePort(Optional.of(other.getLocalPort())));
        }
    }

    @Test
    void aReusedPidIsNotTheProcess() throws Exception {
        var process = new ProcessBuilder("sleep", "60").start();
        try {
            var identity = ProcessIdentity.of(process.toHandle());
            assertEquals(Optional.of(process.toHandle()), identity.running());
            assertEquals(Optional.empty(), new ProcessIdentity(identity.pid(), identity.startedAt().minusSeconds(60)).running());
        } finally {
            process.destroyForcibly();
            assertTrue(process.waitFor(10, TimeUnit.SECONDS));
        }
        assertFalse(ProcessIdentity.of(ProcessHandle.current()).running().isEmpty());
    }
}
