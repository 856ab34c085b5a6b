package lockstep.diff;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.assembly.Assembly;
import lockstep.landscape.Difference;
import lockstep.landscape.Landscape;
import lockstep.landscape.Purpose;

/**
 * How two editions differ. Its JSON form is what {@code --output json} writes; names are kept, and fields are only added.
 *
 * @param release     of both, or "A, B"
 * @param schema      the newest migration
 * @param differences by axis, then by key
 * @param gone        keys that lockstep.yaml declares, and that cover nothing
 */
public record Comparison(String from, String to, Both release, Both schema, List<Found> differences, List<String> gone) {

    /** The same thing on each side; null where there is nothing. */
    public record Both(String from, String to) {}

    /**
     * One difference.
     *
     * @param values   to be read, of several lines at most when a file or several rules differ; secrets are never among them
     * @param change   of texts of several lines, the lines that differ as a unified diff; empty otherwise
     * @param sources  file and place in it
     * @param declared the entry of lockstep.yaml that it is covered by; null when there is none
     */
    public record Found(Axis axis, String key, Both values, List<String> change, Both sources, Difference declared) {}

    public static Comparison of(Side from, Side to, Landscape landscape, Assembly assembly) {
        var left = EditionFacts.of(from, to, landscape, assembly);
        var right = EditionFacts.of(to, from, landscape, assembly);
        var found = new Differences(left, right, landscape.differences()).find();
        // entries speak of production and demo; within qa much of it is one and the same, and nothing is gone
        boolean whole = EnumSet.of(from.account().purpose(), to.account().purpose()).equals(EnumSet.of(Purpose.PRODUCTION, Purpose.DEMO));
        var gone = whole ? landscape.differences().stream().flatMap(difference -> difference.what().stream())
                .filter(what -> found.stream().noneMatch(difference -> Difference.covers(what, difference.key()))).toList() : List.<String>of();
        return new Comparison(from.name(), to.name(), both(left, right, "release"), both(left, right, "schema"), found, gone);
    }

    private static Both both(SortedMap<String, Fact> left, SortedMap<String, Fact> right, String key) {
        return new Both(left.get(key).value(), right.get(key).value());
    }

    public List<Found> undeclared() {
        return differences.stream().filter(found -> found.declared() == null).toList();
    }

    /** Whether every difference is meant, and all that is meant is there. */
    public boolean isAsDeclared() {
        return undeclared().isEmpty() && gone.isEmpty();
    }

    /** Finds what differs, and tells as one what only one side has. */
    private static final class Differences {
        private final SortedMap<String, Fact> left;
        private final SortedMap<String, Fact> right;
        private final List<Difference> declared;
        private final List<Found> found = new ArrayList<>();

        Differences(SortedMap<String, Fact> left, SortedMap<String, Fact> right, List<Difference> declared) {
            this.left = left;
            this.right = right;
            this.declared = declared;
        }

        List<Found> find() {
            var leftWholes = wholes(left);
            var rightWholes = wholes(right);
            for (String key : Stream.concat(left.keySet().stream(), right.keySet().stream()).collect(Collectors.toCollection(TreeSet::new))) {
                Fact a = left.get(key), b = right.get(key);
                if (a != null && b != null && a.value().equals(b.value())) continue;
                if (a == null && isPartOfWhole(b, leftWholes) || b == null && isPartOfWhole(a, rightWholes)) continue;
                add(key, Optional.ofNullable(a), Optional.ofNullable(b));
            }
            wholes(left, rightWholes).forEach((key, fact) -> add(key.key(), Optional.of(fact), Optional.empty()));
            wholes(right, leftWholes).forEach((key, fact) -> add(key.key(), Optional.empty(), Optional.of(fact)));
            found.sort(Comparator.comparing(Found::axis).thenComparing(Found::key));
            return List.copyOf(found);
        }

        private static Set<String> wholes(SortedMap<String, Fact> facts) {
            return facts.values().stream().map(Fact::whole).filter(whole -> !whole.isEmpty()).collect(Collectors.toCollection(TreeSet::new));
        }

        private static boolean isPartOfWhole(Fact fact, Set<String> others) {
            return !fact.whole().isEmpty() && !others.contains(fact.whole());
        }

        private record Whole(Axis axis, String key) {}

        /** The resources that only this side has, each construct or stack told once. */
        private static Map<Whole, Fact> wholes(SortedMap<String, Fact> facts, Set<String> others) {
            var members = new TreeMap<String, List<Map.Entry<String, Fact>>>();
            facts.entrySet().stream().filter(entry -> isPartOfWhole(entry.getValue(), others)).forEach(entry ->
                    members.computeIfAbsent(entry.getValue().whole(), whole -> new ArrayList<>()).add(entry));
            var types = new LinkedHashMap<Whole, List<String>>();
            var sources = new LinkedHashMap<Whole, String>();
            members.forEach((resource, entries) -> {
                Fact type = facts.getOrDefault(resource + TemplateFacts.TYPE, entries.getFirst().getValue());
                var whole = switch (type.axis()) {
                    // who reaches whom is told of each resource, unless the other side has no such stack at all
                    case communication -> new Whole(type.axis(), isMissing(role(resource), others) ? role(resource) : resource);
                    case features, infrastructure -> new Whole(type.axis(), construct(resource, others));
                };
                sources.putIfAbsent(whole, type.source());
                var told = types.computeIfAbsent(whole, key -> new ArrayList<>());
                if (type.axis() == Axis.communication) {
                    entries.stream().filter(entry -> entry.getValue().axis() == Axis.communication && !entry.getKey().contains(".Tags."))
                            .sorted(Comparator.comparing((Map.Entry<String, Fact> entry) -> entry.getKey().endsWith(TemplateFacts.TYPE)))
                            .forEach(entry -> told.add(entry.getKey().substring(whole.key().length() + 1) + ": " + entry.getValue().shown().replace("\n", "; ")));
                } else {
                    told.add(type.value());
                }
            });
            var told = new LinkedHashMap<Whole, Fact>();
            types.forEach((whole, lines) -> told.put(whole, new Fact(whole.axis(), whole.axis() == Axis.communication ? String.join("\n", lines) : counted(lines), sources.get(whole))));
            return told;
        }

        /** The outermost construct around a resource of which the other side has nothing. */
        private static String construct(String resource, Set<String> others) {
            for (int end = resource.indexOf('.'); end >= 0; end = resource.indexOf('/', end + 1)) {
                if (isMissing(resource.substring(0, end), others)) return resource.substring(0, end);
            }
            return resource;
        }

        private static String role(String resource) {
            return resource.replaceAll("\\..*", "");
        }

        private static boolean isMissing(String construct, Set<String> others) {
            return others.stream().noneMatch(other -> other.equals(construct) || other.startsWith(construct + "/") || other.startsWith(construct + "."));
        }

        private static String counted(List<String> lines) {
            var counts = new LinkedHashMap<String, Integer>();
            lines.forEach(line -> counts.merge(line, 1, Integer::sum));
            return counts.entrySet().stream().map(count -> count.getValue() == 1 ? count.getKey() : count.getValue() + " × " + count.getKey()).collect(Collectors.joining(", "));
        }

        private void add(String key, Optional<Fact> from, Optional<Fact> to) {
            Axis axis = from.or(() -> to).orElseThrow().axis();
            var values = new Both(from.map(Fact::shown).orElse(null), to.map(Fact::shown).orElse(null));
            found.add(new Found(axis, key, values, Change.between(values.from(), values.to()),
                    new Both(from.map(Fact::source).orElse(null), to.map(Fact::source).orElse(null)),
                    declared.stream().filter(difference -> difference.covers(key)).findFirst().orElse(null)));
        }
    }
}
