package lockstep.cli.cloud;

import java.nio.file.Path;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;

/** What infra really synthesizes from lockstep.yaml, with the images that are really built: once for all tests, which change copies only. */
public final class SynthesizedProject {
    private static final CloudFiles LAUNCHER = CloudFiles.ofLauncher();
    public static final Path FILE = LAUNCHER.project().resolve("lockstep.yaml");
    public static final Landscape LANDSCAPE = LandscapeReader.read(FILE);
    private static Path assembly;

    private SynthesizedProject() {}

    public static synchronized Path assembly() {
        if (assembly == null) {
            var files = new CloudFiles(LAUNCHER.project(), LAUNCHER.tools(), Path.of("target", "synthesized").toAbsolutePath());
            assembly = Synthesis.of(files, FILE, LANDSCAPE.region());
        }
        return assembly;
    }
}
