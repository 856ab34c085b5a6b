package lockstep.clinic.web;

import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.Header;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpResponseException;
import io.javalin.http.HttpStatus;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import lockstep.clinic.store.Passwords;
import lockstep.clinic.store.StoreFault;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** Serves requests over TLS, and {@code /health} on loopback without TLS. */
public final class Server implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger("request");
    private static final Logger FAULTS = Logger.getLogger(Server.class.getName());
    /** Longer than the proxy keeps idle connections, so that the server never closes a connection just as the proxy uses it. */
    private static final Duration IDLE = Duration.ofSeconds(60);
    private static final long LARGEST_REQUEST_BYTES = 64 * 1024;
    /** Pages may load only resources of this server, and may not be framed. */
    private static final String CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
            + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    /** Public paths. All others require a login. */
    private static final Set<String> PUBLIC = Set.of("/health", "/alive", "/login", "/signup", "/inquiry");

    /** The only paths without TLS, on loopback only. */
    private static final Set<String> PLAIN = Set.of("/health", "/alive");

    /**
     * @param drain  how long to keep serving and closing connections before new ones are refused
     * @param finish how long running requests may take after that
     */
    public record Stopping(Duration drain, Duration finish) {}

    private final Javalin javalin;
    private final Stopping stopping;
    private volatile boolean draining;
    private volatile boolean begun;

    Server(String host, int port, int healthPort, Stopping stopping, Site site, BooleanSupplier healthy, Consumer<JavalinConfig> pages) {
        this.stopping = stopping;
        javalin = Javalin.create(config -> {
            config.startup.showJavalinBanner = false;
            config.startup.startupWatcherEnabled = false;
            config.http.maxRequestSize = LARGEST_REQUEST_BYTES;
            config.jetty.threadPool = new QueuedThreadPool(48, 4);
            config.jetty.modifyServer(server -> {
                server.setHandler(new GracefulHandler());
                server.setStopTimeout(stopping.finish().toMillis());
                server.setStopAtShutdown(false);
            });
            config.jetty.modifyHttpConfiguration(http -> http.setSendServerVersion(false));
            config.jetty.addConnector((server, http) -> secure(server, http, host, port));
            config.jetty.addConnector((server, http) -> plain(server, http, healthPort));
            config.requestLogger.http(Server::log);

            config.routes.before(ctx -> {
                if (ctx.req().isSecure() ? ctx.path().equals("/alive") : !PLAIN.contains(ctx.path())) {
                    ctx.status(HttpStatus.NOT_FOUND).skipRemainingHandlers();
                }
            });
            config.routes.before(ctx -> secureHeaders(ctx, draining));
            config.routes.beforeMatched(ctx -> admit(ctx, site));
            config.routes.get("/health", ctx -> {
                boolean well = !draining && healthy.getAsBoolean();
                ctx.status(well ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE)
                        .result(well ? "ok\n" : draining ? "stopping\n" : "the database does not answer\n");
            });
            // for ECS, which stops unhealthy tasks. An unavailable database does not count as unhealthy, because new tasks would need it
            // too
            config.routes.get("/alive", ctx -> {
                begun = begun || healthy.getAsBoolean();
                ctx.status(begun ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE)
                        .result(begun ? "ok\n" : "the database has not answered yet\n");
            });
            pages.accept(config);
            config.routes.exception(Passwords.TooManyAtOnce.class,
                    (e, ctx) -> ctx.status(HttpStatus.SERVICE_UNAVAILABLE).header("Retry-After", "5"));
            config.routes.exception(StoreFault.class, (e, ctx) -> {
                if (e.isOfUnstorableText()) {
                    ctx.status(HttpStatus.BAD_REQUEST);
                } else {
                    fault(ctx, e);
                }
            });
            config.routes.exception(HttpResponseException.class, (e, ctx) -> ctx.status(e.getStatus()).attribute("reason", e.getMessage()));
            config.routes.exception(Exception.class, (e, ctx) -> fault(ctx, e));
            for (var status : new HttpStatus[]{HttpStatus.BAD_REQUEST, HttpStatus.FORBIDDEN, HttpStatus.NOT_FOUND,
                    HttpStatus.CONTENT_TOO_LARGE, HttpStatus.SERVICE_UNAVAILABLE, HttpStatus.INTERNAL_SERVER_ERROR}) {
                config.routes.error(status.getCode(), ctx -> explain(ctx, site, status));
            }
        });
    }

    public void start() {
        javalin.start();
    }

    public int port() {
        return localPort(0);
    }

    public int healthPort() {
        return localPort(1);
    }

    /** Drains connections, then finishes running requests. */
    @Override
    public void close() {
        draining = true;
        try {
            Thread.sleep(stopping.drain());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        javalin.stop();
    }

    private int localPort(int connector) {
        return ((ServerConnector) javalin.jettyServer().server().getConnectors()[connector]).getLocalPort();
    }

    private static Connector secure(org.eclipse.jetty.server.Server server, HttpConfiguration http, String host, int port) {
        var tls = new SslContextFactory.Server();
        tls.setKeyStore(ServerCertificate.make("clinic"));
        tls.setKeyStorePassword("");
        tls.setIncludeProtocols("TLSv1.3", "TLSv1.2");
        tls.setSniRequired(false);
        var configuration = new HttpConfiguration(http);
        configuration.addCustomizer(new SecureRequestCustomizer(false));
        return listening(
                new ServerConnector(server, 1, 1, new SslConnectionFactory(tls, "http/1.1"), new HttpConnectionFactory(configuration)),
                host, port);
    }

    private static Connector plain(org.eclipse.jetty.server.Server server, HttpConfiguration http, int port) {
        return listening(new ServerConnector(server, 1, 1, new HttpConnectionFactory(http)), "127.0.0.1", port);
    }

    private static Connector listening(ServerConnector connector, String host, int port) {
        connector.setHost(host);
        connector.setPort(port);
        connector.setIdleTimeout(IDLE.toMillis());
        return connector;
    }

    private static void secureHeaders(Context ctx, boolean draining) {
        ctx.header("Content-Security-Policy", CONTENT_SECURITY_POLICY).header("X-Content-Type-Options", "nosniff").header("Referrer-Policy",
                "same-origin");
        if (draining) ctx.header("Connection", "close");
    }

    /** Redirects users who are not logged in to the login page, and refuses posts without a valid CSRF token. */
    private static void admit(Context ctx, Site site) {
        if (ctx.method() == HandlerType.POST && !ctx.path().equals("/signup")) site.checkToken(ctx);
        if (!PUBLIC.contains(ctx.path()) && !ctx.path().startsWith("/static/") && site.user(ctx).isEmpty()) {
            ctx.redirect("/login", HttpStatus.SEE_OTHER);
            ctx.skipRemainingHandlers();
        }
    }

    private static void explain(Context ctx, Site site, HttpStatus status) {
        if (!ctx.req().isSecure() || ctx.path().equals("/health")
                || Optional.ofNullable(ctx.res().getContentType()).orElse("").startsWith("text/html")) {
            return; // already reported
        }
        String reason = Optional.<String>ofNullable(ctx.attribute("reason")).orElse("");
        switch (status) {
            case NOT_FOUND -> site.message(ctx, status, "Page not found", "The address may be mistyped, or the page no longer exists.");
            case FORBIDDEN -> site.message(ctx, status, "The request was refused", reason);
            case CONTENT_TOO_LARGE -> site.message(ctx, status, "The request is too large", "Please send less at a time.");
            case SERVICE_UNAVAILABLE -> site.message(ctx, status, "The service is busy", "Please try again in a moment.");
            case INTERNAL_SERVER_ERROR -> ctx.contentType("text/plain; charset=utf-8")
                    .result("Something went wrong. Please try again in a moment.\nRequest " + requestId(ctx) + "\n");
            default -> site.message(ctx, status, "Bad request", "Please go back and try again.");
        }
    }

    private static void fault(Context ctx, Exception e) {
        FAULTS.log(Level.SEVERE, "request " + requestId(ctx) + " failed", e);
        ctx.status(HttpStatus.INTERNAL_SERVER_ERROR);
    }

    /** Logs the route instead of the path, which may contain search terms. */
    private static void log(Context ctx, Float milliseconds) {
        if (PLAIN.contains(ctx.path())) return;
        String route = Optional.ofNullable(ctx.endpoints().lastHttpEndpoint()).map(it -> it.path).orElse("none");
        var fields = new LinkedHashMap<String, Object>();
        fields.put("request_id", requestId(ctx));
        fields.put("method", ctx.method().name());
        fields.put("route", route);
        fields.put("status", ctx.statusCode());
        fields.put("milliseconds", Math.round(milliseconds));
        LOG.log(Level.INFO, "answered", fields);
    }

    private static String requestId(Context ctx) {
        return Optional.ofNullable(ctx.header("X-Request-Id")).filter(it -> it.matches("[A-Za-z0-9._-]{1,128}")).orElse("none");
    }
}
