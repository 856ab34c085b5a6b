package lockstep.localcloud;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import lockstep.localcloud.CloudState.DatabaseState;
import lockstep.poll.Poll;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/** A PostgreSQL server for the shards of one account. It listens on loopback, accepts only TLS, and keeps running after the command. */
public final class PostgresServer {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private final ProjectFiles files;
    private final CloudState.Store store;
    private final Certificates certificates;
    private final String account;
    private final Path data;

    public PostgresServer(ProjectFiles files, CloudState.Store store, String account) {
        this.files = files;
        this.store = store;
        this.certificates = Certificates.in(files.certificates());
        this.account = account;
        this.data = files.database(account);
    }

    /** Starts the server if it is not running. Existing data is kept. */
    public void ensure() {
        if (running().isPresent()) {
            return;
        }
        var remembered = Optional.ofNullable(store.read().databases().get(account));
        String password = remembered.map(DatabaseState::password).orElseGet(PostgresServer::randomPassword);
        int port = CloudState.freePort(remembered.map(DatabaseState::port));
        store.update(state -> state.withDatabase(account, new DatabaseState(port, password)));
        if (!Files.exists(data.resolve("PG_VERSION"))) {
            initialize(password);
        }
        configure(port);
        try {
            // left by a server that no longer runs; if another process has its pid, PostgreSQL would refuse to start
            Files.deleteIfExists(data.resolve("postmaster.pid"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        postgres("pg_ctl", "start", "-w", "-t", String.valueOf(PATIENCE.toSeconds()), "-D", data.toString(), "-l", log().toString())
                .run("starting PostgreSQL for " + account);
    }

    /** Stops the server like {@code pg_ctl stop -m fast}: sessions are terminated and data is flushed to disk. */
    public void stop() {
        running().ifPresent(server -> {
            ProcessIdentity.of(server).signal("INT");
            if (!Poll.within(PATIENCE, () -> !server.isAlive())) {
                ProcessIdentity.of(server).signal("QUIT");
                server.onExit().orTimeout(10, java.util.concurrent.TimeUnit.SECONDS).join();
            }
        });
    }

    /** Returns the process of the server from its pid file, unless another process now has that pid. */
    Optional<ProcessHandle> running() {
        try {
            var lines = Files.readAllLines(data.resolve("postmaster.pid"));
            return lines.size() < 3 ? Optional.empty()
                    : new ProcessIdentity(Long.parseLong(lines.get(0).strip()), Instant.ofEpochSecond(Long.parseLong(lines.get(2).strip())))
                            .running();
        } catch (java.nio.file.NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return state().port();
    }

    /** Connects as superuser, for administration. */
    public Connection connect(String database) throws SQLException {
        return connect(database, "postgres", state().password());
    }

    public Connection connect(String database, String user, String password) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("sslmode", "verify-full");
        properties.setProperty("sslrootcert", certificates.authority().toString());
        return DriverManager.getConnection("jdbc:postgresql://localhost:" + port() + "/" + database, properties);
    }

    private DatabaseState state() {
        return Optional.ofNullable(store.read().databases().get(account))
                .orElseThrow(() -> new UserFault("there is no database server for account '" + account + "': run lockstep up"));
    }

    private void initialize(String password) {
        ProjectFiles.deleteTree(data);
        Path passwordFile = data.resolveSibling(account + ".password");
        ProjectFiles.writePrivately(passwordFile, password.getBytes(StandardCharsets.UTF_8));
        try {
            postgres("initdb", "-D", data.toString(), "-U", "postgres", "--pwfile", passwordFile.toString(), "--auth=scram-sha-256", "-E",
                    "UTF8",
                    "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions")
                    .run("creating the database server of " + account);
        } catch (UserFault failed) {
            ProjectFiles.deleteTree(data);
            throw failed;
        } finally {
            passwordFile.toFile().delete();
        }
    }

    private void configure(int port) {
        ProjectFiles.writePrivately(data.resolve("postgresql.conf"), resource("postgresql.conf")
                .replace("@port@", String.valueOf(port))
                .replace("@certificate@", certificates.certificate().toString())
                .replace("@key@", certificates.key().toString()).getBytes(StandardCharsets.UTF_8));
        ProjectFiles.writePrivately(data.resolve("pg_hba.conf"), resource("pg_hba.conf").getBytes(StandardCharsets.UTF_8));
    }

    /** Creates a command that also works as root: PostgreSQL refuses to run as root, but in a new user namespace it runs as nobody. */
    private Command postgres(String program, String... arguments) {
        var line = new ArrayList<String>();
        if ("root".equals(System.getProperty("user.name"))) {
            line.addAll(List.of("unshare", "-U"));
        }
        line.add(distribution(files).resolve("bin").resolve(program).toString());
        line.addAll(List.of(arguments));
        var environment = Command.cleanEnvironment(files);
        environment.put("TZ", "UTC");
        return new Command(line, files.home(), environment, files.log("postgres-" + account + "-" + program));
    }

    private Path log() {
        return files.log("postgres-" + account);
    }

    /** Unpacks the server if necessary. An interrupted attempt leaves nothing that looks complete. */
    static Path distribution(ProjectFiles files) {
        String machine = machine("x86_64", "arm_64");
        String archive = "/postgres-" + System.getProperty("os.name").toLowerCase(Locale.ROOT) + "-" + machine + ".txz";
        Path complete = files.tools().resolve("postgres");
        synchronized (PostgresServer.class) {
            if (Files.exists(complete)) {
                return complete;
            }
            try (InputStream in = PostgresServer.class.getResourceAsStream(archive)) {
                if (in == null) {
                    throw new UserFault("the local cloud runs on Linux only (no " + archive.substring(1) + ")");
                }
                Files.createDirectories(files.tools());
                Path partial = Files.createTempDirectory(files.tools(), "postgres-");
                unpack(in, partial);
                Files.move(partial, complete);
                return complete;
            } catch (IOException e) {
                throw new UncheckedIOException("cannot unpack PostgreSQL into " + complete, e);
            }
        }
    }

    /** Returns the name for the architecture of this machine. */
    static String machine(String amd64, String arm64) {
        return switch (System.getProperty("os.arch")) {
            case "amd64", "x86_64" -> amd64;
            case "aarch64", "arm64" -> arm64;
            case String other -> throw new UserFault("the local cloud does not support machines of type " + other);
        };
    }

    private static void unpack(InputStream in, Path directory) throws IOException {
        try (var tar = new TarArchiveInputStream(new XZCompressorInputStream(in))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path target = directory.resolve(entry.getName()).normalize();
                if (!target.startsWith(directory)) {
                    throw new IOException("path outside the archive: " + entry.getName());
                }
                if (entry.isDirectory()) {
                    Files.createDirectories(target);
                } else if (entry.isSymbolicLink()) {
                    Files.createDirectories(target.getParent());
                    Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
                } else {
                    Files.createDirectories(target.getParent());
                    Files.copy(tar, target);
                    Files.setPosixFilePermissions(target,
                            PosixFilePermissions.fromString((entry.getMode() & 0100) != 0 ? "rwxr-xr-x" : "rw-r--r--"));
                }
            }
        }
    }

    private static String resource(String name) {
        try (InputStream in = PostgresServer.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String randomPassword() {
        byte[] bytes = new byte[24];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
