package lockstep.clinic.web;

import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.output.StringOutput;
import io.javalin.http.Context;
import io.javalin.http.Cookie;
import io.javalin.http.ForbiddenResponse;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpStatus;
import io.javalin.http.SameSite;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import lockstep.clinic.configuration.Features;
import lockstep.clinic.store.Accounts.User;
import lockstep.clinic.store.Accounts;
import lockstep.clinic.store.MasterData;

/** The common part of all pages: the user, the session, and the layout. */
final class Site {
    private static final String COOKIE = "__Host-session";
    /** The cookie by which the proxy routes to the shard. It grants no access. */
    private static final String TENANT_COOKIE = "tenant";
    private static final String DEFAULT_BANNER = "This is a demo. Please do not enter real patients' data.";
    private static final Duration FRESHNESS_KEPT = Duration.ofSeconds(30);
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("d MMM uuuu, HH:mm 'UTC'", Locale.ENGLISH)
            .withZone(ZoneOffset.UTC);

    private record Freshness(Instant readAt, String text) {}

    final Features features;
    final Accounts accounts;
    private final MasterData masterData;
    private final Sessions sessions;
    private final Assets assets;
    private final TemplateEngine templates = TemplateEngine.createPrecompiled(null, ContentType.Html, Site.class.getClassLoader(),
            "lockstep.clinic.pages");
    private final AtomicReference<Freshness> freshness = new AtomicReference<>(new Freshness(Instant.EPOCH, ""));

    Site(Features features, Accounts accounts, MasterData masterData, byte[] sessionKey, Assets assets) {
        this.features = features;
        this.accounts = accounts;
        this.masterData = masterData;
        this.sessions = new Sessions(sessionKey);
        this.assets = assets;
    }

    /** The user who is logged in. */
    Optional<User> user(Context ctx) {
        return ctx.attributeOrCompute("user", it -> Optional.of(session(it)).filter(Sessions.Session::isLoggedIn)
                .flatMap(session -> accounts.resume(session.customer(), session.username(), session.since())));
    }

    /** The user, on pages behind {@link #admit}. */
    User member(Context ctx) {
        return user(ctx).orElseThrow(ForbiddenResponse::new);
    }

    /** Refuses forms without a valid CSRF token. */
    void checkToken(Context ctx) {
        String token = ctx.formParam("token");
        if (token == null || !sessions.isToken(session(ctx), token)) {
            throw new ForbiddenResponse("This form is no longer valid. Please go back, reload the page and send the form again.");
        }
    }

    void begin(Context ctx, User user) {
        begin(ctx, sessions.of(user.since(), user.customer(), user.username()));
        ctx.cookie(cookie(TENANT_COOKIE, user.customer(), (int) Duration.ofDays(30).toSeconds()));
        ctx.attribute("user", Optional.of(user));
    }

    void end(Context ctx) {
        user(ctx).ifPresent(accounts::logout);
        ctx.cookie(cookie(COOKIE, "", 0));
    }

    void render(Context ctx, String template, Map<String, ?> parameters) {
        var all = new HashMap<String, Object>(parameters);
        all.put("frame", frame(ctx));
        ctx.header("Cache-Control", "no-store").contentType("text/html; charset=utf-8").result(text(template, all));
    }

    /** Renders a part of a page, for the script. */
    void renderPart(Context ctx, String template, Map<String, Object> parameters) {
        ctx.header("Cache-Control", "no-store").contentType("text/html; charset=utf-8").result(text(template, parameters));
    }

    void message(Context ctx, HttpStatus status, String title, String text) {
        ctx.status(status);
        render(ctx, "message", Map.of("title", title, "text", text));
    }

    boolean signUpOpen(Context ctx) {
        return features.signUp() && !"closed".equals(ctx.header("X-Lockstep-Sign-Up"));
    }

    private String text(String template, Map<String, Object> parameters) {
        var output = new StringOutput();
        templates.render(template + ".jte", parameters, output);
        return output.toString();
    }

    private Frame frame(Context ctx) {
        var user = user(ctx);
        var certificate = features.clientCertificate()
                ? Optional.ofNullable(ctx.header("X-Client-Cert-Subject")).filter(it -> !it.isEmpty()) : Optional.<String>empty();
        return new Frame(features, assets, user, sessions.token(session(ctx)), banner(ctx), features.banner() ? freshness() : "",
                certificate,
                signUpOpen(ctx));
    }

    /** Returns the session of the request. A browser without one gets a new one, so that its forms have a token. */
    private Sessions.Session session(Context ctx) {
        return ctx.attributeOrCompute("session", it -> Optional.ofNullable(it.cookie(COOKIE)).flatMap(sessions::read).orElseGet(() -> {
            var session = sessions.anonymous();
            if (it.method() == HandlerType.GET) it.cookie(cookie(COOKIE, sessions.sign(session), -1));
            return session;
        }));
    }

    private void begin(Context ctx, Sessions.Session session) {
        ctx.cookie(cookie(COOKIE, sessions.sign(session), -1));
        ctx.attribute("session", session);
    }

    private String freshness() {
        var known = freshness.get();
        if (known.readAt().plus(FRESHNESS_KEPT).isAfter(Instant.now())) return known.text();
        var times = masterData.freshness();
        String text = times.isEmpty() ? "Master data: not synced yet" : times.entrySet().stream()
                .map(it -> (it.getKey().equals("master") ? "Master data" : "Data set " + it.getKey()) + " as of "
                        + TIME.format(it.getValue()))
                .collect(Collectors.joining(" · "));
        freshness.set(new Freshness(Instant.now(), text));
        return text;
    }

    private static Cookie cookie(String name, String value, int maxAge) {
        return new Cookie(name, value, "/", maxAge, true, true, null, SameSite.LAX);
    }

    /** The gateway's text: the demo's banner, or a warning that the client certificate expires. */
    private Optional<String> banner(Context ctx) {
        var text = Optional.ofNullable(ctx.header("X-Lockstep-Banner")).filter(it -> !it.isEmpty()).flatMap(Site::decoded);
        return features.banner() ? text.or(() -> Optional.of(DEFAULT_BANNER)) : text;
    }

    private static Optional<String> decoded(String text) {
        try {
            return Optional.of(URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
