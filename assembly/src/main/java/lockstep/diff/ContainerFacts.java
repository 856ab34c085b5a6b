package lockstep.diff;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly.DockerImage;
import lockstep.assembly.Assembly.Stack;
import lockstep.assembly.Assembly;
import lockstep.images.Image;
import lockstep.project.ProjectFiles;
import tools.jackson.databind.JsonNode;

/** Collects the facts of a container: its variables and the contents of its image. */
final class ContainerFacts {
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");
    /** Names of variables that should have been secrets: their values are compared but never shown. */
    private static final Pattern CONFIDENTIAL = Pattern.compile(".*(PASSWORD|TOKEN|CREDENTIAL|PRIVATE|SESSION_KEY).*");
    /** nginx directives that control access and routing. */
    private static final Pattern DIRECTIVE = Pattern.compile(
            "(?m)^\\s*(ssl_verify_client|ssl_verify_depth|ssl_client_certificate|ssl_trusted_certificate|ssl_crl|ssl_protocols|listen|"
                    + "proxy_pass|resolver)\\s+([^;]+);");
    private static final Pattern HOST = Pattern.compile("https?://((?:[a-z0-9-]+\\.)+[a-z]{2,})");

    private final SortedMap<String, Fact> facts;
    private final Masks masks;

    ContainerFacts(SortedMap<String, Fact> facts, Masks masks) {
        this.facts = facts;
        this.masks = masks;
    }

    void variable(String container, String name, String value, Stack stack, String source) {
        String key = container + ".environment." + name;
        var hash = HASH.matcher(value);
        Path file = hash.find() ? stack.files().get(hash.group()) : null;
        if (file != null && file.toString().endsWith(".json")) {
            // the name changes with the content, so compare only the content
            content(key, Assembly.JSON.readTree(file), "asset of " + container + " " + name);
            put(Axis.features, key, hash.replaceAll("<asset>"), source);
        } else {
            boolean hidden = CONFIDENTIAL.matcher(name).matches() && !value.contains("<") && !value.isEmpty();
            facts.put(key, new Fact(Axis.features, value, hidden, source, ""));
        }
    }

    private void content(String key, JsonNode node, String source) {
        if (node.isObject()) {
            node.properties().forEach(property -> content(key + "." + masks.maskPlace(property.getKey()), property.getValue(), source));
        } else {
            put(Axis.features, key, masks.mask(node.isString() ? node.asString() : node.toString()), source);
        }
    }

    /** @param reference the image in the container definition */
    void image(String container, String reference, Stack stack, String source) {
        var hash = HASH.matcher(reference);
        Optional<DockerImage> known = hash.find() ? Optional.ofNullable(stack.images().get(hash.group())) : Optional.empty();
        if (known.isEmpty()) {
            put(Axis.infrastructure, container + ".image", reference, source);
            return;
        }
        DockerImage built = known.get();
        put(Axis.infrastructure, container + ".image",
                built.stage().map(stage -> "stage " + stage + ", ").orElse("") + built.hash().substring(0, 12), source);
        Image image = Image.read(built.context(), built.stage());
        String place = "image " + container.substring(container.indexOf('.') + 1) + " ";
        // variables of the task definition are already set and take precedence
        image.environment().forEach((name, value) -> {
            if (!facts.containsKey(container + ".environment." + name))
                variable(container, name, masks.mask(value), stack, place + "Dockerfile");
        });
        if (!facts.containsKey(container + ".Command"))
            put(Axis.features, container + ".Command", image.command().toString(), place + "Dockerfile");
        put(Axis.features, container + ".entrypoint", image.entrypoint().toString(), place + "Dockerfile");
        put(Axis.infrastructure, container + ".user", image.user(), place + "Dockerfile");
        put(Axis.infrastructure, container + ".stopSignal", image.stopSignal(), place + "Dockerfile");
        put(Axis.infrastructure, container + ".volumes", image.volumes().toString(), place + "Dockerfile");
        image.files().forEach(
                (path, file) -> put(Axis.features, container + ".file." + path, content(file), place + built.context().relativize(file)));
        if (image.files().keySet().stream().anyMatch(path -> path.endsWith("nginx.conf"))) nginx(container, image);
    }

    /** Adds the access and routing facts of the nginx files. */
    private void nginx(String container, Image image) {
        image.files().forEach((path, file) -> {
            String text = content(file).lines().filter(line -> !line.strip().startsWith("#")).collect(Collectors.joining("\n"));
            String place = "image nginx " + path;
            DIRECTIVE.matcher(text).results().forEach(found -> join(container + "." + found.group(1), found.group(2).strip(), place));
            HOST.matcher(text).results().forEach(found -> join(container + ".outside." + found.group(1), "named in " + path, place));
        });
    }

    private void join(String key, String value, String source) {
        var values = new TreeSet<String>(List.of(value));
        if (facts.containsKey(key)) values.addAll(facts.get(key).value().lines().toList());
        put(Axis.communication, key, String.join("\n", values), source);
    }

    private void put(Axis axis, String key, String value, String source) {
        facts.put(key, new Fact(axis, value, source));
    }

    /** Returns the text of a file, or its digest if it is not text. */
    static String content(Path file) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            try {
                if (bytes.length < 256 * 1024) return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            } catch (CharacterCodingException e) {
                // not text
            }
            return "sha256 " + ProjectFiles.digest(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }
}
