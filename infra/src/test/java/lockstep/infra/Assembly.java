package lockstep.infra;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import software.amazon.awscdk.App;
import software.amazon.awscdk.AppProps;

/**
 * The synthesized application.
 *
 * @param templates templates by stack name
 * @param findings  errors and warnings of the CDK and of cdk-nag
 * @param lookups   context lookups that the CDK would make in an account
 */
record Assembly(Map<String, String> templates, List<String> findings, List<String> lookups) {
    static final ObjectMapper JSON = new ObjectMapper();
    private static Assembly clinic;
    private static Assembly existing;

    /** The shipped landscape, synthesized once for all tests. */
    static synchronized Assembly clinic() {
        if (clinic == null) {
            clinic = synthesize("clinic", TestLandscapes.clinic());
        }
        return clinic;
    }

    /** An account with an existing network, and one for syncs only. */
    static synchronized Assembly existing() {
        if (existing == null) {
            existing = synthesize("existing", LandscapeReader.read(Path.of("src", "test", "resources", "existing", "lockstep.yaml")));
        }
        return existing;
    }

    /** Synthesizes with the feature flags of cdk.json, like the CDK CLI. */
    static Assembly synthesize(String name, Landscape landscape) {
        return synthesize(name, app -> LockstepApp.assemble(app, landscape, TestLandscapes.ARTEFACTS));
    }

    static Assembly synthesize(String name, Consumer<App> assemble) {
        try {
            var context = JSON.readTree(Path.of("..", "cdk.json").toFile()).get("context");
            var app = new App(AppProps.builder()
                    .analyticsReporting(false)
                    .outdir(Path.of("target", "cdk.out", name).toString())
                    .context(JSON.convertValue(context, new TypeReference<TreeMap<String, Object>>() {})).build());
            assemble.accept(app);
            return read(Path.of(app.synth().getDirectory()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Assembly read(Path directory) throws IOException {
        var templates = new TreeMap<String, String>();
        var findings = new ArrayList<String>();
        var manifest = JSON.readTree(directory.resolve("manifest.json").toFile());
        for (var artifact : manifest.get("artifacts").properties()) {
            if (!artifact.getValue().get("type").asText().equals("aws:cloudformation:stack")) {
                continue;
            }
            templates.put(artifact.getKey(),
                    Files.readString(directory.resolve(artifact.getValue().at("/properties/templateFile").asText())));
            var inlined = artifact.getValue().path("metadata");
            var apart = artifact.getValue().get("additionalMetadataFile");
            for (var construct : (apart == null ? inlined : JSON.readTree(directory.resolve(apart.asText()).toFile())).properties()) {
                for (var entry : construct.getValue()) {
                    if (List.of("aws:cdk:error", "aws:cdk:warning").contains(entry.get("type").asText())) {
                        findings.add(construct.getKey() + ": " + entry.get("data").asText());
                    }
                }
            }
        }
        for (var report : JSON.readTree(directory.resolve("validation-report.json").toFile()).get("pluginReports")) {
            report.get("violations").forEach(violation -> findings.add(violation.toString()));
        }
        return new Assembly(templates, findings, manifest.path("missing").findValuesAsText("key"));
    }

    /** A resource and its location. */
    record Resource(String stack, String id, JsonNode body) {
        JsonNode property(String name) {
            return body.path("Properties").path(name);
        }

        @Override
        public String toString() {
            return stack + "/" + id;
        }
    }

    /** The resources of a type in all stacks. */
    List<Resource> resources(String type) {
        return templates.keySet().stream().flatMap(stack -> resources(stack, type).stream()).toList();
    }

    List<Resource> resources(String stack, String type) {
        try {
            return JSON.readTree(templates.get(stack)).get("Resources").properties().stream()
                    .filter(entry -> entry.getValue().get("Type").asText().equals(type))
                    .map(entry -> new Resource(stack, entry.getKey(), entry.getValue())).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The number of resources of a template. */
    static int count(String template) {
        try {
            return JSON.readTree(template).get("Resources").size();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The names of the outputs that other stacks import. */
    Set<String> exports(String stack) {
        try {
            return JSON.readTree(templates.get(stack)).path("Outputs").properties().stream()
                    .filter(output -> output.getValue().has("Export")).map(Map.Entry::getKey).collect(Collectors.toSet());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The single resource of a type whose logical id contains the word. */
    Resource resource(String stack, String type, String word) {
        var found = resources(stack, type).stream().filter(resource -> resource.id().contains(word)).toList();
        if (found.size() != 1) {
            throw new AssertionError(stack + " has " + found.size() + " of " + type + " " + word);
        }
        return found.getFirst();
    }
}
