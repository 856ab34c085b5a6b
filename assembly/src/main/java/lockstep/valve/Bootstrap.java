package lockstep.valve;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Assembly;
import lockstep.landscape.Landscape;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.databind.JsonNode;

/**
 * The stacks that {@code cdk bootstrap} of the pinned CDK creates in each account with its default options: the asset bucket and
 * repository, and the deployment roles.
 */
public final class Bootstrap {
    private Bootstrap() {}

    /** @param nodeModules where the CDK command line is installed */
    public static List<Stack> stacks(Landscape landscape, Path nodeModules) {
        Path file = nodeModules.resolve("aws-cdk/lib/api/bootstrap/bootstrap-template.yaml");
        try (var stream = Files.newInputStream(file)) {
            JsonNode template = Assembly.JSON.valueToTree(
                    new Load(LoadSettings.builder().setLabel(file.getFileName().toString()).build()).loadFromInputStream(stream));
            return landscape.accounts().stream()
                    .map(account -> new Stack(account.name() + "-CDKToolkit", account.id(), landscape.regionOf(account), template))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the CDK's bootstrap template; run ./lockstep build, which installs it", e);
        }
    }
}
