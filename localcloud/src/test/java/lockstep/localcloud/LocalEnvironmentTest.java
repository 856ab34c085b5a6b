package lockstep.localcloud;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import lockstep.project.ProjectFiles;
import lockstep.release.Cdk;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Tests the list of changes against infra's synthesized task definitions. */
@Tag("nightly")
class LocalEnvironmentTest {
    private static final Set<
            String> ADDED = Set.of("PATH", "NGINX", "SETTINGS_SECRET_POLL", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "JAVA_TOOL_OPTIONS",
                    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN");
    private static final LocalEnvironment HERE = new LocalEnvironment(variable -> 4000 + variable.length(),
            Map.of("/run/settings", Path.of("/here/settings"),
                    "/run/gateway", Path.of("/here/gateway"), "/tmp", Path.of("/here/temporary")),
            "https://127.0.0.1:4566", Path.of("/here/authority.pem"),
            AwsSessionCredentials.create("key", "secret", "token"), Path.of("/here/nginx"));

    @TempDir private static Path directory;
    /** The deployed environments by stack and container. */
    private static final Map<String, Map<String, String>> DEPLOYED = new TreeMap<>();

    @BeforeAll
    static void synthesize() throws IOException {
        var launcher = ProjectFiles.ofLauncher();
        var files = new ProjectFiles(launcher.project(), launcher.tools(), directory.resolve("cloud"));
        files.create();
        var assembly = new Cdk(files, "eu-central-1").synthesize(files.project().resolve("lockstep.yaml"));
        try (var templates = Files.newDirectoryStream(assembly, "*.template.json")) {
            for (Path template : templates) {
                for (JsonNode resource : JsonMapper.shared().readTree(template).get("Resources")) {
                    for (JsonNode container : resource.at("/Properties/ContainerDefinitions")) {
                        var environment = new TreeMap<String, String>();
                        container.path("Environment").forEach(v -> environment.put(v.get("Name").asString(),
                                v.get("Value").isString() ? v.get("Value").asString() : "(known when deployed)"));
                        container.path("Secrets").forEach(v -> environment.put(v.get("Name").asString(), "(secret)"));
                        DEPLOYED.put(template.getFileName() + "/" + container.get("Name").asString(), environment);
                    }
                }
            }
        }
    }

    @Test
    void everyChangeIsNeeded() {
        for (var change : LocalEnvironment.CHANGES) {
            assertTrue(DEPLOYED.values().stream().anyMatch(deployed -> switch (change) {
                case LocalEnvironment.Replace replace -> deployed.containsKey(replace.variable());
                case LocalEnvironment.Add add -> add.beside().isEmpty() || deployed.containsKey(add.beside());
            }), "no container is deployed that " + change.variable() + " is for");
        }
    }

    @Test
    void onlyWhatIsOnTheListDiffersAndWhatLiesInVolumes() {
        var listed = new HashSet<String>();
        LocalEnvironment.CHANGES.forEach(change -> listed.add(change.variable()));
        DEPLOYED.forEach((name, deployed) -> {
            var local = HERE.of(deployed);
            var differing = new TreeSet<>(local.keySet());
            differing.removeIf(variable -> local.get(variable).equals(deployed.get(variable)) || listed.contains(variable));
            differing.removeIf(variable -> deployed.getOrDefault(variable, "").matches("(unix:)?(/run|/tmp)/.*"));
            assertEquals(Set.of(), differing, name);
            assertTrue(local.keySet().containsAll(deployed.keySet()), name);
            assertTrue(local.values().stream().noneMatch(value -> value.matches("(unix:)?(/run|/tmp)(/.*)?")),
                    name + " has no directory for " + local);
        });
    }

    @Test
    void whoSpeaksToAwsDoesSoAsTheRoleOfItsTask() {
        DEPLOYED.forEach((name, deployed) -> assertEquals(deployed.containsKey("AWS_REGION"),
                HERE.of(deployed).containsKey("AWS_SESSION_TOKEN"), name));
        DEPLOYED.forEach((name, deployed) -> deployed.keySet().forEach(
                variable -> assertTrue(!ADDED.contains(variable), name + " has a " + variable + " of its own, which would be lost here")));
    }

    @Test
    void aPathIsInAVolumeOnlyAsAWhole() {
        var local = HERE.of(Map.of("A", "/run/settings/routes.json", "B", "unix:/run/gateway/gateway.sock", "C", "/run/settings", "D",
                "/run/settingsx/y", "E", "s3://run/settings/x", "F", "/tmp/nginx"));
        assertEquals(
                Map.of("A", "/here/settings/routes.json", "B", "unix:/here/gateway/gateway.sock", "C", "/here/settings", "D",
                        "/run/settingsx/y", "E", "s3://run/settings/x", "F", "/here/temporary/nginx"),
                without(local, "PATH"));
    }

    private static Map<String, String> without(Map<String, String> environment, String variable) {
        var left = new TreeMap<>(environment);
        left.remove(variable);
        return left;
    }
}
