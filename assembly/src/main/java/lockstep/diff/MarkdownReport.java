package lockstep.diff;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.diff.Comparison.Found;
import lockstep.landscape.Difference;

/** Formats a comparison as the start of a test plan, with a checkbox for each thing that QA should try. */
public final class MarkdownReport {
    private static final int HUNK_LINES = 20;
    private final StringBuilder text = new StringBuilder();

    private MarkdownReport() {}

    public static String of(Comparison comparison) {
        return new MarkdownReport().write(comparison);
    }

    private String write(Comparison comparison) {
        line("# Test plan: " + comparison.from() + " → " + comparison.to());
        line("");
        line("Release " + TextReport.same(comparison.release()) + ", schema " + TextReport.same(comparison.schema()) + ". "
                + TextReport.summary(comparison));
        for (Axis axis : Axis.values()) {
            var found = comparison.differences().stream().filter(difference -> difference.axis() == axis).toList();
            if (found.isEmpty()) continue;
            line("");
            line("## " + axis.name() + ": " + axis.title());
            for (Map.Entry<Optional<Difference>, List<Found>> group : TextReport.byDeclaration(found).entrySet()) {
                line("");
                line("- [ ] " + group.getKey().map(Difference::check).orElse("**Not declared**: find out whether this is intended"));
                line("");
                group.getKey().ifPresent(difference -> line("  Reason: " + difference.reason() + "\n"));
                table(comparison, group.getValue().stream().filter(difference -> difference.change().isEmpty()).toList());
                group.getValue().stream().filter(difference -> !difference.change().isEmpty()).forEach(this::change);
            }
        }
        if (!comparison.gone().isEmpty()) {
            line("");
            line("## Declared, but no longer found");
            line("");
            comparison.gone().forEach(what -> line("- [ ] Remove `" + what + "` from lockstep.yaml, or find out why it is missing"));
        }
        return text.toString().stripTrailing();
    }

    private void table(Comparison comparison, List<Found> found) {
        if (found.isEmpty()) return;
        line("  | what | " + comparison.from() + " | " + comparison.to() + " |");
        line("  | --- | --- | --- |");
        found.forEach(difference -> line(
                "  | `" + difference.key() + "` | " + cell(difference.values().from()) + " | " + cell(difference.values().to()) + " |"));
    }

    private void change(Found difference) {
        line("");
        line("  `" + difference.key() + "`");
        line("  ```diff");
        TextReport.hunks(difference.change(), HUNK_LINES).forEach(changed -> line("  " + changed));
        line("  ```");
    }

    private static String cell(String value) {
        return value == null ? "—" : "`" + TextReport.shortened(value).replace("|", "\\|").replace("`", "'") + "`";
    }

    private void line(String line) {
        text.append(line).append('\n');
    }
}
