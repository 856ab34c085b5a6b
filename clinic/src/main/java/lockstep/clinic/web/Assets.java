package lockstep.clinic.web;

import io.javalin.config.RoutesConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The files that pages use. Each has the digest of its content in its name, so a browser may keep it for ever. */
record Assets(Asset style, Asset script, Asset icon) {
    record Asset(String path, String type, byte[] content) {
        static Asset of(String name, String extension, String type) {
            try (var in = Assets.class.getResourceAsStream("/static/" + name + "." + extension)) {
                byte[] content = in.readAllBytes();
                String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content), 0, 8);
                return new Asset("/static/" + name + "." + digest + "." + extension, type, content);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e); // every JDK has SHA-256
            }
        }
    }

    static Assets load() {
        return new Assets(Asset.of("clinic", "css", "text/css; charset=utf-8"), Asset.of("clinic", "js", "text/javascript; charset=utf-8"), Asset.of("icon", "svg", "image/svg+xml"));
    }

    void route(RoutesConfig routes) {
        for (Asset asset : new Asset[] {style, script, icon}) {
            routes.get(asset.path(), ctx -> ctx.contentType(asset.type()).header("Cache-Control", "public, max-age=31536000, immutable").result(asset.content()));
        }
    }
}
