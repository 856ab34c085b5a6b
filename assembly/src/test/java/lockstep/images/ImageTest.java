package lockstep.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageTest {
    private static final String DOCKERFILE = """
            # syntax=docker/dockerfile:1
            FROM debian:trixie-slim AS production
            RUN apt-get update \\
                # what a comment says ends nothing

                && apt-get install -y nginx
            WORKDIR /opt/nginx
            COPY start ./
            COPY --chown=10001:10001 conf conf/
            COPY pages/*.html start pages/
            ENV PORT=8443 \\
                GREETING="hello world" EMPTY=
            USER 10001:10001
            VOLUME ["/run/settings", "cache"]
            STOPSIGNAL SIGQUIT
            ENTRYPOINT ["./start"]
            CMD ["--quiet"]

            FROM production AS demo
            COPY demo/limits.conf conf/limits.conf
            ENV PORT=9443
            CMD ["serve"]
            """;

    @TempDir private Path directory;
    private Path context;

    @BeforeEach
    void createContext() throws IOException {
        context = Files.createDirectory(directory.resolve("context"));
        for (var file : List.of("start", "conf/nginx.conf", "conf/limits.conf", "conf/deep/tls.conf", "conf/notes.md", "pages/404.html",
                "pages/style.css", "demo/limits.conf")) {
            write(file, "content of " + file);
        }
        assertTrue(context.resolve("start").toFile().setExecutable(true));
        write(".dockerignore", "# not for the image\n*/*.md\nconf/deep\n!conf/deep/tls.conf\n");
        write("Dockerfile", DOCKERFILE);
    }

    @Test
    void aStageStandsOnAnother() {
        var production = Image.read(context, Optional.of("production"));
        assertEquals(new Image(
                files("/opt/nginx/conf/deep/tls.conf", "conf/deep/tls.conf", "/opt/nginx/conf/limits.conf", "conf/limits.conf",
                        "/opt/nginx/conf/nginx.conf", "conf/nginx.conf",
                        "/opt/nginx/pages/404.html", "pages/404.html", "/opt/nginx/pages/start", "start", "/opt/nginx/start", "start"),
                Map.of("PORT", "8443", "GREETING", "hello world", "EMPTY", ""), "/opt/nginx", List.of("./start"), List.of("--quiet"),
                "10001:10001", "SIGQUIT",
                List.of("/run/settings", "/opt/nginx/cache")), production);

        var demo = Image.read(context, Optional.of("demo"));
        assertEquals(demo, Image.read(context, Optional.empty()), "the last stage is meant when none is named");
        var files = new TreeMap<>(production.files());
        files.put("/opt/nginx/conf/limits.conf", context.resolve("demo/limits.conf"));
        assertEquals(new Image(files, Map.of("PORT", "9443", "GREETING", "hello world", "EMPTY", ""), "/opt/nginx", List.of("./start"),
                List.of("serve"), "10001:10001", "SIGQUIT",
                production.volumes()), demo);
    }

    @Test
    void anEntrypointForgetsTheCommandOfItsBase() throws IOException {
        write("Dockerfile", "FROM scratch AS base\nCMD [\"a\"]\nFROM base\nENTRYPOINT [\"b\"]\n");
        assertEquals(List.of(), Image.read(context, Optional.empty()).command());
    }

    @Test
    void layingOutReplacesWhatChangedAndNothingElse() throws IOException {
        Path target = directory.resolve("target");
        Image.read(context, Optional.of("production")).materialize(target);
        Path start = target.resolve("opt/nginx/start"), limits = target.resolve("opt/nginx/conf/limits.conf"),
                nginx = target.resolve("opt/nginx/conf/nginx.conf");
        assertTrue(Files.isExecutable(start));
        assertFalse(Files.isExecutable(limits));
        Object unchanged = Files.readAttributes(nginx, "unix:ino").get("ino");
        Path written = Files.createDirectories(target.resolve("run/settings")).resolve("routes.json"),
                stray = target.resolve("opt/nginx/conf/stray.conf");
        Files.writeString(written, "{}");
        Files.writeString(stray, "deny all;");
        Files.writeString(limits, "changed by hand");
        assertTrue(start.toFile().setExecutable(false));

        Image.read(context, Optional.of("demo")).materialize(target);
        assertEquals("content of demo/limits.conf", Files.readString(limits));
        assertTrue(Files.isExecutable(start));
        assertEquals(unchanged, Files.readAttributes(nginx, "unix:ino").get("ino"));
        assertTrue(Files.exists(written), "a volume keeps what its container wrote");
        assertFalse(Files.exists(stray));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
            "FROM a AS b\\nADD x y                | 2 | lockstep does not support ADD; it supports FROM, CMD, COPY, ENTRYPOINT, ENV, RUN, "
                    + "STOPSIGNAL, USER, VOLUME, WORKDIR",
            "FROM a AS                            | 1 | write FROM as 'FROM base' or 'FROM base AS stage', not 'FROM a AS'",
            "COPY start .                         | 1 | COPY comes before the first FROM",
            "# nothing                            | 1 | there is no FROM",
            "FROM a\\n\\nCOPY --from=b x y        | 3 | lockstep does not support COPY with --from=b",
            "FROM a\\nCOPY gone ./                | 2 | there is no file gone in the context",
            "FROM a\\nCOPY conf/notes.md ./       | 2 | there is no file conf/notes.md in the context",
            "FROM a\\nCOPY ../secret ./           | 2 | ../secret is outside the context",
            "FROM a\\nCOPY */404.html ./          | 2 | lockstep supports a wildcard only in the last part of a path, not '*/404.html'",
            "FROM a\\nCOPY start                  | 2 | COPY needs a source and a destination",
            "FROM a\\nCOPY $FILE ./               | 2 | lockstep does not support variables or quotes in COPY",
            "FROM a\\nENV A=1 PATH=/x:$PATH       | 2 | write ENV as NAME=value or NAME=\"a value\", without variables or backslashes, "
                    + "not 'PATH=/x:$PATH'",
            "FROM a\\nENV A 1                     | 2 | write ENV as NAME=value or NAME=\"a value\", without variables or backslashes, "
                    + "not 'A 1'",
            "FROM a\\nCMD ./start                 | 2 | write CMD in JSON form, as [\"./start\"], not ./start",
            "FROM a\\nRUN <<END                   | 2 | lockstep does not support here-documents",
            "FROM a\\nUSER                        | 2 | USER has no arguments",
            "FROM a\\nRUN b \\\\                  | 2 | the last line ends with a backslash, but no line follows"})
    void refusesWhatItDoesNotUnderstand(String text, String line, String problem) throws IOException {
        write("Dockerfile", text.replace("\\n", "\n").replace("\\\\", "\\"));
        assertEquals(context.resolve("Dockerfile") + ":" + line + ": " + problem,
                assertThrows(ImageException.class, () -> Image.read(context, Optional.empty())).getMessage());
    }

    @Test
    void refusesLinksUnknownStagesAndPatterns() throws IOException {
        assertEquals(context.resolve("Dockerfile") + ":1: there is no stage 'qa'; write one of production, demo",
                assertThrows(ImageException.class, () -> Image.read(context, Optional.of("qa"))).getMessage());
        Files.createSymbolicLink(context.resolve("conf/link.conf"), Path.of("../start"));
        assertEquals(context.resolve("Dockerfile") + ":9: conf/link.conf is a symbolic link, which lockstep does not copy",
                assertThrows(ImageException.class, () -> Image.read(context, Optional.of("production"))).getMessage());
        write(".dockerignore", "**/*.md\n");
        assertEquals(context.resolve(".dockerignore") + ":1: lockstep supports only *, ? and [a-z] here, not '**/*.md'",
                assertThrows(ImageException.class, () -> Image.read(context, Optional.of("production"))).getMessage());
    }

    private void write(String file, String content) throws IOException {
        Files.createDirectories(context.resolve(file).getParent());
        Files.writeString(context.resolve(file), content);
    }

    private Map<String, Path> files(String... pairs) {
        var files = new TreeMap<String, Path>();
        for (int i = 0; i < pairs.length; i += 2) files.put(pairs[i], context.resolve(pairs[i + 1]));
        return files;
    }
}
