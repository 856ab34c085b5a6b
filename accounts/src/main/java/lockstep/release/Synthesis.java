package lockstep.release;

import java.nio.file.Path;
import java.util.Optional;
import lockstep.project.ProjectFiles;

/** Synthesizes what {@code up} would deploy, for commands that only inspect it. */
public final class Synthesis {
    private Synthesis() {}

    /** Returns the assembly before it is projected for this machine. */
    public static Path of(ProjectFiles files, Path landscape, String region) {
        return of(files, landscape, region, Optional.empty());
    }

    /** @param release replaces the release of the landscape */
    public static Path of(ProjectFiles files, Path landscape, String region, Optional<String> release) {
        files.create();
        return new Cdk(files, region).synthesize(landscape, release);
    }
}
