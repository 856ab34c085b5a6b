package lockstep.registry;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpResponse;

/**
 * An image registry, such as ECR in an account. The blobs of the layout are pushed unchanged, so an image has the same digest in every
 * registry. jib-core does not fit: it can't push an OCI layout, because it writes a new configuration and compresses layers again, so the
 * digest that templates name would change. go-containerregistry could, as a further program that has to be compiled wherever a release is
 * built or deployed, where now only Java is needed.
 *
 * @see <a href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#push">OCI distribution: push</a>
 */
public final class ImageRegistry {
    private static final int ATTEMPTS = 3;
    private final SdkHttpClient http;
    private final URI address;
    private final Optional<String> authorization;

    /** @param authorization the value of the Authorization header; empty if none is needed */
    public ImageRegistry(SdkHttpClient http, URI address, Optional<String> authorization) {
        this.http = http;
        this.address = address;
        this.authorization = authorization;
    }

    public URI address() {
        return address;
    }

    /**
     * Pushes an image to a repository. Blobs that the repository already has are not sent again.
     *
     * @throws IllegalStateException if the registry refuses the image, or stores it with another digest
     */
    public void push(ImageLayout layout, String digest, String repository, String tag) {
        for (int attempt = 1;; attempt++) {
            try {
                if (digest.equals(digestOf(repository, tag).orElse(null))) return;
                for (var blob : layout.blobs(digest)) push(layout, blob.digest(), repository);
                var put = send(SdkHttpMethod.PUT, at("/v2/" + repository + "/manifests/" + tag), Optional.of(layout.path(digest)),
                        ImageLayout.MANIFEST);
                require(put, 201, "the manifest of " + digest, repository);
                var kept = digestOf(repository, tag);
                if (!kept.equals(Optional.of(digest))) throw new IllegalStateException(address.getHost() + "/" + repository + ":" + tag
                        + " is " + kept.orElse("missing") + " after " + digest + " was pushed");
                return;
            } catch (IOException e) {
                LockSupport.parkNanos(Duration.ofSeconds(attempt).toNanos());
                if (attempt == ATTEMPTS) throw new UncheckedIOException(
                        "cannot push " + digest + " to " + address.getHost() + "/" + repository + ": " + e.getMessage(), e);
            }
        }
    }

    /** Returns the digest of the image with a tag. */
    Optional<String> digestOf(String repository, String tag) throws IOException {
        var found = send(SdkHttpMethod.HEAD, at("/v2/" + repository + "/manifests/" + tag), Optional.empty(), ImageLayout.MANIFEST);
        if (found.statusCode() == 404) return Optional.empty();
        require(found, 200, "tag " + tag, repository);
        return found.firstMatchingHeader("Docker-Content-Digest");
    }

    private void push(ImageLayout layout, String digest, String repository) throws IOException {
        // a redirect also means that the registry has the blob
        int known = send(SdkHttpMethod.HEAD, at("/v2/" + repository + "/blobs/" + digest), Optional.empty(), "*/*").statusCode();
        if (known / 100 == 2 || known / 100 == 3) return;
        var begun = send(SdkHttpMethod.POST, at("/v2/" + repository + "/blobs/uploads/"), Optional.empty(), "*/*");
        require(begun, 202, "an upload", repository);
        var sent = send(SdkHttpMethod.PATCH, location(begun), Optional.of(layout.path(digest)), "application/octet-stream");
        require(sent, 202, digest, repository);
        URI end = location(sent);
        var ended = send(SdkHttpMethod.PUT,
                URI.create(end + (end.getRawQuery() == null ? "?" : "&") + "digest=" + digest.replace(":", "%3A")), Optional.empty(),
                "*/*");
        require(ended, 201, digest, repository);
    }

    private URI at(String path) {
        return address.resolve(path);
    }

    /** Returns the upload location. It must be on the same host, because requests to it contain the password. */
    private URI location(SdkHttpResponse response) {
        URI location = address.resolve(response.firstMatchingHeader("Location")
                .orElseThrow(() -> new IllegalStateException(address.getHost() + " sent no Location for the upload")));
        if (!location.getAuthority().equals(address.getAuthority()))
            throw new IllegalStateException(address.getHost() + " redirects uploads to another host, " + location.getAuthority());
        return location;
    }

    /** @param type the type of the content, or the accepted type if there is none */
    private SdkHttpResponse send(SdkHttpMethod method, URI uri, Optional<Path> content, String type) throws IOException {
        var request = SdkHttpFullRequest.builder().method(method).uri(uri);
        authorization.ifPresent(value -> request.putHeader("Authorization", value));
        request.putHeader(content.isPresent() ? "Content-Type" : "Accept", type);
        ContentStreamProvider stream = () -> content.<InputStream>map(ImageRegistry::open)
                .orElseGet(() -> new ByteArrayInputStream(new byte[0]));
        request.putHeader("Content-Length", Long.toString(content.isPresent() ? Files.size(content.get()) : 0));
        var execute = HttpExecuteRequest.builder().request(request.build());
        if (method != SdkHttpMethod.HEAD) execute.contentStreamProvider(stream);
        var answer = http.prepareRequest(execute.build()).call();
        String text = "";
        if (answer.responseBody().isPresent()) {
            try (var body = answer.responseBody().get()) {
                text = new String(body.readNBytes(1000), StandardCharsets.UTF_8);
            }
        }
        int status = answer.httpResponse().statusCode();
        if (status >= 500 || status == 429) throw new IOException(method + " " + uri.getPath() + ": " + status + " " + text);
        return answer.httpResponse().toBuilder().statusText(text).build();
    }

    private static InputStream open(Path file) {
        try {
            return Files.newInputStream(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void require(SdkHttpResponse response, int status, String what, String repository) {
        if (response.statusCode() != status) {
            throw new IllegalStateException(address.getHost() + " refuses " + what + " for " + repository + ": " + response.statusCode()
                    + " " + response.statusText().orElse(""));
        }
    }
}
