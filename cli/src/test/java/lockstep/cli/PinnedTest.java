package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import lockstep.project.ProjectFiles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/**
 * Checks that builds are reproducible: no version ranges, no images without a version, no missing lock files, no lock files without hashes.
 */
class PinnedTest {
    private static final Path PROJECT = ProjectFiles.ofLauncher().project();
    private static final Set<String> SKIPPED = Set.of("target", "node_modules", ".git", ".lockstep", "cdk.out", "test");
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Pattern VERSION = Pattern.compile("<version>([^<]*)</version>|<[\\w.]+\\.version>([^<]*)</[\\w.]+\\.version>");
    private static final Pattern EXACT = Pattern.compile("v?\\d+(\\.\\d+)*([.-][\\w.-]+)?");
    /**
     * Known exceptions: the image registry was not reachable when this was written, so only the version is pinned. To pin the digest, run
     * {@code docker buildx imagetools inspect IMAGE} and append {@code @sha256:…} to the tag.
     */
    private static final Set<String> WITHOUT_DIGEST = Set.of("debian:trixie-slim");
    /**
     * Known exceptions: the available registry had these packages only for Linux on x86_64; {@code npm install} with another registry adds
     * their hashes.
     */
    private static final Set<String> WITHOUT_HASH = Set.of("node_modules/@squawk-cli/darwin-arm64", "node_modules/@squawk-cli/darwin-x64",
            "node_modules/@squawk-cli/linux-arm64", "node_modules/@squawk-cli/win32-x64");

    @TempDir private Path directory;

    @Test
    void theProjectIsPinned() {
        assertEquals(List.of(), problems(PROJECT));
    }

    /** An exception that is no longer needed would hide the next mistake. */
    @Test
    void everyExceptionIsNeeded() throws IOException {
        var images = new TreeSet<String>();
        for (Path file : files(PROJECT).filter(file -> file.getFileName().toString().startsWith("Dockerfile")).toList())
            images.addAll(bases(Files.readString(file)));
        assertTrue(images.containsAll(WITHOUT_DIGEST), images::toString);
        var lock = JSON.readTree(Files.readString(PROJECT.resolve("package-lock.json"))).path("packages");
        WITHOUT_HASH.forEach(name -> assertTrue(lock.has(name) && !lock.path(name).has("integrity"), name));
    }

    @Test
    void whatIsNotPinnedIsFound() throws IOException {
        write("pom.xml",
                "<project><properties><a.version>[1,2)</a.version></properties><version>1.0-SNAPSHOT</version><dependency><artifactId>"
                        + "x</artifactId><version>LATEST</version></dependency></project>");
        write("package.json", "{\"dependencies\": {\"a\": \"^1.0.0\", \"b\": \"1.0.0\"}, \"devDependencies\": {\"c\": \"*\"}}");
        write("go.mod", "module x\n\nrequire example.org/y latest\n");
        write("a/requirements.txt", "one==1.0 \\\n    --hash=sha256:" + "0".repeat(64) + "\ntwo>=2\nthree==3.0\n");
        write("Dockerfile", "FROM debian\nFROM debian:trixie AS one\nFROM one\nFROM scratch\nFROM x:1@sha256:" + "a".repeat(64) + "\n");
        write(".gitlab-ci.yml",
                "image: maven:latest\njob:\n  image: {name: alpine:3.22}\n  services:\n    - postgres:17@sha256:" + "a".repeat(64) + "\n");
        write("build.sh", "npx cowsay\npip install requests\ngo install example.org/tool@latest\n");
        assertEquals(List.of(
                ".gitlab-ci.yml: image alpine:3.22 has no digest",
                ".gitlab-ci.yml: image maven:latest has no digest",
                "Dockerfile: image debian has no digest",
                "Dockerfile: image debian:trixie has no digest",
                "a/requirements.txt: 'three==3.0' has no hash",
                "a/requirements.txt: 'two>=2' is no exact version",
                "build.sh: 'go install example.org/tool@latest' takes whatever version there is",
                "go.mod: 'latest' is no exact version",
                "go.mod: there is no go.sum beside it",
                "package.json: a is '^1.0.0', no exact version",
                "package.json: c is '*', no exact version",
                "package.json: there is no package-lock.json beside it",
                "pom.xml: version '1.0-SNAPSHOT' is not exact",
                "pom.xml: version 'LATEST' is not exact",
                "pom.xml: version '[1,2)' is not exact"), problems(directory));
    }

    @Test
    void lockThatDoesNotSayWhatItHoldsIsFound() throws IOException {
        write("package.json", "{\"devDependencies\": {\"a\": \"1.0.0\", \"b\": \"1.0.0\"}}");
        write("package-lock.json",
                "{\"packages\": {\"\": {\"devDependencies\": {\"a\": \"0.9.0\"}}, \"node_modules/a\": {\"version\": \"0.9.0\"}}}");
        assertEquals(
                List.of("package-lock.json: is not of this package.json; run npm install", "package-lock.json: node_modules/a has no hash"),
                problems(directory));
    }

    private void write(String name, String content) throws IOException {
        Files.createDirectories(directory.resolve(name).getParent());
        Files.writeString(directory.resolve(name), content);
    }

    private static List<String> problems(Path root) {
        var problems = new TreeSet<String>();
        for (Path file : files(root).toList()) {
            String name = file.getFileName().toString();
            var found = new ArrayList<String>();
            try {
                String text = isText(name) ? Files.readString(file) : "";
                if (name.equals("pom.xml")) pom(text, found);
                else if (name.equals("package.json")) npm(file, found);
                else if (name.equals("package-lock.json")) lock(file, found);
                else if (name.equals("go.mod")) go(file, text, found);
                else if (name.endsWith("requirements.txt")) python(text, found);
                else if (name.startsWith("Dockerfile"))
                    bases(text).stream().filter(image -> !image.contains("@sha256:") && !WITHOUT_DIGEST.contains(image))
                            .forEach(image -> found.add("image " + image + " has no digest"));
                else if (name.equals(".gitlab-ci.yml"))
                    images(text).stream().filter(image -> !image.contains("@sha256:") && !image.contains("$"))
                            .forEach(image -> found.add("image " + image + " has no digest"));
                else if (!name.endsWith(".md") && !name.endsWith(".java")) commands(text, found);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            found.forEach(problem -> problems.add(root.relativize(file) + ": " + problem));
        }
        return List.copyOf(problems);
    }

    private static boolean isText(String name) {
        return !name.matches(".*\\.(jar|class|png|gz|zst|bin)|gateway|settings");
    }

    private static void pom(String text, List<String> problems) {
        VERSION.matcher(text).results().map(match -> match.group(1) != null ? match.group(1) : match.group(2))
                .filter(version -> !version.startsWith("${") && (!EXACT.matcher(version).matches() || version.endsWith("-SNAPSHOT")))
                .forEach(version -> problems.add("version '" + version + "' is not exact"));
        // plugins that neither the parent nor a BOM declares: without a version, Maven uses the newest
        Pattern.compile("(?s)<plugin>(.*?)</plugin>").matcher(text).results().map(match -> match.group(1))
                .filter(plugin -> !plugin.contains("<version>") && plugin.contains("<groupId>"))
                .forEach(plugin -> problems.add("a plugin has no version: " + plugin.strip().lines().findFirst().orElse("")));
    }

    private static void npm(Path file, List<String> problems) throws IOException {
        var json = JSON.readTree(Files.readString(file));
        boolean any = false;
        for (String kind : List.of("dependencies", "devDependencies", "optionalDependencies")) {
            for (var entry : json.path(kind).properties()) {
                any = true;
                if (!EXACT.matcher(entry.getValue().asString()).matches())
                    problems.add(entry.getKey() + " is '" + entry.getValue().asString() + "', no exact version");
            }
        }
        if (any && !Files.exists(file.resolveSibling("package-lock.json"))) problems.add("there is no package-lock.json beside it");
    }

    private static void lock(Path file, List<String> problems) throws IOException {
        var packages = JSON.readTree(Files.readString(file)).path("packages");
        packages.properties().stream()
                .filter(entry -> !entry.getKey().isEmpty() && !entry.getValue().has("integrity") && !WITHOUT_HASH.contains(entry.getKey()))
                .forEach(entry -> problems.add(entry.getKey() + " has no hash"));
        var own = JSON.readTree(Files.readString(file.resolveSibling("package.json")));
        for (String kind : List.of("dependencies", "devDependencies", "optionalDependencies")) {
            if (!own.path(kind).equals(packages.path("").path(kind))) problems.add("is not of this package.json; run npm install");
        }
    }

    private static void go(Path file, String text, List<String> problems) {
        var versions = Pattern.compile("(?m)^\\s*(?:require\\s+)?[\\w./-]+\\.[\\w./-]+\\s+(\\S+)").matcher(text).results()
                .map(match -> match.group(1)).toList();
        versions.stream().filter(version -> !version.matches("v\\d+\\.\\d+\\.\\d+.*"))
                .forEach(version -> problems.add("'" + version + "' is no exact version"));
        if (!versions.isEmpty() && !Files.exists(file.resolveSibling("go.sum"))) problems.add("there is no go.sum beside it");
    }

    private static void python(String text, List<String> problems) {
        for (String requirement : text.replace("\\\n", " ").lines().map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("#")).toList()) {
            String what = requirement.replaceAll("\\s.*", "");
            if (!what.matches("[\\w.\\[\\]-]+==[\\w.]+")) problems.add("'" + what + "' is no exact version");
            else if (!requirement.contains("--hash=sha256:")) problems.add("'" + what + "' has no hash");
        }
    }

    /** Returns the base images of a Dockerfile, without its own stages. */
    private static Set<String> bases(String text) {
        var stages = new HashSet<>(Set.of("scratch"));
        var bases = new TreeSet<String>();
        for (String line : text.lines().toList()) {
            String[] words = line.strip().split("\\s+");
            if (!words[0].equals("FROM")) continue;
            if (!stages.contains(words[1])) bases.add(words[1]);
            if (words.length > 3) stages.add(words[3]);
        }
        return bases;
    }

    private static Set<String> images(String text) {
        var images = new TreeSet<String>();
        Pattern.compile("(?m)^\\s*image:\\s*(?:\\{?\\s*name:\\s*)?[\"']?([\\w./:$@{}-]+)").matcher(text).results()
                .forEach(match -> images.add(match.group(1).replaceAll("}$", "")));
        Pattern.compile("(?m)^\\s*services:\\s*\\n((?:\\s*-.*\\n?)+)").matcher(text).results()
                .forEach(match -> Pattern.compile("-\\s*(?:name:\\s*)?[\"']?([\\w./:$@-]+)").matcher(match.group(1)).results()
                        .forEach(it -> images.add(it.group(1))));
        return images;
    }

    /** Finds programs that a script downloads in the latest version. */
    private static void commands(String text, List<String> problems) {
        Pattern.compile("(?m)\\b(?:go (?:install|run)|npx|npm exec|pipx run)\\b[^\\n|;&]*@latest\\b").matcher(text).results()
                .forEach(match -> problems.add("'" + match.group().strip() + "' takes whatever version there is"));
    }

    private static Stream<Path> files(Path root) {
        var files = new ArrayList<Path>();
        try {
            Files.walkFileTree(root, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                    return !directory.equals(root) && SKIPPED.contains(directory.getFileName().toString()) ? FileVisitResult.SKIP_SUBTREE
                            : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (attributes.isRegularFile() && attributes.size() < 2_000_000) files.add(file);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return files.stream();
    }
}
