package lockstep.landscape;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * A value in a YAML file and its position. Accessors of a value of the wrong kind return an empty result and add a problem to the list that
 * all values of the file share, so that reading continues and finds every problem. A value that is absent from the file is represented
 * too: its accessors return empty results and report nothing.
 *
 * @param line    the line of the value's name
 * @param example an example of such a value
 */
public record YamlValue(String path, int line, Optional<Node> node, String example, List<Problem> problems) {
    /** A field of a map: whether it is required, and an example of its value. */
    public record Field(String name, boolean required, String example) {}

    /** The format of a text: a pattern for the whole text, a description, and how to fix a text that does not match. */
    public record Format(Pattern pattern, String description, String fix) {
        public Format(String pattern, String description, String fix) {
            this(Pattern.compile(pattern), description, fix);
        }
    }

    /** How often aliases may repeat a map or list. Expansion stays small, because the file is read to a fixed depth. */
    static final int MAX_ALIASES = 50;

    /** Returns the root value of the file. For a file that is missing, empty or not YAML, it is an absent value. */
    public static YamlValue of(Path file, String example, List<Problem> problems) {
        Optional<Node> node = Optional.empty();
        String start = "start with the repository's lockstep.yaml";
        try {
            node = compose(Files.readString(file), problems);
            if (node.isEmpty() && problems.isEmpty()) problems.add(new Problem(0, "", "the file is empty", start));
        } catch (NoSuchFileException _) {
            problems.add(new Problem(0, "", "there is no such file", "give the path of a landscape file, or " + start));
        } catch (CharacterCodingException _) {
            problems.add(new Problem(0, "", "the file is not UTF-8 text", "save it as UTF-8"));
        } catch (IOException e) {
            problems.add(
                    new Problem(0, "", "the file cannot be read: " + e, "check that it is a file and that you have permission to read it"));
        }
        return new YamlValue("", 1, node, example, problems);
    }

    private static Optional<Node> compose(String text, List<Problem> problems) {
        try {
            var settings = LoadSettings.builder().setMaxAliasesForCollections(MAX_ALIASES).setAllowNonScalarKeys(true).build();
            return new Compose(settings).composeString(text);
        } catch (MarkedYamlEngineException e) {
            int line = e.getProblemMark().or(e::getContextMark).map(Mark::getLine).orElse(0);
            String given = text.lines().skip(line).findFirst().map(String::strip).map(YamlValue::quote).orElse("the end of the file");
            String start = e.getContextMark().map(mark -> " from line " + (mark.getLine() + 1)).orElse("");
            problems.add(new Problem(line + 1, "", given + " is not YAML: " + e.getProblem(),
                    "check quotes, brackets and indentation (spaces, not tabs)" + start));
        } catch (ReaderException e) {
            int line = (int) text.substring(0, text.indexOf(e.getCodePoint())).chars().filter(c -> c == '\n').count() + 1;
            problems.add(new Problem(line, "", "the character U+%04X is not allowed in YAML".formatted(e.getCodePoint()), "remove it"));
        } catch (YamlEngineException e) {
            problems.add(new Problem(0, "", "the file cannot be read as YAML: " + e.getMessage(),
                    "write plain YAML, as in the repository's lockstep.yaml"));
        } catch (StackOverflowError _) { // the parser has no depth limit
            problems.add(new Problem(0, "", "the file is nested too deeply", "write plain YAML, as in the repository's lockstep.yaml"));
        }
        return Optional.empty();
    }

    /** Returns the values of a map that may have only these fields. The result also contains fields that are absent from the file. */
    public Map<String, YamlValue> fields(List<Field> known) {
        List<String> names = known.stream().map(Field::name).toList();
        Map<String, YamlValue> given = map();
        var misspelt = new HashSet<String>();
        given.forEach((name, value) -> {
            if (names.contains(name)) return;
            Optional<String> meant = nearest(name, names).filter(candidate -> !given.containsKey(candidate));
            meant.ifPresent(misspelt::add);
            value.problem("unknown field " + quote(name), meant.map(candidate -> "did you mean '" + candidate + "'?")
                    .orElse("remove it; the fields here are " + String.join(", ", names)));
        });

        var fields = new LinkedHashMap<String, YamlValue>();
        boolean isMap = node.filter(MappingNode.class::isInstance).isPresent();
        for (Field field : known) {
            YamlValue value = given.get(field.name());
            if (value == null && field.required() && isMap && !misspelt.contains(field.name())) {
                problem("'" + field.name() + "' is missing", "add " + field.name() + ": " + field.example());
            }
            fields.put(field.name(), value == null
                    ? new YamlValue(join(field.name()), line, Optional.empty(), field.example(), problems)
                    : new YamlValue(value.path, value.line, value.node, field.example(), problems));
        }
        return fields;
    }

    /** Returns the values of a map with user-defined names; there must be at least one. */
    public Map<String, YamlValue> entries(Format names, String example) {
        var entries = new LinkedHashMap<String, YamlValue>();
        map().forEach((name, value) -> {
            value.check(name, names);
            entries.put(name, new YamlValue(value.path, value.line, value.node, example, problems));
        });
        return entries;
    }

    /** Returns the values of a list; there must be at least one. */
    public List<YamlValue> items() {
        if (node.isEmpty()) return List.of();
        if (!(node.get() instanceof SequenceNode list)) return wrongKind("list", List.of());
        if (list.getValue().isEmpty()) problem("the list is empty", "write " + example);
        var items = new ArrayList<YamlValue>();
        for (Node item : list.getValue()) {
            items.add(new YamlValue(path + "[" + items.size() + "]", lineOf(item), Optional.of(item), example, problems));
        }
        return items;
    }

    /** Returns the text as the file spells it, even if YAML would read a number: {@code 012} stays {@code 012}. */
    public Optional<String> text(Format format) {
        return text().filter(text -> check(text, format));
    }

    /** Returns the enum constant that the text names in lowercase. */
    public <E extends Enum<E>> Optional<E> choice(Class<E> type) {
        List<String> names = Arrays.stream(type.getEnumConstants()).map(e -> e.name().toLowerCase(Locale.ROOT)).toList();
        Optional<String> text = text();
        if (text.isPresent() && !names.contains(text.get())) {
            problem(quote(text.get()) + " is not one of " + String.join(", ", names), nearest(text.get(), names)
                    .map(candidate -> "did you mean '" + candidate + "'?").orElse("write " + example));
            return Optional.empty();
        }
        return text.map(name -> Enum.valueOf(type, name.toUpperCase(Locale.ROOT)));
    }

    /** Whether the file contains this value, valid or not. */
    public boolean isGiven() {
        return node.isPresent();
    }

    public void problem(String message, String fix) {
        problems.add(new Problem(line, path, message, fix));
    }

    /** Returns the most similar candidate. About every third letter may differ. */
    public static Optional<String> nearest(String given, Collection<String> candidates) {
        return candidates.stream().filter(candidate -> distance(given, candidate) <= (candidate.length() + 1) / 3)
                .min(Comparator.comparingInt(candidate -> distance(given, candidate)));
    }

    /** Quotes a value and shortens it to fit on a line. */
    public static String quote(String value) {
        String line = firstLine(value);
        return "'" + (line.length() <= 80 ? line : line.substring(0, 80) + "…") + "'";
    }

    private Optional<String> text() {
        if (node.isEmpty()) return Optional.empty();
        return node.get() instanceof ScalarNode scalar && !isNothing(scalar)
                ? Optional.of(scalar.getValue()) : wrongKind("text", Optional.empty());
    }

    private boolean check(String text, Format format) {
        boolean matches = format.pattern().matcher(text).matches();
        if (!matches) problem(quote(text) + " is not " + format.description(), format.fix());
        return matches;
    }

    private Map<String, YamlValue> map() {
        if (node.isEmpty()) return Map.of();
        if (!(node.get() instanceof MappingNode map)) return wrongKind("map", Map.of());
        if (map.getValue().isEmpty()) problem("the map is empty", "write " + example);
        var values = new LinkedHashMap<String, YamlValue>();
        for (var entry : map.getValue()) {
            int line = lineOf(entry.getKeyNode());
            if (!(entry.getKeyNode() instanceof ScalarNode key)) {
                problems.add(new Problem(line, path, "the name of an entry is " + kind(entry.getKeyNode()), "write a plain name"));
                continue;
            }
            String name = key.getValue();
            var value = new YamlValue(join(name), line, Optional.of(entry.getValueNode()), "", problems);
            var first = values.putIfAbsent(name, value);
            if (first != null) value.problem(quote(name) + " is already defined in line " + first.line, "remove or rename one of the two");
        }
        return values;
    }

    private <T> T wrongKind(String expected, T nothing) {
        problem("expected a " + expected + ", not " + kind(node.orElseThrow()), "write " + example);
        return nothing;
    }

    private String join(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    private static String kind(Node node) {
        return switch (node) {
            case MappingNode map -> "a map of " + map.getValue().size();
            case SequenceNode list -> "a list of " + list.getValue().size();
            case ScalarNode scalar when isNothing(scalar) -> "nothing";
            case ScalarNode scalar -> "the text " + quote(scalar.getValue());
            default -> "a " + node.getNodeType();
        };
    }

    private static boolean isNothing(ScalarNode scalar) {
        return scalar.getTag().equals(Tag.NULL);
    }

    private static int lineOf(Node node) {
        return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }

    /** The Levenshtein distance, ignoring case. */
    private static int distance(String one, String other) {
        String a = one.toLowerCase(Locale.ROOT), b = other.toLowerCase(Locale.ROOT);
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, j -> j);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
