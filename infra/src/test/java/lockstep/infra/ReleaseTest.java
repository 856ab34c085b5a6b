package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.TreeSet;
import lockstep.landscape.Product;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A release changes task definitions and functions, with what names their versions, and nothing else. CloudFormation writes a resource
 * whose template changes, so a listener rule would get back the weights that a deployment shifted, and a rule that an operator disabled
 * would run.
 */
class ReleaseTest {
    @TempDir private Path built;

    @Test
    void aReleaseChangesTaskDefinitionsAndFunctionsAndNothingElse() throws IOException {
        var changed = new TreeSet<String>();
        var clinic = TestLandscapes.clinic();
        copy("engine", "functions.jar");
        copy("nginx", "demo.conf");
        copy("gateway", "gateway");
        copy("clinic", "clinic.jar");
        var artefacts = new Artefacts(built.resolve("engine"), built.resolve("nginx"), built.resolve("gateway"));
        var next = Assembly.synthesize("next-release", app -> LockstepApp.assemble(app,
                TestLandscapes.clinic(TestLandscapes.product("clinic", new Product.Built(built.resolve("clinic")))).of("2.0.0"),
                artefacts));
        Assembly.clinic().templates().forEach((stack, template) -> {
            try {
                var before = Assembly.JSON.readTree(template).get("Resources");
                var after = Assembly.JSON.readTree(next.templates().get(stack)).get("Resources");
                before.properties().stream().filter(resource -> !resource.getValue().equals(after.get(resource.getKey())))
                        .forEach(resource -> changed.add(resource.getValue().get("Type").asText()));
                after.properties().stream().filter(resource -> !before.has(resource.getKey()))
                        .forEach(resource -> changed.add(resource.getValue().get("Type").asText()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        assertEquals("1.0.0", clinic.release());
        assertEquals(new TreeSet<>(List.of(
                "AWS::ECS::TaskDefinition", "AWS::Lambda::Alias", "AWS::Lambda::Function", "AWS::Lambda::Version",
                // they invoke versions, and may invoke no others
                "AWS::IAM::Policy", "AWS::StepFunctions::StateMachine")), changed);
    }

    private void copy(String image, String changed) throws IOException {
        Path context = Files.createDirectory(built.resolve(image));
        try (var files = Files.list(Path.of("src/test/resources/images", image))) {
            for (Path file : files.toList()) Files.copy(file, context.resolve(file.getFileName()));
        }
        Files.writeString(context.resolve(changed), "of the next release", StandardOpenOption.APPEND);
    }
}
