package lockstep.release;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.accounts.LocalEndpoint;
import lockstep.assembly.Assembly;
import lockstep.assembly.Assembly.Stack;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import lockstep.landscape.Product;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;

/** The CDK command line. Except for {@link #deployToAws} and an AWS diff, it runs without settings that could lead it to a real account. */
public final class Cdk {
    /** The contexts of our own images. The engine's has the jar of all functions. */
    private static final List<String> IMAGES = List.of("proxy/nginx", "proxy/target/image", "lambdas/target/image");
    private final ProjectFiles files;
    private final String region;

    public Cdk(ProjectFiles files, String region) {
        this.files = files;
        this.region = region;
    }

    /**
     * Synthesizes the application with {@code cdk synth}. The same inputs produce the same templates, so an existing assembly of these
     * inputs is reused. Synthesis would be most of the time of an {@code up} without changes.
     *
     * @return the assembly, which must not be changed
     */
    public Path synthesize(Path landscape) {
        return synthesize(landscape, Optional.empty());
    }

    /** @param release replaces the release of the landscape */
    public Path synthesize(Path landscape, Optional<String> release) {
        var declared = LandscapeReader.read(landscape);
        declared.product().filter(product -> !product.commands().build().isEmpty())
                .ifPresent(product -> new Command(Product.in(product.directory(), product.commands().build()), product.directory(),
                        System.getenv(), files.log("build-product")).run("building " + product.name()));
        Path kept = files.tools().resolve("synthesized").resolve(inputs(landscape, declared, release));
        if (!Files.exists(kept)) {
            Path fresh = kept.resolveSibling(kept.getFileName() + "." + ProcessHandle.current().pid());
            ProjectFiles.deleteTree(fresh);
            var environment = environment();
            environment.put("LOCKSTEP_BUILT", "yes");
            var line = new ArrayList<>(
                    List.of(files.nodeTools().resolve("cdk").toString(), "synth", "--quiet", "--no-lookups", "--no-notices",
                            "--output", fresh.toString(), "--context", "landscape=" + landscape));
            release.ifPresent(name -> line.addAll(List.of("--context", "release=" + name)));
            new Command(line, files.project(), environment, files.log("synth"))
                    .run("synthesizing the stacks");
            keep(fresh, kept);
        }
        return kept;
    }

    /** Returns a digest of all inputs of the templates and assets. */
    private String inputs(Path landscape, Landscape declared, Optional<String> release) {
        var text = new StringBuilder(release.orElse(""));
        declared.accounts().stream().flatMap(account -> account.shards().stream()).flatMap(shard -> shard.database().stream())
                .flatMap(database -> database.ca().stream()).forEach(ca -> text.append(ca).append(' ').append(digest(ca)).append('\n'));
        var built = declared.product().map(Product::image).filter(Product.Built.class::isInstance).map(Product.Built.class::cast)
                .map(Product.Built::context).stream();
        try (var images = Stream.concat(built, IMAGES.stream().map(files.project()::resolve)).flatMap(Cdk::filesBelow)) {
            images.forEach(file -> text.append(files.project().relativize(file)).append(' ').append(Files.isExecutable(file)).append(' ')
                    .append(digest(file)).append('\n'));
        }
        try (var modules = Stream.of("landscape", "infra").map(module -> files.project().resolve(module).resolve("target"))
                .flatMap(Cdk::jars)) {
            for (Path input : Stream
                    .concat(modules, Stream.of(landscape, files.project().resolve("cdk.json"), files.project().resolve("package-lock.json"),
                            files.project().resolve("infra/target/classpath")))
                    .toList()) {
                text.append(input.getFileName()).append(' ').append(digest(input)).append('\n');
            }
        }
        return ProjectFiles.digest(text.toString().getBytes(StandardCharsets.UTF_8)).substring(0, 16);
    }

    private static String digest(Path file) {
        try {
            return ProjectFiles.digest(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<Path> filesBelow(Path folder) {
        try (var found = Files.walk(folder)) {
            return found.filter(Files::isRegularFile).sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<Path> jars(Path folder) {
        try (var entries = Files.list(folder)) {
            return entries.filter(file -> file.toString().endsWith(".jar")).sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Moves an assembly to the cache, and deletes all others but the newest. */
    private static void keep(Path fresh, Path kept) {
        try {
            if (!Files.exists(kept)) {
                Files.move(fresh, kept);
            }
            try (var others = Files.list(kept.getParent())) {
                others.filter(other -> !other.equals(kept))
                        .sorted(Comparator.comparing((Path other) -> other.toFile().lastModified()).reversed()).skip(1)
                        .forEach(ProjectFiles::deleteTree);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public void bootstrap(Account account, LocalEndpoint endpoint) {
        run(account, endpoint, "bootstrap", List.of("bootstrap", "aws://" + account.id() + "/" + region, "--no-notices"));
    }

    /** @param credentials environment variables with AWS credentials */
    public void deploy(Account account, List<String> stacks, LocalEndpoint endpoint, Map<String, String> credentials) {
        deploy(account, files.assembly(), stacks, endpoint, credentials);
    }

    /** @param assembly a projected assembly */
    public void deploy(Account account, Path assembly, List<String> stacks, LocalEndpoint endpoint, Map<String, String> credentials) {
        var arguments = new ArrayList<>(List.of("deploy", "--app", assembly.toString(), "--exclusively", "--require-approval", "never",
                "--concurrency", "4", "--method", "direct", "--progress", "events", "--no-notices"));
        arguments.addAll(stacks);
        run(account, endpoint, "deploy", arguments, credentials);
    }

    /**
     * Deploys to an AWS account.
     *
     * @param credentials environment variables with AWS credentials
     */
    void deployToAws(Account account, Path assembly, List<String> stacks, Map<String, String> credentials) {
        var arguments = new ArrayList<>(List.of("deploy", "--app", assembly.toString(), "--exclusively", "--require-approval", "never",
                "--concurrency", "4", "--progress", "events", "--no-notices"));
        arguments.addAll(stacks);
        onAws("deploy", account, arguments, credentials);
    }

    /** Returns the output of {@code cdk diff}. It compares only the templates, because the caller may have no other rights. */
    String diff(Account account, Path assembly, List<String> stacks, Map<String, String> credentials, Optional<LocalEndpoint> endpoint) {
        var arguments = new ArrayList<>(List.of("diff", "--app", assembly.toString(), "--exclusively", "--no-change-set", "--no-notices"));
        arguments.addAll(stacks);
        if (endpoint.isPresent()) run(account, endpoint.get(), "diff", arguments, credentials);
        else onAws("diff", account, arguments, credentials);
        try {
            return Files.readString(files.log("diff-" + account.name()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void onAws(String name, Account account, List<String> arguments, Map<String, String> credentials) {
        var environment = environment();
        // needed to reach AWS from a corporate network
        for (String inherited : List.of("HOME", "HTTPS_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS")) {
            Optional.ofNullable(System.getenv(inherited)).ifPresent(value -> environment.put(inherited, value));
        }
        run(account, name, arguments, credentials, environment);
    }

    private void run(Account account, String name, List<String> arguments, Map<String, String> credentials,
            Map<String, String> environment) {
        environment.putAll(credentials);
        var line = new ArrayList<>(List.of(files.nodeTools().resolve("cdk").toString()));
        line.addAll(arguments);
        new Command(line, files.emptyHome(), environment, files.log(name + "-" + account.name()))
                .run("cdk " + name + " in " + account.name());
    }

    /** Returns root credentials: the emulator treats a key id of 12 digits as the root of that account. */
    public static Map<String, String> root(Account account) {
        return Map.of("AWS_ACCESS_KEY_ID", account.id(), "AWS_SECRET_ACCESS_KEY", "local");
    }

    /**
     * Deletes a stack.
     *
     * @param assembly an assembly that still contains the stack
     */
    public void destroy(Account account, String stack, Path assembly, LocalEndpoint endpoint) {
        run(account, endpoint, "destroy",
                List.of("destroy", "--app", assembly.toString(), "--exclusively", "--force", "--no-notices", stack));
    }

    private void run(Account account, LocalEndpoint endpoint, String name, List<String> arguments) {
        run(account, endpoint, name, arguments, root(account));
    }

    private void run(Account account, LocalEndpoint endpoint, String name, List<String> arguments, Map<String, String> credentials) {
        var environment = environment();
        environment.put("AWS_ENDPOINT_URL", endpoint.uri().toString());
        environment.put("NODE_EXTRA_CA_CERTS", endpoint.authority().toString());
        environment.put("AWS_REGION", region);
        run(account, name, arguments, credentials, environment);
    }

    private Map<String, String> environment() {
        var environment = Command.cleanEnvironment(files);
        environment.put("CDK_DISABLE_VERSION_CHECK", "1");
        environment.put("CDK_DISABLE_CLI_TELEMETRY", "true");
        environment.put("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1");
        return environment;
    }

    /** Returns the stacks of an account in the local assembly, sorted by name. */
    public List<Stack> stacksOf(Account account) {
        return new Assembly(files.assembly()).stacksOf(account);
    }
}
