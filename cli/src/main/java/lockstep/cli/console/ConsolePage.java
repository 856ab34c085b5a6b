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

/** Writes an {@link Overview} as a page: the same for the browser and for a file, but that a file looks for nothing new. */
public final class ConsolePage {
    private static final TemplateEngine TEMPLATES = TemplateEngine.createPrecompiled(null, ContentType.Html, ConsolePage.class.getClassLoader(), "lockstep.cli.pages");
    private static final String STYLE = resource("console.css");
    private static final String SCRIPT = resource("console.js");

    /** The page loads nothing, and its own style and script are known by their hashes. */
    static final String CONTENT_SECURITY_POLICY = "default-src 'none'; style-src '" + hash(STYLE) + "'; script-src '" + hash(SCRIPT) + "'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private ConsolePage() {}

    /** A whole page that looks again by itself. */
    static String live(Overview overview) {
        return page(overview, "<style>" + STYLE + "</style><script type=\"module\">" + SCRIPT + "</script>", true);
    }

    /** A whole page that stays as it is; it needs nothing besides. */
    public static String report(Overview overview) {
        return page(overview, "<style>" + STYLE + "</style>", false);
    }

    /** What the live page puts in place of what it shows. */
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
            return "sha256-" + Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
