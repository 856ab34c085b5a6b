package lockstep.infra;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What was built before the synthesis, to be deployed by it.
 *
 * @param functions the jar with the handlers of all functions
 * @param clinic    build context of the product's image
 * @param nginx     build context of the first hop's image, with the stages production and demo
 * @param gateway   build context of the image with gateway and settings
 */
record Artefacts(Path functions, Path clinic, Path nginx, Path gateway) {
    /** @throws IllegalArgumentException for an image that cannot be built from its context, with the command that makes it */
    Artefacts {
        built(clinic, "mvn package -pl clinic -am");
        built(nginx, "git checkout proxy/nginx");
        built(gateway, "proxy/build");
    }

    /** Where the builds leave them. */
    static Artefacts of(Path root) {
        return new Artefacts(root.resolve("lambdas/target/functions.jar"), root.resolve("clinic/target/image"), root.resolve("proxy/nginx"), root.resolve("proxy/target/image"));
    }

    private static void built(Path context, String command) {
        if (!Files.isRegularFile(context.resolve("Dockerfile"))) {
            throw new IllegalArgumentException("no Dockerfile in " + context + "; " + command + " makes it");
        }
    }
}
