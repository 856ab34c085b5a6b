package lockstep.landscape;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The product that the shards run. {@code docs/product.md} describes what it is given and what it must do.
 *
 * @param directory  the directory in which its commands run on this machine; all paths are absolute
 * @param port       the port where it serves TLS
 * @param health     the path that answers with 200 while the product can serve
 * @param features   a JSON file with the features of each edition
 * @param migrations the directory of its migrations, for the schema gate
 * @param test       the command that runs its tests for the schema gate; empty if there is none
 */
public record Product(String name, Path directory, Image image, int port, String health, Commands commands, Optional<Path> features,
        Optional<Path> migrations, List<String> test) {
    /** The loopback port where a container answers {@code /alive}, for its health check. */
    public static final int HEALTH_PORT = 8081;

    /** Where the image comes from. */
    public sealed interface Image {}

    /** An image that is built from a directory with a Dockerfile. */
    public record Built(Path context) implements Image {}

    /** An existing image in ECR: {@code ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY}, with a tag or digest. */
    public record Existing(String reference) implements Image {}

    /**
     * The product's commands. A command that it does not have is empty.
     *
     * @param serve   arguments of the image's entry point
     * @param migrate arguments of the image's entry point
     * @param addUser arguments of the image's entry point, with the placeholders {@code {customer}} and {@code {user}}
     * @param build   run on this machine before each synthesis
     * @param seed    run on this machine for the local cloud
     */
    public record Commands(List<String> serve, List<String> migrate, List<String> addUser, List<String> build, List<String> seed) {
        public Commands {
            serve = List.copyOf(serve);
            migrate = List.copyOf(migrate);
            addUser = List.copyOf(addUser);
            build = List.copyOf(build);
            seed = List.copyOf(seed);
        }
    }

    public Product {
        test = List.copyOf(test);
    }

    /**
     * Returns the line of a command for this machine. The path of its program is relative to a directory; without a slash it is on the
     * PATH.
     */
    public static List<String> in(Path directory, List<String> command) {
        var line = new ArrayList<>(command);
        if (line.getFirst().contains("/")) line.set(0, directory.resolve(line.getFirst()).normalize().toString());
        return line;
    }
}
