package lockstep.e2e;

import java.io.IOException;
import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.URI;
import java.net.http.HttpClient.Version;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import lockstep.accounts.LocalEndpoint;

/** Clients that load a page repeatedly, each with its own session, over HTTP/1.1 and HTTP/2. Every response is counted. */
final class TestingLoad implements AutoCloseable {
    private static final int CLIENTS = 8;
    private static final String TRACK = "lockstep_track";

    /** A client certificate with its key. */
    record Client(Path pkcs12, String password) {}

    /** @param track the upstream that the session is bound to; empty if none */
    record Answer(Instant at, int status, String body, String track) {}

    private final URI uri;
    private final Duration pause;
    private final SSLContext tls;
    private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<String> flips = new ConcurrentLinkedQueue<>();
    private final AtomicInteger succeeded = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger repeated = new AtomicInteger();
    private final CountDownLatch stop = new CountDownLatch(1);
    private final List<Thread> people = new ArrayList<>();
    /** Whether maintenance is expected; both responses are accepted while it changes. */
    private volatile boolean maintenance;

    /** @param pause the pause between two requests of a client */
    TestingLoad(String url, LocalEndpoint endpoint, Client client, Duration pause) {
        uri = URI.create(url).resolve("/login");
        this.pause = pause;
        tls = tls(endpoint, client);
        for (int i = 0; i < CLIENTS; i++) {
            var version = i % 2 == 0 ? Version.HTTP_1_1 : Version.HTTP_2;
            boolean newConnections = i == CLIENTS - 1;
            people.add(Thread.ofVirtual().start(() -> visit(version, newConnections)));
        }
    }

    private void visit(Version version, boolean newConnections) {
        var cookies = new CookieManager();
        var http = http(version, cookies);
        String track = "";
        try {
            do {
                if (newConnections) {
                    http.close();
                    http = http(version, cookies);
                }
                try {
                    var answer = askAsABrowser(http, cookies);
                    if (answer.status() == 200) {
                        succeeded.incrementAndGet();
                    } else if (answer.status() == 503 && maintenance) {
                        refused.incrementAndGet();
                    } else {
                        failures.add(answer.toString());
                    }
                    if (!track.isEmpty() && !answer.track().equals(track)) flips.add(track + " → " + answer);
                    track = answer.track();
                } catch (IOException e) {
                    failures.add(Instant.now() + " " + version + " " + e);
                }
            } while (!stop.await(pause.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            http.close();
        }
    }

    /**
     * Sends a request like a browser, which repeats a GET once if an open connection ends before the response begins, or if the server says
     * that it did not process the request (RFC 9113, 8.7). Both happen when nginx closes a connection at that moment. Over HTTP/1.1 Java's
     * client does so itself.
     */
    private Answer askAsABrowser(HttpClient http, CookieManager cookies) throws IOException, InterruptedException {
        try {
            return ask(http, cookies);
        } catch (IOException e) {
            String message = String.valueOf(e.getMessage());
            boolean ended = message.contains("EOF reached while reading") || message.contains("request not processed by peer");
            if (http.version() != Version.HTTP_2 || !ended) throw e;
            repeated.incrementAndGet();
            return ask(http, cookies);
        }
    }

    /** Waits for some seconds of load, so that changes take effect. */
    void settle() throws InterruptedException {
        Thread.sleep(6_000); // longer than settings and routes are polled
    }

    /** Sends a request in a new session. From the first call on, the maintenance page is an accepted response. */
    Answer ask() {
        maintenance = true;
        return newSession();
    }

    Answer newSession() {
        var cookies = new CookieManager();
        try (var http = http(Version.HTTP_1_1, cookies)) {
            return ask(http, cookies);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** From now on, accepts only this status. */
    void expectFrom(int status) {
        maintenance = status == 503;
    }

    List<String> failures() {
        return List.copyOf(failures);
    }

    List<String> flips() {
        return List.copyOf(flips);
    }

    int succeeded() {
        return succeeded.get();
    }

    int repeated() {
        return repeated.get();
    }

    int expected503() {
        return refused.get();
    }

    private HttpClient http(Version version, CookieManager cookies) {
        return HttpClient.newBuilder().sslContext(tls).version(version).cookieHandler(cookies).connectTimeout(Duration.ofSeconds(5))
                .build();
    }

    private Answer ask(HttpClient http, CookieManager cookies) throws IOException, InterruptedException {
        var answer = http.send(HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20)).build(), HttpResponse.BodyHandlers.ofString());
        String track = cookies.getCookieStore().getCookies().stream().filter(cookie -> cookie.getName().equals(TRACK))
                .map(HttpCookie::getValue).findFirst().orElse("");
        return new Answer(Instant.now(), answer.statusCode(), answer.body(), track);
    }

    @Override
    public void close() {
        stop.countDown();
        try {
            for (var person : people) person.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static Answer once(String url, LocalEndpoint endpoint, Client client) {
        return once(url, "/login", endpoint, client);
    }

    static Answer once(String url, String path, LocalEndpoint endpoint, Client client) {
        var cookies = new CookieManager();
        try (var http = HttpClient.newBuilder().sslContext(tls(endpoint, client)).cookieHandler(cookies).build()) {
            var answer = http.send(HttpRequest.newBuilder(URI.create(url).resolve(path)).timeout(Duration.ofSeconds(20)).build(),
                    HttpResponse.BodyHandlers.ofString());
            return new Answer(Instant.now(), answer.statusCode(), answer.body(), "");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Reports whether a program answers on its loopback health port. */
    static boolean answers(int healthPort) {
        try (var http = HttpClient.newHttpClient()) {
            return http.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + healthPort + "/health")).timeout(Duration.ofSeconds(2)).build(),
                    HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Returns the hash of a certificate's public key, which a browser can be configured to trust. */
    static String pin(Path certificate) {
        try (var in = Files.newInputStream(certificate)) {
            var key = CertificateFactory.getInstance("X.509").generateCertificate(in).getPublicKey().getEncoded();
            return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(key));
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static SSLContext tls(LocalEndpoint endpoint, Client client) {
        try {
            KeyManager[] keys = null;
            if (client != null) {
                var own = KeyStore.getInstance(client.pkcs12().toFile(), client.password().toCharArray());
                var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
                factory.init(own, client.password().toCharArray());
                keys = factory.getKeyManagers();
            }
            var context = SSLContext.getInstance("TLS");
            context.init(keys, endpoint.trust(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
