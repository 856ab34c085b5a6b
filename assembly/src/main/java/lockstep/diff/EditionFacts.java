package lockstep.diff;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.ZipFile;
import lockstep.assembly.Assembly;
import lockstep.clinic.ClinicDatabase;
import lockstep.clinic.configuration.Features;
import lockstep.landscape.Landscape;

/** Collects all facts of one side by key. */
final class EditionFacts {
    private static final Pattern MIGRATION = Pattern.compile("db/migration/(V[0-9_.]+)__.+\\.sql");

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
        features(side).forEach((name, value) -> facts.put("shard.clinic.feature." + name,
                new Fact(Axis.features, value, "lockstep.clinic.configuration.Features")));
        facts.put("shards", new Fact(Axis.infrastructure, String.valueOf(side.account().shardsOf(side.edition()).size()),
                "lockstep.yaml accounts." + side.account().name() + ".shards"));
        facts.put("release", new Fact(Axis.features, release(facts, landscape), "tags"));
        facts.put("schema", new Fact(Axis.features, schema(), "migrations in the clinic's jar"));
        return facts;
    }

    /** Returns the feature settings of the product in this edition. */
    private static Map<String, String> features(Side side) {
        var edition = switch (side.edition()) {
            case PRODUCTION -> lockstep.clinic.configuration.Edition.PRODUCTION;
            case DEMO -> lockstep.clinic.configuration.Edition.DEMO;
        };
        return Assembly.JSON.valueToTree(Features.of(edition)).properties().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, feature -> feature.getValue().toString()));
    }

    /** Returns the release from the tags of all stacks. */
    private static String release(SortedMap<String, Fact> facts, Landscape landscape) {
        var releases = facts.entrySet().stream().filter(fact -> fact.getKey().endsWith(".Tags.release"))
                .map(fact -> fact.getValue().value()).collect(Collectors.toCollection(TreeSet::new));
        return releases.isEmpty() ? landscape.release() : String.join(", ", releases);
    }

    /** Returns the newest migration. It is always the same on both sides, because both editions use one jar. */
    private static String schema() {
        try {
            Path place = Path.of(ClinicDatabase.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            var versions = new TreeSet<String>();
            if (Files.isDirectory(place)) {
                try (var files = Files.walk(place)) {
                    files.map(file -> place.relativize(file).toString()).forEach(name -> version(name, versions));
                }
            } else {
                try (var jar = new ZipFile(place.toFile())) {
                    jar.stream().forEach(entry -> version(entry.getName(), versions));
                }
            }
            return versions.stream()
                    .max(java.util.Comparator.comparingDouble(version -> Double.parseDouble(version.substring(1).replace('_', '.'))))
                    .orElse("none");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void version(String file, TreeSet<String> versions) {
        var migration = MIGRATION.matcher(file);
        if (migration.matches()) versions.add(migration.group(1));
    }
}
