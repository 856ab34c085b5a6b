package lockstep.clinic.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.NotFoundResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.clinic.store.PublishedAssets;
import lockstep.clinic.store.PublishedAssets.Published;

/** The static files of pages. Their names contain the digest of their content, so browsers may cache them forever. */
public record Assets(Asset style, Asset script, Asset icon) {
    /** Only names of this form are looked up in the database, so requests for invented names cost nothing. */
    private static final Pattern NAME = Pattern.compile("[a-z]{1,30}\\.[0-9a-f]{16}\\.(css|js|svg)");

    record Asset(String path, String type, byte[] content) {
        static Asset of(String name, String extension, String type) {
            try (var in = Assets.class.getResourceAsStream("/static/" + name + "." + extension)) {
                return of(name, extension, type, in.readAllBytes());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        static Asset of(String name, String extension, String type, byte[] content) {
            return new Asset("/static/" + name + "." + digest(content).substring(0, 16) + "." + extension, type, content);
        }
    }

    public static Assets load() {
        return new Assets(Asset.of("clinic", "css", "text/css; charset=utf-8"), Asset.of("clinic", "js", "text/javascript; charset=utf-8"),
                Asset.of("icon", "svg", "image/svg+xml"));
    }

    /** This release's files, which must be published before its first page is served, with the id that identifies them. */
    public PublishedAssets.Generation generation() {
        var files = Stream.of(style, script, icon).map(asset -> new Published(asset.path(), asset.type(), asset.content())).toList();
        return new PublishedAssets.Generation(
                digest(files.stream().map(Published::path).collect(Collectors.joining("\n")).getBytes(StandardCharsets.UTF_8)), files);
    }

    /** @param others the files of the previous or next release */
    void route(RoutesConfig routes, PublishedAssets others) {
        for (Asset asset : List.of(style, script, icon)) routes.get(asset.path(), ctx -> answer(ctx, asset.type(), asset.content()));
        routes.get("/static/{file}", ctx -> {
            if (!NAME.matcher(ctx.pathParam("file")).matches()) throw new NotFoundResponse();
            var found = others.find(ctx.path()).orElseThrow(NotFoundResponse::new);
            answer(ctx, found.type(), found.content());
        });
    }

    private static void answer(Context ctx, String type, byte[] content) {
        ctx.contentType(type).header("Cache-Control", "public, max-age=31536000, immutable").result(content);
    }

    private static String digest(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has SHA-256
        }
    }
}
