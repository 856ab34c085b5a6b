package lockstep.cli.cloud;

import java.nio.file.Path;
import lockstep.landscape.LandscapeReader;

/** What infra really synthesizes from lockstep.yaml, with the images that are really built; for tests outside this package, which change copies only. */
public final class SynthesizedProject {
    private static final CloudFiles LAUNCHER = CloudFiles.ofLauncher();
    public static final Path FILE = LAUNCHER.project().resolve("lockstep.yaml");

    private SynthesizedProject() {}

    /** It is kept by what it was made of, so that the second call costs nothing. */
    public static Path assembly() {
        var files = new CloudFiles(LAUNCHER.project(), LAUNCHER.tools(), Path.of("target", "synthesized").toAbsolutePath());
        return Synthesis.of(files, FILE, LandscapeReader.read(FILE).region());
    }
}
