package lockstep.release;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;

/** A container engine with the command line of Docker, such as Podman, nerdctl or Finch. */
public record Engine(ProjectFiles files, String command) {
    /** The variable that also selects the engine of the CDK. */
    private static final String CHOICE = "CDK_DOCKER";

    /**
     * Returns the engine of this machine.
     *
     * @throws UserFault if it does not respond
     */
    public static Engine ofThisMachine(ProjectFiles files) {
        var engine = new Engine(files, Optional.ofNullable(System.getenv(CHOICE)).filter(chosen -> !chosen.isBlank()).orElse("docker"));
        try {
            engine.run("asking the container engine", List.of("info"));
        } catch (UserFault e) {
            throw new UserFault(
                    "a release for AWS contains its images, but '" + engine.command() + "' can't build any here:\n  " + e.report()
                            + "\n  Start the engine, or name another in " + CHOICE
                            + " (podman, nerdctl, finch). Without --aws a release is for the local cloud, which needs no images.",
                    e);
        }
        return engine;
    }

    /** @param name the tag of the image in the engine */
    void build(Path context, Optional<String> target, Optional<String> platform, String name) {
        var words = new ArrayList<>(List.of("build", "--tag", name));
        target.ifPresent(stage -> words.addAll(List.of("--target", stage)));
        platform.ifPresent(of -> words.addAll(List.of("--platform", of)));
        words.add(context.toString());
        run("building image " + name, words);
    }

    void save(String name, Path file) {
        run("saving image " + name, List.of("save", "--output", file.toString(), name));
    }

    /** Runs the engine with the user's environment, so that it finds the user's server, settings and passwords. */
    private void run(String what, List<String> words) {
        var environment = new HashMap<>(System.getenv());
        // otherwise Docker adds a build attestation, and the name refers to an index of both
        environment.put("BUILDX_NO_DEFAULT_ATTESTATIONS", "1");
        var line = new ArrayList<>(List.of(command));
        line.addAll(words);
        new Command(line, files.emptyHome(), environment, files.log("image-" + words.getFirst())).run(what);
    }
}
