package lockstep.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.StreamSupport;
import lockstep.cli.schema.Linter;
import lockstep.cli.schema.ReleaseTests;
import lockstep.cli.schema.SchemaGate;
import lockstep.landscape.Product;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "schema-gate",
        description = "Tests the previous release on the new schema of the product, and the new release on the previous schema.",
        footer = {"",
                "Lints the new migrations, applies them to a database in use, and runs each release's tests on the other's schema, on "
                        + "real PostgreSQL servers.",
                "Exit code: 0 when the two are compatible, 1 when they are not or could not be checked, 2 on wrong usage."})
public final class SchemaGateCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Option(names = "--previous", paramLabel = "GIT-REF|DIR",
            description = "The previous release: a tag or commit, or a directory with its sources (default: the newest tag before this "
                    + "commit).") private String previous;

    @Option(names = "--tests", paramLabel = "PATTERN", defaultValue = "",
            description = "Only these tests, as product.test takes them, such as 'DemoTest#inquiry*' (default: all).") private String tests;

    @Override
    public Integer call() {
        Path project = main.files().project();
        Product product = product(main.declaredLandscape().product()
                .orElseThrow(() -> new UserFault("the schema gate needs a product in " + main.declaredFile())), project,
                main.declaredFile());
        Path work = main.files().tools().resolve("schema-gate");
        String name = previous == null ? newestTag(project) : previous;
        Path before = work.resolve("previous"), now = work.resolve("new");
        ProjectFiles.deleteTree(work);
        try {
            Files.createDirectories(before);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot create " + before, e);
        }
        if (Files.isDirectory(Path.of(name))) {
            copy(Path.of(name), before);
        } else {
            export(project, name, before, work);
        }
        copy(project, now);
        var progress = main.progress();
        var older = new ReleaseTests(before, product, work.resolve("previous.log"), Optional.empty());
        var newer = new ReleaseTests(now, product, work.resolve("new.log"), Optional.of(older.directory()));
        var gate = new SchemaGate(older, newer, new Linter(main.files().nodeTools()), name, tests, progress::note);
        var verdict = gate.judge();
        main.answer(verdict, verdict.text());
        return verdict.compatible() ? 0 : 1;
    }

    /** Returns the product with paths relative to the checkout. */
    public static Product product(Product product, Path project, Path landscape) {
        if (product.migrations().isEmpty() || product.test().isEmpty())
            throw new UserFault("the schema gate needs product.migrations and product.test in " + landscape);
        if (!product.directory().startsWith(project) || !product.migrations().get().startsWith(project))
            throw new UserFault("the schema gate needs the product's sources in " + project + ", not in " + product.directory());
        return new Product(product.name(), project.relativize(product.directory()), product.image(), product.port(), product.health(),
                product.commands(), product.features(), product.migrations().map(project::relativize), product.test());
    }

    /** Copies the sources of a checkout, including uncommitted changes. */
    public static void copy(Path from, Path to) {
        try (var walked = Files.walk(from)) {
            var built = Set.of(".git", ".lockstep", "node_modules", "target");
            for (Path file : walked.filter(Files::isRegularFile).toList()) {
                Path relative = from.relativize(file);
                if (StreamSupport.stream(relative.spliterator(), false).anyMatch(name -> built.contains(name.toString()))) continue;
                Path copy = to.resolve(relative.toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot copy " + from + " to " + to, e);
        }
    }

    private String newestTag(Path project) {
        try {
            var process = new ProcessBuilder("git", "describe", "--tags", "--abbrev=0", "HEAD^").directory(project.toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String tag = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8).strip();
            if (process.waitFor() == 0) {
                return tag;
            }
        } catch (IOException e) {
            throw new UserFault("cannot start git: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new WrongUsage("there is no tag before this commit: give the previous release with --previous GIT-REF|DIR");
    }

    private void export(Path project, String ref, Path directory, Path work) {
        Path archive = work.resolve("previous.tar"), log = work.resolve("git.log");
        if (run(project, log, "git", "rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}") != 0) {
            throw new WrongUsage("--previous is '" + ref
                    + "', which is neither a directory nor a tag or commit of " + project + " (a shallow clone has only its newest)");
        }
        if (run(project, log, "git", "archive", "--format=tar", "-o", archive.toString(), ref) != 0
                || run(project, log, "tar", "-xf", archive.toString(), "-C", directory.toString()) != 0) {
            throw new UserFault("cannot export " + ref + " from git", log);
        }
    }

    private static int run(Path directory, Path log, String... line) {
        try {
            return new ProcessBuilder(line).directory(directory.toFile()).redirectErrorStream(true).redirectOutput(log.toFile()).start()
                    .waitFor();
        } catch (IOException e) {
            throw new UserFault("cannot start " + line[0] + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserFault("the schema gate was interrupted", e);
        }
    }
}
