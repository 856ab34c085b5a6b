package lockstep.cli.console;

import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.output.StringOutput;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Map;

/** Renders an {@link Overview} as a page for the browser or a file. The page in a file does not refresh. */
public final class ConsolePage {
    private static final TemplateEngine TEMPLATES = TemplateEngine.createPrecompiled(null, ContentType.Html,
            ConsolePage.class.getClassLoader(), "lockstep.cli.pages");
    private static final String STYLE = resource("console.css");
    private static final String SCRIPT = resource("console.js");

    /** The page loads nothing from elsewhere; its style and script are allowed by hash. */
    static final String CONTENT_SECURITY_POLICY = "default-src 'none'; style-src '" + hash(STYLE) + "'; script-src '" + hash(SCRIPT)
            + "'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private ConsolePage() {}

    /** Renders a page that refreshes itself. */
    static String live(Overview overview) {
        return page(overview, "<style>" + STYLE + "</style><script type=\"module\">" + SCRIPT + "</script>", true);
    }

    /** Renders a self-contained page that does not refresh. */
    public static String report(Overview overview) {
        return page(overview, "<style>" + STYLE + "</style>", false);
    }

    /** Renders the part that the live page replaces. */
    static String fragment(Overview overview) {
        return text("overview", Map.of("overview", overview));
    }

    private static String page(Overview overview, String head, boolean live) {
        return text("console", Map.of("overview", overview, "head", head, "live", live));
    }

    private static String text(String template, Map<String, Object> parameters) {
        var text = new StringOutput();
        TEMPLATES.render(template + ".jte", parameters, text);
        return text.toString();
    }

    private static String resource(String name) {
        try (InputStream in = ConsolePage.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String hash(String text) {
        try {
            return "sha256-" + Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
