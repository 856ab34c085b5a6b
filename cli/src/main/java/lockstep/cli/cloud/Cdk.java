package lockstep.cli.cloud;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lockstep.cli.aws.LocalEndpoint;
import lockstep.landscape.Account;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The CDK command line, kept away from everything that could lead it to a real account. */
final class Cdk {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private final CloudFiles files;
    private final String region;

    Cdk(CloudFiles files, String region) {
        this.files = files;
        this.region = region;
    }

    /** Synthesizes the application as {@code cdk synth} does for anyone. */
    void synthesize(Path landscape) {
        CloudFiles.deleteTree(files.synthesized());
        var environment = environment();
        environment.put("LOCKSTEP_BUILT", "yes");
        new Command(List.of(files.nodeTools().resolve("cdk").toString(), "synth", "--quiet", "--no-lookups", "--no-notices",
                "--output", files.synthesized().toString(), "--context", "landscape=" + landscape), files.project(), environment, files.log("synth"))
                .run("synthesizing the stacks");
    }

    void bootstrap(Account account, LocalEndpoint endpoint) {
        run(account, endpoint, "bootstrap", List.of("bootstrap", "aws://" + account.id() + "/" + region, "--no-notices"));
    }

    void deploy(Account account, List<String> stacks, LocalEndpoint endpoint) {
        var arguments = new ArrayList<>(List.of("deploy", "--app", files.assembly().toString(), "--exclusively", "--require-approval", "never",
                "--concurrency", "4", "--method", "direct", "--progress", "events", "--no-notices"));
        arguments.addAll(stacks);
        run(account, endpoint, "deploy", arguments);
    }

    private void run(Account account, LocalEndpoint endpoint, String name, List<String> arguments) {
        var environment = environment();
        environment.put("AWS_ENDPOINT_URL", endpoint.uri().toString());
        environment.put("NODE_EXTRA_CA_CERTS", endpoint.authority().toString());
        // The emulator takes a key id of 12 digits as the root of that account.
        environment.put("AWS_ACCESS_KEY_ID", account.id());
        environment.put("AWS_SECRET_ACCESS_KEY", "local");
        environment.put("AWS_REGION", region);
        var line = new ArrayList<>(List.of(files.nodeTools().resolve("cdk").toString()));
        line.addAll(arguments);
        new Command(line, files.emptyHome(), environment, files.log(name + "-" + account.name())).run("cdk " + name + " in " + account.name());
    }

    private Map<String, String> environment() {
        var environment = Command.cleanEnvironment(files);
        environment.put("CDK_DISABLE_VERSION_CHECK", "1");
        environment.put("CDK_DISABLE_CLI_TELEMETRY", "true");
        environment.put("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1");
        return environment;
    }

    /** The stacks of an account in the assembly, in the order in which they were declared. */
    List<Stack> stacksOf(Account account) {
        var stacks = new ArrayList<Stack>();
        for (var artifact : JSON.readTree(files.assembly().resolve("manifest.json")).get("artifacts").properties()) {
            JsonNode value = artifact.getValue();
            if (value.get("type").asString().equals("aws:cloudformation:stack")
                    && value.get("environment").asString().equals("aws://" + account.id() + "/" + region)) {
                stacks.add(new Stack(artifact.getKey(), value, JSON.readTree(files.assembly().resolve(value.at("/properties/templateFile").asString()))));
            }
        }
        return stacks;
    }

    /** What would be deployed to an account: templates hold the digests of their assets, so they say it all. */
    String fingerprint(Account account) {
        var text = new StringBuilder();
        stacksOf(account).forEach(stack -> text.append(stack.artifact()).append(stack.template()));
        return Projection.digest(text.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    record Stack(String name, JsonNode artifact, JsonNode template) {
        /** Resources of a type by logical id. */
        Map<String, JsonNode> resources(String type) {
            var found = new TreeMap<String, JsonNode>();
            template.get("Resources").properties().forEach(resource -> {
                if (resource.getValue().get("Type").asString().equals(type)) {
                    found.put(resource.getKey(), resource.getValue().path("Properties"));
                }
            });
            return found;
        }
    }
}
