package lockstep.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import lockstep.landscape.LandscapeReader;
import lockstep.project.ProjectFiles;
import lockstep.release.Synthesis;

/** What infra really synthesizes from lockstep.yaml, with the images that are really built; for tests outside this package, which change copies only. */
public final class SynthesizedProject {
    private static final ProjectFiles LAUNCHER = ProjectFiles.ofLauncher();
    public static final Path FILE = LAUNCHER.project().resolve("lockstep.yaml");

    private SynthesizedProject() {}

    /** It is kept by what it was made of, so that the second call costs nothing. */
    public static Path assembly() {
        var files = new ProjectFiles(LAUNCHER.project(), LAUNCHER.tools(), Path.of("target", "synthesized").toAbsolutePath());
        return Synthesis.of(files, FILE, LandscapeReader.read(FILE).region());
    }

    /** A copy to change, in a directory that is not there yet. */
    public static Path copiedTo(Path directory) throws IOException {
        Path assembly = assembly();
        try (var paths = Files.walk(assembly)) {
            for (Path path : paths.toList()) Files.copy(path, directory.resolve(assembly.relativize(path).toString()));
        }
        return directory;
    }
}
