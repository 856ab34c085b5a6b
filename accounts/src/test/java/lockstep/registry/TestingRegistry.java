package lockstep.registry;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;

/**
 * A registry in a separate process that stands for that of an account: go-containerregistry, built from {@code
 * src/test/resources/registry}.
 */
final class TestingRegistry implements AutoCloseable {
    private final Process process;
    private final URI address;
    private final String password;
    private final SdkHttpClient http = Apache5HttpClient.create();

    /** @param program see {@link #build} */
    TestingRegistry(Path program, String password) throws IOException {
        this.password = password;
        var builder = new ProcessBuilder(program.toString()).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("REGISTRY_PASSWORD", password);
        process = builder.start();
        address = URI.create("http://" + process.inputReader().readLine());
    }

    static Path build(Path into) throws IOException, InterruptedException {
        Path program = into.resolve("registry");
        Path log = into.resolve("registry.log");
        var process = new ProcessBuilder("go", "build", "-mod=readonly", "-o", program.toString(), ".")
                .directory(Path.of("src/test/resources/registry").toFile())
                .redirectErrorStream(true).redirectOutput(log.toFile()).start();
        if (process.waitFor() != 0) throw new IOException("the registry can't be built: " + Files.readString(log));
        return program;
    }

    ImageRegistry open() {
        return open(password);
    }

    ImageRegistry open(String password) {
        return new ImageRegistry(http, address, Optional.of("Basic " + basic(password)));
    }

    /** Downloads like a container host, with a client that is independent of the one that pushed. */
    HttpResponse<byte[]> get(String path) throws IOException, InterruptedException {
        try (var client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(address.resolve(path)).header("Authorization", "Basic " + basic(password))
                    .header("Accept", ImageLayout.MANIFEST).build(), HttpResponse.BodyHandlers.ofByteArray());
        }
    }

    List<String> tags(String repository) throws IOException, InterruptedException {
        return new tools.jackson.databind.json.JsonMapper().readTree(get("/v2/" + repository + "/tags/list").body()).path("tags")
                .valueStream().map(tag -> tag.asString()).toList();
    }

    private static String basic(String password) {
        return Base64.getEncoder().encodeToString(("AWS:" + password).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        http.close();
        process.destroy();
    }
}
