package lockstep.cli.console;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.Supplier;

/** Serves the page {@code /} and its refreshed part {@code /overview} on loopback. It accepts only GET requests. */
public final class ConsoleServer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService executor = Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory());

    /** @param port the port; 0 for any free port */
    public ConsoleServer(int port, Supplier<Overview> overview) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(executor);
        server.createContext("/", exchange -> answer(exchange, overview));
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private void answer(HttpExchange exchange, Supplier<Overview> overview) throws IOException {
        try (exchange) {
            if (!isOurs(exchange.getRequestHeaders().getFirst("Host")))
                send(exchange, 421, "text/plain", "This console is only for this machine.\n");
            else if (!exchange.getRequestMethod().equals("GET")) send(exchange, 405, "text/plain", "The console is read-only.\n");
            else switch (exchange.getRequestURI().getPath()) {
                case "/" -> send(exchange, overview, ConsolePage::live);
                case "/overview" -> send(exchange, overview, ConsolePage::fragment);
                default -> send(exchange, 404, "text/plain", "Not found.\n");
            }
        }
    }

    private static void send(HttpExchange exchange, Supplier<Overview> overview, Function<Overview, String> page) throws IOException {
        String text;
        try {
            text = page.apply(overview.get());
        } catch (RuntimeException e) {
            send(exchange, 500, "text/plain", "The console could not read: " + e.getMessage() + "\n");
            return;
        }
        send(exchange, 200, "text/html", text);
    }

    /** Checks the Host header to prevent DNS rebinding, with which another site could read the page. */
    private boolean isOurs(String host) {
        return host != null && (host.equals("localhost:" + port()) || host.equals("127.0.0.1:" + port()) || host.equals("[::1]:" + port()));
    }

    private static void send(HttpExchange exchange, int status, String type, String text) throws IOException {
        var headers = exchange.getResponseHeaders();
        headers.set("Content-Type", type + "; charset=utf-8");
        headers.set("Content-Security-Policy", ConsolePage.CONTENT_SECURITY_POLICY);
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cache-Control", "no-store");
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
