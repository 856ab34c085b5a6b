package lockstep.release;

import java.nio.file.Path;
import java.util.Optional;
import lockstep.project.ProjectFiles;

/** What {@code up} would deploy, for commands that only look at it. */
public final class Synthesis {
    private Synthesis() {}

    /** The assembly, before anything in it is changed for this machine. */
    public static Path of(ProjectFiles files, Path landscape, String region) {
        return of(files, landscape, region, Optional.empty());
    }

    /** @param release instead of the one in the landscape */
    public static Path of(ProjectFiles files, Path landscape, String region, Optional<String> release) {
        files.create();
        return new Cdk(files, region).synthesize(landscape, release);
    }
}
