package lockstep.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import lockstep.cli.schema.Linter;
import lockstep.cli.schema.Migrations;
import lockstep.cli.schema.ReleaseTests;
import lockstep.cli.schema.SchemaGate;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(mixinStandardHelpOptions = true, name = "schema-gate",
        description = "Tests the previous release on the new schema of the product, and the new release on the previous schema.",
        footer = {"",
                "Lints the new migrations, applies them to a database in use, and runs each release's tests on the other's schema, on "
                        + "real PostgreSQL servers.",
                "Exit code: 0 when the two are compatible, 1 when they are not or could not be checked, 2 on wrong usage."})
public final class SchemaGateCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Spec private CommandSpec spec;

    @Option(names = "--previous", paramLabel = "GIT-REF|DIR",
            description = "The previous release: a tag or commit, or a directory with its sources (default: the newest tag before this "
                    + "commit).") private String previous;

    @Option(names = "--tests", paramLabel = "PATTERN", defaultValue = "",
            description = "Only these tests, as Surefire takes them, such as 'DemoTest#inquiry*' (default: all).") private String tests;

    @Override
    public Integer call() {
        Path project = main.files().project();
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
        var gate = new SchemaGate(new ReleaseTests(before, work.resolve("previous.log"), List.of()),
                new ReleaseTests(now, work.resolve("new.log"), upgradeFrom(before)),
                new Linter(main.files().nodeTools(), now.resolve("clinic/.squawk.toml")), name, tests, progress::note);
        var verdict = gate.judge();
        main.answer(verdict, verdict.text());
        return verdict.compatible() ? 0 : 1;
    }

    /** Returns the Maven options that pass the migrations of the previous release to the upgrade test. */
    public static List<String> upgradeFrom(Path previous) {
        return List.of("-Dclinic.previous.migrations=" + previous.resolve("clinic").resolve(Migrations.SOURCES).toAbsolutePath());
    }

    /** Copies the sources of the product, including uncommitted changes. */
    public static void copy(Path from, Path to) {
        try {
            var files = new ArrayList<Path>();
            try (var poms = Files.list(from)) {
                for (Path entry : poms.toList()) {
                    if (entry.getFileName().toString().equals("pom.xml")) files.add(entry);
                    else if (Files.isRegularFile(entry.resolve("pom.xml"))) files.add(entry.resolve("pom.xml"));
                }
            }
            if (Files.isDirectory(from.resolve("clinic"))) {
                try (var walked = Files.walk(from.resolve("clinic"))) {
                    walked.filter(path -> Files.isRegularFile(path) && !from.relativize(path).startsWith("clinic/target"))
                            .forEach(files::add);
                }
            }
            for (Path file : files) {
                Path copy = to.resolve(from.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
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
        throw new ParameterException(spec.commandLine(),
                "there is no tag before this commit: give the previous release with --previous GIT-REF|DIR");
    }

    private void export(Path project, String ref, Path directory, Path work) {
        Path archive = work.resolve("previous.tar"), log = work.resolve("git.log");
        if (run(project, log, "git", "rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}") != 0) {
            throw new ParameterException(spec.commandLine(), "--previous is '" + ref
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
