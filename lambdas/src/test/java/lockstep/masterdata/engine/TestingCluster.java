package lockstep.masterdata.engine;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import lockstep.masterdata.engine.TestingServer.TestingDatabase;

/**
 * A PostgreSQL server behind a {@link TestingWire} that can be restarted, crash, and run out of disk. Its databases are on their own small
 * disk, if one can be mounted.
 */
final class TestingCluster implements AutoCloseable {
    private static final AtomicInteger DATABASES = new AtomicInteger();
    private final EmbeddedPostgres server;
    private final Path data;
    private final List<String> command = new ArrayList<>();
    private final Path disk;
    private final boolean mounted;
    final TestingWire wire;

    TestingCluster() {
        try {
            server = EmbeddedPostgres.builder().setServerConfig("fsync", "off").setServerConfig("synchronous_commit", "on")
                    .setServerConfig("max_connections", "100").setServerConfig("max_prepared_transactions", "5")
                    .setServerConfig("shared_buffers", "32MB").start();
            var admin = database("postgres");
            data = Path.of(admin.value("SHOW data_directory"));
            // the server refuses to run as root, so it runs in a user namespace, as when it was started
            if (System.getProperty("user.name").equals("root")) command.addAll(List.of("unshare", "-U"));
            command.addAll(Arrays.asList(Files.readString(Path.of("/proc", pid(), "cmdline")).split("\0")));
            wire = new TestingWire(server.getPort());
            disk = Files.createTempDirectory("small-disk");
            mounted = run("mount", "-t", "tmpfs", "-o", "size=96m,mode=700", "tmpfs", disk.toString()) == 0;
            if (mounted) admin.execute("CREATE TABLESPACE small LOCATION '" + disk + "'");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reports whether {@link #fill} is possible. */
    boolean hasDisk() {
        return mounted;
    }

    TestingDatabase create() {
        return create("");
    }

    /** Copies a database, to which nobody may be connected. */
    TestingDatabase copy(TestingDatabase of) {
        return create(" TEMPLATE " + of.name() + " STRATEGY file_copy");
    }

    private TestingDatabase create(String how) {
        String name = "fault_" + DATABASES.incrementAndGet();
        database("postgres").execute("CREATE DATABASE " + name + how + (mounted ? " TABLESPACE small" : ""));
        return database(name);
    }

    void drop(TestingDatabase database) {
        database("postgres").execute("DROP DATABASE " + database.name() + " WITH (FORCE)");
    }

    private TestingDatabase database(String name) {
        return new TestingDatabase(server.getPort(), name, "postgres");
    }

    /** Terminates the backend of a client, like an administrator. */
    void terminate(int clientPort) {
        database("postgres").value("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_port = " + clientPort);
    }

    /** Kills the backend of a client with SIGKILL; the server then ends all others and recovers as after a crash. */
    void crash(int clientPort) {
        String pid = database("postgres").value("SELECT pid FROM pg_stat_activity WHERE client_port = " + clientPort);
        if (pid != null) run("kill", "-KILL", pid);
    }

    /** Stops the server, immediately or orderly, and starts it again after a while. */
    void restart(boolean immediate, Duration down) {
        try {
            var postmaster = ProcessHandle.of(Long.parseLong(pid())).orElseThrow();
            run("kill", immediate ? "-QUIT" : "-INT", Long.toString(postmaster.pid()));
            postmaster.onExit().join();
            Thread.sleep(down);
            new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(data.resolve("restarted.log").toFile())).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    void awaitUp() {
        for (int tries = 0;; tries++) {
            try {
                database("postgres").value("SELECT 1");
                return;
            } catch (Fault.Transient e) {
                if (tries > 200) throw e;
                pause(50);
            }
        }
    }

    /** Fills the disk with a file. */
    void fill() {
        run("dd", "if=/dev/zero", "of=" + disk.resolve("filler"), "bs=64k");
        run("dd", "if=/dev/zero", "of=" + disk.resolve("rest"), "bs=512");
    }

    void makeRoom() {
        run("rm", "-f", disk.resolve("filler").toString(), disk.resolve("rest").toString());
    }

    private String pid() throws IOException {
        return Files.readAllLines(data.resolve("postmaster.pid")).getFirst().strip();
    }

    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int run(String... command) {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws IOException {
        wire.close();
        server.close();
        if (mounted) run("umount", "--lazy", disk.toString());
        Files.deleteIfExists(disk);
    }
}
