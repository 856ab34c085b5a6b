package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * No template contains a secret or puts one in a readable place: stacks, functions' configurations, task definitions, state machines and
 * execution histories expose no secrets. {@code SecretScanEndToEndTest} (cli) checks the running system.
 */
class SecretTest {
    private static final Assembly CLINIC = Assembly.clinic();
    private static final Pattern LITERAL = Pattern.compile(
            "(AKIA|ASIA)[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE "
                    + "KEY|glpat-[\\w-]{20}|://[^/\\s:@{]+:[^/\\s@{]+@|(?i)(password|passwd|pwd|"
                    + "secret_key)[\"']?\\s*[=:]\\s*[\"']?(?![\"'{\\s,}])\\S{4,}");
    private static final Pattern SECRET_NAME = Pattern.compile("(?i).*(password|secret|token|private|credential|session_?key|api_?key).*");
    /** CloudFormation resolves these references into values that readers of the resource can see, except a database's master password. */
    private static final Pattern RESOLVED = Pattern.compile("\\{\\{resolve:(secretsmanager|ssm-secure|ssm)");

    @Test
    void templatesHoldNone() {
        var found = new TreeMap<String, List<String>>();
        CLINIC.templates().forEach((stack, template) -> {
            var problems = problems(template);
            if (!problems.isEmpty()) found.put(stack, problems);
        });
        assertEquals(Map.of(), found);
        assertTrue(CLINIC.resources("AWS::SecretsManager::Secret").size() > 20, "there are secrets that could have been written");
    }

    /** Secrets Manager generates them; templates contain only names. */
    @Test
    void secretsAreGeneratedWhereTheyAreKept() {
        for (var secret : CLINIC.resources("AWS::SecretsManager::Secret")) {
            assertTrue(secret.property("SecretString").isMissingNode(), secret::toString);
            assertTrue(secret.property("GenerateSecretString").isObject(), secret::toString);
            String template = secret.property("GenerateSecretString").path("SecretStringTemplate").toString();
            assertTrue(!template.contains("password"), () -> secret + " " + template);
            assertTrue(secret.property("KmsKeyId").toString().contains("Fn::GetAtt"), secret::toString);
        }
    }

    /** Checks that the scan finds planted secrets. */
    @Test
    void eachWayOfPuttingASecretWhereItIsReadIsFound() {
        assertFound("AWS::ECS::TaskDefinition", properties -> ((ObjectNode) properties.at("/ContainerDefinitions/0"))
                .withArray("Environment").addObject().put("Name", "API_TOKEN").put("Value", "s3cr3t-value"), "API_TOKEN is written out");
        assertFound("AWS::ECS::TaskDefinition",
                properties -> ((ObjectNode) properties.at("/ContainerDefinitions/0")).withArray("Command").add("--password=hunter22"),
                "looks like a secret");
        assertFound("AWS::Lambda::Function", properties -> properties.withObject("/Environment/Variables").put("LOGIN",
                "{{resolve:secretsmanager:arn:SecretString:password}}"), "a secret is filled in");
        assertFound("AWS::Lambda::Function", properties -> properties.put("Description", "postgres://admin:hunter22@host/db"),
                "looks like a secret");
        assertFound("AWS::SecretsManager::Secret", properties -> properties.put("SecretString", "hunter22"), "SecretString is written out");
        assertFound("AWS::SecretsManager::Secret", properties -> properties.withObject("/GenerateSecretString").put("SecretStringTemplate",
                "{\"username\":\"u\",\"password\":\"hunter22\"}"), "looks like a secret");
        assertFound("AWS::RDS::DBCluster", properties -> properties.put("MasterUserPassword", "hunter22"),
                "MasterUserPassword is written out");
        assertFound("AWS::Logs::LogGroup", properties -> properties.put("LogGroupName", "AKIAABCDEFGHIJKLMNOP"), "looks like a secret");
        ObjectNode template = read("demo-shard-demo-1");
        template.withObject("/Outputs/Leak").put("Value", "{{resolve:secretsmanager:x:SecretString:password}}");
        assertTrue(problems(template.toString()).stream().anyMatch(problem -> problem.contains("a secret is filled in")), "an output");
        template = read("demo-shard-demo-1");
        template.withObject("/Parameters/DatabasePassword").put("Type", "String").put("Default", "hunter22");
        assertTrue(problems(template.toString()).stream().anyMatch(problem -> problem.contains("Parameters/DatabasePassword")),
                "a parameter");
    }

    private static void assertFound(String type, Consumer<ObjectNode> mistake, String told) {
        String stack = CLINIC.resources(type).stream().map(Assembly.Resource::stack).findFirst().orElseThrow();
        var template = read(stack);
        var before = problems(template.toString());
        for (var resource : template.get("Resources")) {
            if (resource.get("Type").asText().equals(type)) {
                mistake.accept((ObjectNode) resource.get("Properties"));
                break;
            }
        }
        var after = problems(template.toString());
        assertNotEquals(before, after, told);
        assertTrue(after.stream().anyMatch(problem -> problem.contains(told)), () -> told + ": " + after);
    }

    private static ObjectNode read(String stack) {
        try {
            return (ObjectNode) Assembly.JSON.readTree(CLINIC.templates().get(stack));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> problems(String template) {
        var problems = new ArrayList<String>();
        try {
            look("", Assembly.JSON.readTree(template), problems);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return problems;
    }

    private static void look(String path, JsonNode node, List<String> problems) {
        if (node.isTextual()) {
            if (LITERAL.matcher(node.asText()).find()) problems.add(path + ": looks like a secret");
            if (RESOLVED.matcher(node.asText()).find() && !path.matches("/Resources/\\w+/Properties/MasterUserPassword/.*"))
                problems.add(path + ": a secret is filled in where it can be read");
        } else if (node.isObject()) {
            // a variable of a container or function, or a parameter of the template
            if (node.has("Name") && node.path("Value").isTextual() && path.contains("/Environment/"))
                variable(path, node.get("Name").asText(), node.get("Value").asText(), problems);
            for (var entry : node.properties()) {
                String child = path + "/" + entry.getKey();
                if (path.endsWith("/Environment/Variables") && entry.getValue().isTextual())
                    variable(path, entry.getKey(), entry.getValue().asText(), problems);
                if (List.of("SecretString", "MasterUserPassword").contains(entry.getKey()) && entry.getValue().isTextual())
                    problems.add(child + ": " + entry.getKey() + " is written out");
                if (path.equals("/Parameters") && SECRET_NAME.matcher(entry.getKey()).matches()) problems.add(path.substring(1) + "/"
                        + entry.getKey() + ": a secret would be a parameter, which is told to whoever may describe the stack");
                look(child, entry.getValue(), problems);
            }
        } else if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) look(path + "/" + i, node.get(i), problems);
        }
    }

    private static void variable(String path, String name, String value, List<String> problems) {
        if (SECRET_NAME.matcher(name).matches() && !value.startsWith("arn:")) problems.add(path + ": " + name + " is written out");
    }
}
