package lockstep.diff;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.diff.Comparison.Both;
import lockstep.diff.Comparison.Found;
import lockstep.landscape.Difference;

/** Formats a comparison for the terminal. */
public final class TextReport {
    private static final int VALUE = 70;
    private static final int HUNK_LINES = 14;
    private static final int DECLARED_LINES = 12;
    private static final String RED = "31", GREEN = "32", YELLOW = "33", BOLD = "1", FAINT = "2";
    private final Comparison comparison;
    private final boolean colour;
    private final StringBuilder text = new StringBuilder();

    private TextReport(Comparison comparison, boolean colour) {
        this.comparison = comparison;
        this.colour = colour;
    }

    public static String of(Comparison comparison, boolean colour) {
        return new TextReport(comparison, colour).write();
    }

    private String write() {
        line(in(BOLD, comparison.from() + " → " + comparison.to()) + "   release " + same(comparison.release()) + ", schema "
                + same(comparison.schema()));
        for (Axis axis : Axis.values()) {
            var found = comparison.differences().stream().filter(difference -> difference.axis() == axis).toList();
            if (found.isEmpty()) continue;
            line("");
            line(in(BOLD, axis.name()) + ": " + axis.title());
            byDeclaration(found).forEach(this::group);
        }
        line("");
        text.append(summary(comparison));
        remedies();
        return text.toString();
    }

    /** Groups the differences by declaration; undeclared differences come first. */
    static Map<Optional<Difference>, List<Found>> byDeclaration(List<Found> found) {
        var groups = new LinkedHashMap<Optional<Difference>, List<Found>>();
        found.stream().sorted(Comparator.comparing((Found difference) -> difference.declared() != null))
                .forEach(difference -> groups.computeIfAbsent(Optional.ofNullable(difference.declared()), key -> new ArrayList<>())
                        .add(difference));
        return groups;
    }

    private void group(Optional<Difference> declared, List<Found> found) {
        line("  " + declared.map(difference -> in(GREEN, "✓") + " " + difference.reason()).orElse(in(RED, "✗ not declared")));
        int width = found.stream().mapToInt(difference -> difference.key().length()).filter(length -> length <= 64).max().orElse(0);
        for (Found difference : declared.isEmpty() ? found : found.subList(0, Math.min(found.size(), DECLARED_LINES))) {
            String key = String.format("%-" + Math.max(1, width) + "s", difference.key());
            if (difference.change().isEmpty()) {
                line("    " + key + "  " + onOneLine(difference.values()));
            } else {
                line("    " + difference.key());
                hunks(difference.change(), HUNK_LINES).forEach(
                        changed -> line("      " + in(changed.startsWith("+") ? GREEN : changed.startsWith("-") ? RED : FAINT, changed)));
            }
            if (declared.isEmpty()) line("      " + in(FAINT, sources(difference.sources())));
        }
        if (declared.isPresent() && found.size() > DECLARED_LINES)
            line("    … and " + (found.size() - DECLARED_LINES) + " more of these: --output json has them all");
    }

    static List<String> hunks(List<String> change, int limit) {
        if (change.size() <= limit) return change;
        var shown = new ArrayList<>(change.subList(0, limit - 1));
        shown.add("… " + (change.size() - limit + 1) + " more lines: --output json has them all");
        return shown;
    }

    static String summary(Comparison comparison) {
        int undeclared = comparison.undeclared().size();
        return comparison.differences().size() + " differences: " + (comparison.differences().size() - undeclared) + " declared, "
                + undeclared + " not declared; "
                + comparison.gone().size() + " declared but no longer found.";
    }

    private void remedies() {
        if (!comparison.undeclared().isEmpty()) {
            text.append("\n\n").append(in(YELLOW, "Make the editions equal again, or add to lockstep.yaml:")).append("\ndifferences:");
            comparison.undeclared().stream().map(Found::key).distinct().forEach(key -> text.append(snippet(key)));
        }
        if (!comparison.gone().isEmpty()) {
            text.append("\n\n").append(in(YELLOW, "Remove from lockstep.yaml what no longer differs:"));
            comparison.gone().forEach(what -> text.append("\n      - ").append(quoted(what)));
        }
    }

    static String snippet(String key) {
        return "\n  - what: [" + quoted(key) + "]\n    reason: TODO why the editions differ\n    check: TODO what QA should try";
    }

    private static String quoted(String key) {
        return key.matches("[a-z][A-Za-z0-9_./-]*") ? key : "\"" + key.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    static String same(Both values) {
        return values.from().equals(values.to()) ? values.from() + " on both" : values.from() + " → " + values.to();
    }

    static String sources(Both sources) {
        return List.of(Optional.ofNullable(sources.from()), Optional.ofNullable(sources.to())).stream().flatMap(Optional::stream).distinct()
                .collect(Collectors.joining(" | "));
    }

    /** Formats both values on one line, without a long common prefix. */
    static String onOneLine(Both values) {
        if (values.from() == null || values.to() == null || Math.max(values.from().length(), values.to().length()) <= VALUE)
            return shortened(values.from()) + " → " + shortened(values.to());
        int shared = 0;
        while (shared < Math.min(values.from().length(), values.to().length())
                && values.from().charAt(shared) == values.to().charAt(shared))
            shared++;
        int cut = shared - VALUE / 3;
        return cut <= 0 ? shortened(values.from()) + " → " + shortened(values.to())
                : "…" + shortened(values.from().substring(cut)) + " → …" + shortened(values.to().substring(cut));
    }

    /** Shortens a value to one line; a missing value is a dash. */
    static String shortened(String value) {
        if (value == null) return "—";
        if (value.isEmpty()) return "\"\"";
        String first = value.lines().findFirst().orElse("");
        long further = value.lines().count() - 1;
        return (first.length() > VALUE ? first.substring(0, VALUE) + "…" : first)
                + (further > 0 ? " (and " + further + " more lines)" : "");
    }

    private String in(String code, String word) {
        return colour ? "\033[" + code + "m" + word + "\033[0m" : word;
    }

    private void line(String line) {
        text.append(line).append('\n');
    }
}
