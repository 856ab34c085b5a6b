package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import lockstep.accounts.DeployedTask;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import software.amazon.awssdk.services.ecs.model.Secret;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.sfn.SfnClient;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Tests that the contents of the secrets of all accounts appear nowhere else: not in logs, process lists, or API descriptions of functions,
 * tasks and executions, and in no environment except those of containers whose task references the secret, as in ECS.
 */
@ExtendWith(SharedCloud.class)
@Tag("nightly")
class SecretScanEndToEndTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** Fields of a login and a certificate that are not secret. */
    private static final Set<String> NOT_SECRET = Set.of("engine", "host", "port", "dbname", "username", "certificate", "masterarn");
    /** Secret texts by the name of the secret and field. */
    private static final Map<String, String> NEEDLES = new LinkedHashMap<>();
    /** Variables that contain secrets in tasks. */
    private static final Set<String> VARIABLES = new HashSet<>();

    @BeforeAll
    static void readSecrets() {
        for (var account : CLOUD.landscape.accounts()) {
            var access = CLOUD.root(account.name());
            try (var secrets = access.client(SecretsManagerClient.builder())) {
                for (var secret : secrets.listSecretsPaginator().stream().flatMap(page -> page.secretList().stream()).toList()) {
                    String value = secrets.getSecretValue(r -> r.secretId(secret.arn())).secretString();
                    if (value != null) needles(account.name() + " " + secret.name(), value);
                }
            }
            DeployedTask.of(account, access).forEach(task -> task.definition().containerDefinitions()
                    .forEach(container -> container.secrets().stream().map(Secret::name).forEach(VARIABLES::add)));
        }
        assertTrue(NEEDLES.size() > 20, () -> "secrets to look for: " + NEEDLES.keySet());
        assertTrue(VARIABLES.contains("DATABASE_SECRET"), VARIABLES::toString);
    }

    @Test
    void logsHoldNone() {
        assertEquals(Set.of(), logs());
    }

    @Test
    void processListsHoldNone() {
        assertEquals(Set.of(), found(processes("cmdline")));
        assertTrue(processes("cmdline").size() > 10, "processes that were looked at");
    }

    @Test
    void environmentsHoldThoseOfTheirTaskAlone() {
        var found = new TreeSet<String>();
        int named = 0;
        for (var process : processes("environ").entrySet()) {
            for (String entry : process.getValue().split("\0")) {
                String variable = entry.replaceAll("(?s)=.*", "");
                for (String needle : holds(entry)) {
                    if (VARIABLES.contains(variable)) named++;
                    else found.add(process.getKey() + " " + variable + ": " + needle);
                }
            }
        }
        assertEquals(Set.of(), found);
        assertTrue(named > 0, "the search finds what containers are given");
    }

    @Test
    void whatIsToldOfFunctionsTasksAndExecutionsHoldsNone() {
        var descriptions = new LinkedHashMap<String, String>();
        for (var account : CLOUD.landscape.accounts()) {
            var access = CLOUD.root(account.name());
            DeployedTask.of(account, access).forEach(task -> descriptions.put(task.service(), task.definition().toString()));
            try (var lambda = access.client(LambdaClient.builder()); var machines = access.client(SfnClient.builder())) {
                lambda.listFunctionsPaginator().functions()
                        .forEach(function -> descriptions.put(function.functionName(), function.toString()));
                for (var machine : machines.listStateMachinesPaginator().stateMachines()) {
                    descriptions.put(machine.name(),
                            machines.describeStateMachine(r -> r.stateMachineArn(machine.stateMachineArn())).definition());
                    for (var execution : machines.listExecutions(r -> r.stateMachineArn(machine.stateMachineArn())).executions()) {
                        descriptions.put(execution.executionArn(),
                                machines.getExecutionHistory(r -> r.executionArn(execution.executionArn()).includeExecutionData(true))
                                        .events().toString());
                    }
                }
            }
        }
        assertTrue(descriptions.size() > 30, descriptions.keySet()::toString);
        assertEquals(Set.of(), found(descriptions));
    }

    /** Checks that the search works. */
    @Test
    void whatIsPlantedIsFound() throws Exception {
        String name = NEEDLES.keySet().iterator().next(), secret = NEEDLES.get(name);
        Path planted = CLOUD.files.log("planted");
        Files.writeString(planted, "connecting with " + secret + "\n");
        var process = new ProcessBuilder("sh", "-c", "sleep 60; exit", CLOUD.files.home().toString(), secret).start();
        try {
            assertTrue(logs().stream().anyMatch(found -> found.contains("planted.log: " + name)), "a log");
            assertTrue(found(processes("cmdline")).stream().anyMatch(found -> found.contains(": " + name)), "a process list");
        } finally {
            process.destroyForcibly();
            process.waitFor();
            Files.delete(planted);
        }
    }

    private static void needles(String name, String value) {
        JsonNode json;
        try {
            json = JSON.readTree(value);
        } catch (JacksonException e) {
            json = null;
        }
        if (json == null || !json.isObject()) {
            needle(name, value);
            return;
        }
        json.properties().stream().filter(field -> !NOT_SECRET.contains(field.getKey().toLowerCase()))
                .forEach(field -> needle(name + " " + field.getKey(), field.getValue().asString("")));
    }

    /** Adds a text to search for. For a multi-line key this is a line in its middle, because line breaks may be written differently. */
    private static void needle(String name, String text) {
        var lines = text.lines().map(String::strip).filter(line -> !line.startsWith("-----") && !line.isEmpty()).toList();
        String needle = lines.isEmpty() ? "" : lines.get(lines.size() / 2);
        if (needle.length() >= 12) NEEDLES.put(name, needle);
    }

    private static List<String> holds(String text) {
        return NEEDLES.entrySet().stream().filter(needle -> text.contains(needle.getValue())).map(Map.Entry::getKey).toList();
    }

    private static Set<String> found(Map<String, String> texts) {
        return texts.entrySet().stream().flatMap(text -> holds(text.getValue()).stream().map(needle -> text.getKey() + ": " + needle))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Returns the logs of the cloud: those in logs/ and all other log files. */
    private static Set<String> logs() {
        var texts = new LinkedHashMap<String, String>();
        try (var files = Files.walk(CLOUD.files.home())) {
            for (Path file : files.filter(it -> Files.isRegularFile(it) && it.toString().matches(".*/logs/.*|.*\\.(log|out|err)"))
                    .toList()) {
                texts.put(CLOUD.files.home().relativize(file).toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        assertTrue(texts.size() > 5, texts.keySet()::toString);
        return found(texts);
    }

    /** Returns a /proc file of each process of the cloud, recognized by the cloud's home in its command line or environment. */
    private static Map<String, String> processes(String file) {
        var texts = new LinkedHashMap<String, String>();
        var own = new ArrayList<>(List.of(ProcessHandle.current().pid()));
        ProcessHandle.allProcesses().filter(process -> !own.contains(process.pid())).forEach(process -> {
            String command = proc(process.pid(), "cmdline"), environment = proc(process.pid(), "environ");
            if ((command + environment).contains(CLOUD.files.home().toString())) {
                texts.put(process.pid() + " " + Arrays.stream(command.split("\0")).findFirst().orElse(""),
                        file.equals("cmdline") ? command : environment);
            }
        });
        return texts;
    }

    /** Returns a /proc file; empty if the process has ended or belongs to another user. */
    private static String proc(long pid, String file) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), file), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }
}
