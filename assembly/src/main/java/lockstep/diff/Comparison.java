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
 * The differences between two editions. {@code --output json} writes this record; its field names are stable, and fields are only added.
 *
 * @param release     the release of each side; several are written as "A, B"
 * @param schema      the newest migration
 * @param differences sorted by axis, then by key
 * @param gone        keys that lockstep.yaml declares but that match no difference
 */
public record Comparison(String from, String to, Both release, Both schema, List<Found> differences, List<String> gone) {

    /** A value on each side; null if the side has none. */
    public record Both(String from, String to) {}

    /**
     * One difference.
     *
     * @param values   display values; they span several lines only if a file or several rules differ, and never contain secrets
     * @param change   a unified diff of multi-line values; empty otherwise
     * @param sources  the file and the place in it
     * @param declared the entry of lockstep.yaml that covers it; null if there is none
     */
    public record Found(Axis axis, String key, Both values, List<String> change, Both sources, Difference declared) {}

    public static Comparison of(Side from, Side to, Landscape landscape, Assembly assembly) {
        var left = EditionFacts.of(from, to, landscape, assembly);
        var right = EditionFacts.of(to, from, landscape, assembly);
        var found = new Differences(left, right, landscape.differences()).find();
        // entries declare differences between production and demo; the editions of qa share much, so an unmatched entry means nothing there
        boolean whole = EnumSet.of(from.account().purpose(), to.account().purpose()).equals(EnumSet.of(Purpose.PRODUCTION, Purpose.DEMO));
        var gone = whole ? landscape.differences().stream().flatMap(difference -> difference.what().stream())
                .filter(what -> found.stream().noneMatch(difference -> Difference.covers(what, difference.key()))).toList()
                : List.<String>of();
        return new Comparison(from.name(), to.name(), both(left, right, "release"), both(left, right, "schema"), found, gone);
    }

    private static Both both(SortedMap<String, Fact> left, SortedMap<String, Fact> right, String key) {
        return new Both(left.get(key).value(), right.get(key).value());
    }

    public List<Found> undeclared() {
        return differences.stream().filter(found -> found.declared() == null).toList();
    }

    /** Reports whether every difference is declared and every declared difference exists. */
    public boolean asDeclared() {
        return undeclared().isEmpty() && gone.isEmpty();
    }

    /** Finds the differences. Constructs and stacks that only one side has become one difference each. */
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
            for (String key : Stream.concat(left.keySet().stream(), right.keySet().stream())
                    .collect(Collectors.toCollection(TreeSet::new))) {
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
            return facts.values().stream().map(Fact::whole).filter(whole -> !whole.isEmpty())
                    .collect(Collectors.toCollection(TreeSet::new));
        }

        private static boolean isPartOfWhole(Fact fact, Set<String> others) {
            return !fact.whole().isEmpty() && !others.contains(fact.whole());
        }

        private record Whole(Axis axis, String key) {}

        /** Returns the resources that only this side has, merged by construct or stack. */
        private static Map<Whole, Fact> wholes(SortedMap<String, Fact> facts, Set<String> others) {
            var members = new TreeMap<String, List<Map.Entry<String, Fact>>>();
            facts.entrySet().stream().filter(entry -> isPartOfWhole(entry.getValue(), others))
                    .forEach(entry -> members.computeIfAbsent(entry.getValue().whole(), whole -> new ArrayList<>()).add(entry));
            var types = new LinkedHashMap<Whole, List<String>>();
            var sources = new LinkedHashMap<Whole, String>();
            members.forEach((resource, entries) -> {
                Fact type = facts.getOrDefault(resource + TemplateFacts.TYPE, entries.getFirst().getValue());
                var whole = switch (type.axis()) {
                    // communication is reported for each resource, unless the other side lacks the whole stack
                    case communication -> new Whole(type.axis(), isMissing(role(resource), others) ? role(resource) : resource);
                    case features, infrastructure -> new Whole(type.axis(), construct(resource, others));
                };
                sources.putIfAbsent(whole, type.source());
                var texts = types.computeIfAbsent(whole, key -> new ArrayList<>());
                if (type.axis() == Axis.communication) {
                    entries.stream().filter(entry -> entry.getValue().axis() == Axis.communication && !entry.getKey().contains(".Tags."))
                            .sorted(Comparator.comparing((Map.Entry<String, Fact> entry) -> entry.getKey().endsWith(TemplateFacts.TYPE)))
                            .forEach(entry -> texts.add(entry.getKey().substring(whole.key().length() + 1) + ": "
                                    + entry.getValue().shown().replace("\n", "; ")));
                } else {
                    texts.add(type.value());
                }
            });
            var merged = new LinkedHashMap<Whole, Fact>();
            types.forEach((whole, lines) -> merged.put(whole, new Fact(whole.axis(),
                    whole.axis() == Axis.communication ? String.join("\n", lines) : counted(lines), sources.get(whole))));
            return merged;
        }

        /** Returns the outermost construct around a resource that is missing on the other side. */
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
            return others.stream()
                    .noneMatch(other -> other.equals(construct) || other.startsWith(construct + "/") || other.startsWith(construct + "."));
        }

        private static String counted(List<String> lines) {
            var counts = new LinkedHashMap<String, Integer>();
            lines.forEach(line -> counts.merge(line, 1, Integer::sum));
            return counts.entrySet().stream()
                    .map(count -> count.getValue() == 1 ? count.getKey() : count.getValue() + " × " + count.getKey())
                    .collect(Collectors.joining(", "));
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
