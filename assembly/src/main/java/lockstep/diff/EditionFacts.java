package lockstep.diff;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly;
import lockstep.landscape.Landscape;
import lockstep.landscape.Product;

/** Collects all facts of one side by key. */
final class EditionFacts {
    private static final Pattern MIGRATION = Pattern.compile("V([0-9_.]+)__.+\\.sql");

    private EditionFacts() {}

    /** @param other the side that it is compared with; a stack that serves both is skipped */
    static SortedMap<String, Fact> of(Side side, Side other, Landscape landscape, Assembly assembly) {
        var facts = new TreeMap<String, Fact>();
        var masks = new Masks(side, landscape, assembly);
        var intrinsics = new Intrinsics(assembly, side, landscape, masks);
        var containers = new ContainerFacts(facts, masks);
        for (var stack : assembly.stacksOf(side.account())) {
            if (side.account().equals(other.account())
                    && Roles.role(stack.name(), side, landscape).equals(Roles.role(stack.name(), other, landscape)))
                continue;
            Roles.role(stack.name(), side, landscape)
                    .ifPresent(role -> new TemplateFacts(facts, role, stack, intrinsics, masks, containers).add());
        }
        landscape.product()
                .ifPresent(product -> product.features()
                        .ifPresent(file -> Assembly.JSON.readTree(file).path(side.edition().word()).properties()
                                .forEach(feature -> facts.put("shard." + product.name() + ".feature." + feature.getKey(),
                                        new Fact(Axis.features, feature.getValue().asString(), file.getFileName().toString())))));
        facts.put("shards", new Fact(Axis.infrastructure, String.valueOf(side.account().shardsOf(side.edition()).size()),
                "lockstep.yaml accounts." + side.account().name() + ".shards"));
        facts.put("release", new Fact(Axis.features, release(facts, landscape), "RELEASE of the applications"));
        facts.put("schema",
                new Fact(Axis.features, landscape.product().map(EditionFacts::schema).orElse("none"), "lockstep.yaml product.migrations"));
        return facts;
    }

    /** Returns the release from the environments of all applications. */
    private static String release(SortedMap<String, Fact> facts, Landscape landscape) {
        var releases = facts.entrySet().stream().filter(fact -> fact.getKey().endsWith(".environment.RELEASE"))
                .map(fact -> fact.getValue().value()).collect(Collectors.toCollection(TreeSet::new));
        return releases.isEmpty() ? landscape.release() : String.join(", ", releases);
    }

    /** Returns the newest migration. It is always the same on both sides, because both editions have one image. */
    private static String schema(Product product) {
        if (product.migrations().filter(Files::isDirectory).isEmpty()) return "none";
        try (var files = Files.list(product.migrations().get())) {
            return files.map(file -> MIGRATION.matcher(file.getFileName().toString())).filter(Matcher::matches)
                    .map(migration -> migration.group(1))
                    .max(Comparator.comparingDouble(version -> Double.parseDouble(version.replace('_', '.'))))
                    .map(version -> "V" + version).orElse("none");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
