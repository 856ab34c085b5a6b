package lockstep.release;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;

/** A container engine that builds and saves images by the words of docker's command line, as podman, nerdctl and finch do, too. */
record Engine(ProjectFiles files, String command) {
    /** What the CDK calls as well. */
    private static final String CHOICE = "CDK_DOCKER";

    /**
     * The one of this machine.
     *
     * @throws UserFault when there is none that answers
     */
    static Engine ofThisMachine(ProjectFiles files) {
        var engine = new Engine(files, Optional.ofNullable(System.getenv(CHOICE)).filter(chosen -> !chosen.isBlank()).orElse("docker"));
        try {
            engine.run("asking the container engine", List.of("info"));
        } catch (UserFault e) {
            throw new UserFault("a release for AWS holds its images, and '" + engine.command() + "' does not build any here:\n  " + e.report()
                    + "\n  Start the engine, or name another in " + CHOICE + " (podman, nerdctl, finch). Without --aws a release is made for the local cloud, which needs none.", e);
        }
        return engine;
    }

    /** @param name for the engine, by which it may find it again */
    public void build(Path context, Optional<String> target, Optional<String> platform, String name) {
        var words = new ArrayList<>(List.of("build", "--tag", name));
        target.ifPresent(stage -> words.addAll(List.of("--target", stage)));
        platform.ifPresent(of -> words.addAll(List.of("--platform", of)));
        words.add(context.toString());
        run("building image " + name, words);
    }

    void save(String name, Path file) {
        run("saving image " + name, List.of("save", "--output", file.toString(), name));
    }

    /** It is the user's own program: it finds its server, its settings and its passwords where the user has them. */
    private void run(String what, List<String> words) {
        var environment = new HashMap<>(System.getenv());
        // else docker puts a record of the build beside the image, and the two under one name
        environment.put("BUILDX_NO_DEFAULT_ATTESTATIONS", "1");
        var line = new ArrayList<>(List.of(command));
        line.addAll(words);
        new Command(line, files.emptyHome(), environment, files.log("image-" + words.getFirst())).run(what);
    }
}
