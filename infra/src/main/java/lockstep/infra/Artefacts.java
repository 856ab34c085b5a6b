package lockstep.infra;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The build outputs that the stacks deploy. They must exist before the synthesis.
 *
 * @param engine  the build context of the image of the engine's task, with the jar of all functions
 * @param nginx   the build context of nginx's image, which has the stages production and demo
 * @param gateway the build context of the image that holds gateway and settings
 */
record Artefacts(Path engine, Path nginx, Path gateway) {
    /** @throws IllegalArgumentException if a build context has no Dockerfile; the message names the command that creates it */
    Artefacts {
        built(engine, "./lockstep build");
        built(nginx, "git checkout proxy/nginx");
        built(gateway, "proxy/build");
    }

    /** Returns the paths where the builds put their outputs. */
    static Artefacts of(Path root) {
        return new Artefacts(root.resolve("lambdas/target/image"), root.resolve("proxy/nginx"),
                root.resolve("proxy/target/image"));
    }

    /** Returns the jar with the handlers of all functions. */
    Path functions() {
        return engine.resolve("functions.jar");
    }

    static void built(Path context, String command) {
        if (!Files.isRegularFile(context.resolve("Dockerfile"))) {
            throw new IllegalArgumentException("no Dockerfile in " + context + "; create it with: " + command);
        }
    }
}
