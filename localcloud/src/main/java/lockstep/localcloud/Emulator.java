package lockstep.localcloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import javax.net.ssl.SSLContext;
import lockstep.accounts.LocalEndpoint;
import lockstep.localcloud.CloudState.EmulatorState;
import lockstep.poll.Poll;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;

/**
 * The emulator of the accounts: one process that serves the AWS API over TLS and evaluates IAM, and the functions that it starts, all in
 * one process group. It stores nothing on disk. After a restart it is empty, and everything is deployed again.
 */
public final class Emulator {
    private static final Duration START_PATIENCE = Duration.ofSeconds(60);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(5);
    private final ProjectFiles files;
    private final CloudState.Store store;
    private final Certificates certificates;
    private final String region;

    public Emulator(ProjectFiles files, CloudState.Store store, String region) {
        this.files = files;
        this.store = store;
        this.certificates = Certificates.in(files.certificates());
        this.region = region;
    }

    /** Starts the emulator, unless it runs with the current version, configuration and certificate. */
    public void ensure() {
        var known = store.read().emulator();
        if (known.isPresent() && known.get().process().running().isPresent()
                && configuration(known.get().port()).equals(known.get().configuration())
                && answersSoon(endpoint(certificates, known.get()), () -> known.get().process().running().isPresent())) {
            return;
        }
        stop();
        int port = CloudState.freePort(known.map(EmulatorState::port));
        try {
            Files.deleteIfExists(files.log("emulator"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ProjectFiles.deleteTree(files.emulator().resolve("tmp"));
        files.create();
        var process = command(port).start();
        var started = new EmulatorState(port, ProcessIdentity.of(process.toHandle()), UUID.randomUUID().toString(), configuration(port));
        store.update(state -> state.withEmulator(Optional.of(started)));
        if (!answersSoon(endpoint(certificates, started), process::isAlive)) {
            throw new UserFault("the emulator did not start", files.log("emulator"));
        }
    }

    /** Waits for an answer, because on a busy machine a restart would needlessly lose the contents of the accounts. */
    private boolean answersSoon(LocalEndpoint endpoint, BooleanSupplier lives) {
        return Poll.within(START_PATIENCE, () -> !lives.getAsBoolean() || answers(endpoint)) && lives.getAsBoolean();
    }

    /** Stops the emulator and all functions that it started. */
    public void stop() {
        store.read().emulator().ifPresent(known -> {
            members(known).forEach(ProcessHandle::destroy);
            Poll.within(STOP_PATIENCE, () -> members(known).isEmpty());
            members(known).forEach(ProcessHandle::destroyForcibly);
            if (!Poll.within(STOP_PATIENCE, () -> members(known).isEmpty()))
                throw new UserFault("processes of the emulator did not end: " + members(known));
            // the port is kept, so that addresses that users noted stay valid
        });
    }

    /**
     * Returns the processes of the emulator: itself, identified by pid and start time, its descendants, and those of its process group that
     * run from our files.
     */
    List<ProcessHandle> members(EmulatorState known) {
        var leader = known.process().running();
        String home = files.home().toString() + "/";
        return known.process().group().stream()
                .filter(process -> leader.map(process::equals).orElse(false)
                        || process.info().commandLine().map(line -> line.contains(home)).orElse(false)
                        || leader.isPresent() && descends(process, leader.get()))
                .toList();
    }

    public static LocalEndpoint endpoint(Certificates certificates, EmulatorState emulator) {
        return new LocalEndpoint(URI.create("https://127.0.0.1:" + emulator.port()), certificates.authority(), certificates.trustStore());
    }

    private String configuration(int port) {
        try {
            String requirements = Files.readString(files.project().resolve("emulator/requirements.txt"))
                    + Files.readString(files.project().resolve("emulator/lean.py"))
                    + Files.readString(files.project().resolve("emulator/tasks.py"))
                    + Files.readString(certificates.authority());
            var command = command(port);
            return ProjectFiles
                    .digest((command.line() + "\n" + command.ownEnvironment() + "\n" + requirements).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Command command(int port) {
        var environment = Command.cleanEnvironment(files);
        environment.putAll(Map.of(
                "USE_SSL", "1", "AUTH", "true", "GATEWAY_PORT", String.valueOf(port), "MINISTACK_REGION", region,
                "MINISTACK_SSL_CERT", certificates.certificate().toString(), "MINISTACK_SSL_KEY", certificates.key().toString(),
                "BIND_HOST", "127.0.0.1", "SFTP_ENABLED", "0", "IOT_MTLS_ENABLED", "0"));
        // functions inherit the environment of the emulator, and need the endpoint and the certificate
        environment.put("AWS_ENDPOINT_URL", "https://127.0.0.1:" + port);
        // a separate directory, because it is emptied at each start
        environment.put("TMPDIR", files.emulator().resolve("tmp").toString());
        environment.put("AWS_CA_BUNDLE", certificates.authority().toString());
        // each function is a JVM of 150 MB
        environment.put("LAMBDA_WARM_TTL_SECONDS", "60");
        environment.put("TASK_IMAGES", files.emulator().resolve("images").toString());
        environment.put("PYTHONPATH", files.project().resolve("emulator").toString());
        environment.put("PYTHONUNBUFFERED", "1");
        // run with hypercorn, because its own command would also try to listen on port 443
        return new Command(List.of(files.python().toString(), "-m", "hypercorn", "lean:app", "--bind", "127.0.0.1:" + port,
                "--certfile", certificates.certificate().toString(), "--keyfile", certificates.key().toString(), "--keep-alive", "75",
                "--workers", "0"),
                files.emulator(), environment, files.log("emulator")).detached(files);
    }

    private boolean answers(LocalEndpoint endpoint) {
        try (var probe = new Socket()) {
            probe.connect(new InetSocketAddress("127.0.0.1", endpoint.uri().getPort()), 500);
        } catch (IOException e) {
            return false;
        }
        try (var client = HttpClient.newBuilder().sslContext(trusting(endpoint)).connectTimeout(Duration.ofSeconds(2)).build()) {
            var request = HttpRequest.newBuilder(endpoint.uri().resolve("/_ministack/ready")).timeout(Duration.ofSeconds(5)).build();
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserFault("interrupted", e);
        }
    }

    private static SSLContext trusting(LocalEndpoint endpoint) {
        try {
            var context = SSLContext.getInstance("TLS");
            context.init(null, endpoint.trust(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new UserFault("this Java runtime has no TLS", e);
        }
    }

    private static boolean descends(ProcessHandle process, ProcessHandle ancestor) {
        return process.parent().map(parent -> parent.equals(ancestor) || descends(parent, ancestor)).orElse(false);
    }
}
