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

/** Makes a release of the checkout. */
final class Building {
    private Building() {}

    /**
     * @param release as lockstep.yaml says when empty
     * @param images  whether they are built and put in: an account of AWS takes none without
     */
    public static ReleaseArchive build(Main main, Optional<String> release, boolean images, Path file) {
        var landscape = main.declaredLandscape();
        String name = release.map(Building::checked).orElse(landscape.release());
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

    /** As the pipeline says, or git; what is not committed makes it nobody's. */
    private static Optional<String> commit(Path project) {
        var told = Optional.ofNullable(System.getenv("CI_COMMIT_SHA")).filter(id -> id.matches("[0-9a-f]{40,64}"));
        if (told.isPresent()) return told;
        return git(project, "status", "--porcelain").filter(String::isEmpty).flatMap(clean -> git(project, "rev-parse", "HEAD")).filter(id -> id.matches("[0-9a-f]{40,64}"));
    }

    private static Optional<String> git(Path project, String... arguments) {
        try {
            var line = new java.util.ArrayList<>(List.of("git", "-C", project.toString()));
            line.addAll(List.of(arguments));
            var process = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return process.waitFor() == 0 ? Optional.of(said) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
