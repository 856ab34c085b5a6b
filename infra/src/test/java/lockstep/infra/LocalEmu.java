package lockstep.infra;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import lockstep.poll.Poll;

/**
 * The second emulator, PyPI's localemu, with Step Functions and S3. It knows no signatures, so that a plain HTTP client can call it.
 * {@code localemu.json} has the mocked results of tasks: a state machine's name is that of a test case.
 */
final class LocalEmu implements AutoCloseable {
    static final Path PYTHON = LintTest.TOOLS.resolve("localemu/bin/python");
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final HttpClient client = HttpClient.newHttpClient();
    private final URI endpoint;
    private final Process process;

    LocalEmu(Path directory) throws IOException {
        int port;
        try (var free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        endpoint = URI.create("http://127.0.0.1:" + port);
        var builder = new ProcessBuilder(PYTHON.toString(), "-m", "localemu.runtime.main").redirectErrorStream(true)
                .redirectOutput(Path.of("target", "localemu.log").toFile());
        builder.environment().keySet().removeIf(name -> !name.equals("PATH"));
        builder.environment().putAll(Map.of("GATEWAY_LISTEN", "127.0.0.1:" + port, "SERVICES", "stepfunctions,s3,sts,events",
                "SFN_MOCK_CONFIG", Path.of("src/test/resources/localemu.json").toAbsolutePath().toString(), "DISABLE_EVENTS", "1",
                "SKIP_SSL_CERT_DOWNLOAD", "1", "HOME", directory.toString(), "LOCALEMU_VOLUME_DIR", directory.toString()));
        process = builder.start();
        if (!Poll.within(PATIENCE, this::ready)) {
            close();
            throw new AssertionError("localemu did not start: " + Files.readString(Path.of("target", "localemu.log")));
        }
    }

    private boolean ready() {
        try {
            return send(HttpRequest.newBuilder(endpoint.resolve("/_localemu/health"))).statusCode() == 200;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        client.close();
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
        }
    }

    /** Puts an object into a new bucket. */
    void put(String bucket, String key, String content) {
        for (var request : List.of(Map.entry("/" + bucket, ""), Map.entry("/" + bucket + "/" + key, content)))
            answer(request("s3", request.getKey()).PUT(HttpRequest.BodyPublishers.ofString(request.getValue())));
    }

    /** Calls an operation of Step Functions. */
    JsonNode call(String operation, ObjectNode input) {
        try {
            return Assembly.JSON.readTree(answer(request("states", "/").header("Content-Type", "application/x-amz-json-1.0")
                    .header("X-Amz-Target", "AWSStepFunctions." + operation)
                    .POST(HttpRequest.BodyPublishers.ofString(input.toString()))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The service, account and region of a request come from its signature. */
    private HttpRequest.Builder request(String service, String path) {
        return HttpRequest.newBuilder(endpoint.resolve(path)).header("Authorization",
                "AWS4-HMAC-SHA256 Credential=111111111111/20260301/us-east-1/" + service
                        + "/aws4_request, SignedHeaders=host, Signature=0");
    }

    private String answer(HttpRequest.Builder request) {
        var response = send(request);
        if (response.statusCode() != 200) throw new AssertionError(response.statusCode() + ": " + response.body());
        return response.body();
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
