package lockstep.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import lockstep.landscape.LandscapeReader;
import lockstep.project.ProjectFiles;
import lockstep.release.Synthesis;

/** The assembly that infra synthesizes from lockstep.yaml, with the real image contexts. Tests must change only copies. */
final class SynthesizedProject {
    private static final ProjectFiles LAUNCHER = ProjectFiles.ofLauncher();
    public static final Path FILE = LAUNCHER.project().resolve("lockstep.yaml");

    private SynthesizedProject() {}

    /** Returns the assembly, which is cached by its inputs. */
    static Path assembly() {
        var files = new ProjectFiles(LAUNCHER.project(), LAUNCHER.tools(), Path.of("target", "synthesized").toAbsolutePath());
        return Synthesis.of(files, FILE, LandscapeReader.read(FILE).region());
    }

    /** Copies the assembly to a directory that does not exist yet. */
    static Path copiedTo(Path directory) throws IOException {
        Path assembly = assembly();
        try (var paths = Files.walk(assembly)) {
            for (Path path : paths.toList()) Files.copy(path, directory.resolve(assembly.relativize(path).toString()));
        }
        return directory;
    }
}
