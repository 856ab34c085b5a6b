package lockstep.cli.cloud;

import java.nio.file.Path;

/** What {@code up} would deploy, for commands that only look at it. */
public final class Synthesis {
    private Synthesis() {}

    /** The assembly, before anything in it is changed for this machine. */
    public static Path of(CloudFiles files, Path landscape, String region) {
        files.create();
        return new Cdk(files, region).synthesize(landscape);
    }
}
