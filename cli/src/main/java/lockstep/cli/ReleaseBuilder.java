package lockstep.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import lockstep.landscape.LandscapeReader;
import lockstep.release.BuiltImages;
import lockstep.release.ReleaseArchive;
import lockstep.release.Synthesis;

/** Builds a release from the checkout. */
final class ReleaseBuilder {
    private ReleaseBuilder() {}

    /**
     * @param release the name of the release; the one in lockstep.yaml if empty
     * @param images  whether images are built and included, as AWS accounts require
     */
    static ReleaseArchive build(Main main, Optional<String> release, boolean images, Path file) {
        var landscape = main.declaredLandscape();
        String name = release.map(ReleaseBuilder::checked).orElse(landscape.release());
        Path assembly = Synthesis.of(main.files(), main.declaredFile(), landscape.region(), Optional.of(name));
        if (images) {
            Path built = main.files().home().resolve("releases/built");
            BuiltImages.build(main.files(), assembly, built);
            assembly = built;
        }
        return ReleaseArchive.pack(assembly, main.declaredFile(), name, commit(main.files().project()), file);
    }

    static String checked(String release) {
        return LandscapeReader.release(release);
    }

    /** Returns the commit from the pipeline or git; empty if there are uncommitted changes. */
    private static Optional<String> commit(Path project) {
        var given = Optional.ofNullable(System.getenv("CI_COMMIT_SHA")).filter(id -> id.matches("[0-9a-f]{40,64}"));
        if (given.isPresent()) return given;
        return git(project, "status", "--porcelain").filter(String::isEmpty).flatMap(clean -> git(project, "rev-parse", "HEAD"))
                .filter(id -> id.matches("[0-9a-f]{40,64}"));
    }

    private static Optional<String> git(Path project, String... arguments) {
        try {
            var line = new java.util.ArrayList<>(List.of("git", "-C", project.toString()));
            line.addAll(List.of(arguments));
            var process = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return process.waitFor() == 0 ? Optional.of(output) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
