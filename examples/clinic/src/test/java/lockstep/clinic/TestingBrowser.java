package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * A browser that keeps cookies and sends the last page's token. It does not follow redirects, and trusts any certificate, like the proxy.
 */
final class TestingBrowser {
    private static final Pattern TOKEN = Pattern.compile("name=\"token\" value=\"([^\"]+)\"");

    private final HttpClient client;
    private final String base;
    final Map<String, String> cookies = new LinkedHashMap<>();
    final Map<String, String> headers = new LinkedHashMap<>();
    String token;

    TestingBrowser(int port) {
        base = "https://localhost:" + port;
        client = HttpClient.newBuilder().sslContext(trusting()).version(HttpClient.Version.HTTP_1_1).build();
    }

    Page get(String path) {
        return send(HttpRequest.newBuilder(URI.create(base + path)).GET());
    }

    /** Posts the fields with the last page's token, if any. */
    Page post(String path, String... namesAndValues) {
        var fields = new LinkedHashMap<String, String>();
        if (token != null) {
            fields.put("token", token);
        }
        for (int i = 0; i < namesAndValues.length; i += 2) {
            fields.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        String body = fields.entrySet().stream().map(it -> it.getKey() + "=" + URLEncoder.encode(it.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        return send(HttpRequest.newBuilder(URI.create(base + path)).header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    Page login(String clinic, String user, String password) {
        get("/login");
        return post("/login", "clinic", clinic, "user", user, "password", password);
    }

    private Page send(HttpRequest.Builder request) {
        if (!cookies.isEmpty()) {
            request.header("Cookie",
                    cookies.entrySet().stream().map(it -> it.getKey() + "=" + it.getValue()).collect(Collectors.joining("; ")));
        }
        headers.forEach(request::header);
        try {
            var page = new Page(client.send(request.build(), HttpResponse.BodyHandlers.ofString()));
            for (String cookie : page.response().headers().allValues("Set-Cookie")) {
                String[] pair = cookie.substring(0, cookie.indexOf(';')).split("=", 2);
                if (pair[1].isEmpty()) {
                    cookies.remove(pair[0]);
                } else {
                    cookies.put(pair[0], pair[1]);
                }
            }
            var found = TOKEN.matcher(page.text());
            if (found.find()) {
                token = found.group(1);
            }
            return page;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    record Page(HttpResponse<String> response) {
        String text() {
            return response.body();
        }

        Page is(int status) {
            assertEquals(status, response.statusCode(), this::text);
            return this;
        }

        Page leadsTo(String path) {
            is(303);
            assertEquals(path, response.headers().firstValue("Location").orElseThrow().replaceFirst("^https://[^/]+", ""));
            return this;
        }

        Page has(String text) {
            assertTrue(text().contains(text), () -> "no '" + text + "' in " + text());
            return this;
        }

        Page hasNot(String text) {
            assertTrue(!text().contains(text), () -> "'" + text + "' in " + text());
            return this;
        }

        String header(String name) {
            return response.headers().firstValue(name).orElse("");
        }

        /** All matches of the expression's group. */
        List<String> all(String expression) {
            return Pattern.compile(expression).matcher(text()).results().map(it -> it.group(1)).toList();
        }

        String first(String expression) {
            var all = all(expression);
            assertTrue(!all.isEmpty(), () -> "no " + expression + " in " + text());
            return all.getFirst();
        }
    }

    private static SSLContext trusting() {
        var anybody = new X509ExtendedTrustManager() {
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}
            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type) {}
            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type) {}
            @Override
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
        };
        try {
            var context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[]{anybody}, new SecureRandom());
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
