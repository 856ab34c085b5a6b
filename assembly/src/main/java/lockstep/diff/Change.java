package lockstep.diff;

import com.github.difflib.DiffUtils;
import com.github.difflib.UnifiedDiffUtils;
import java.util.List;

/** The lines that differ between two texts. */
final class Change {
    private Change() {}

    /** Returns the hunks of a unified diff without the file headers; empty if a side is missing or both are single lines. */
    static List<String> between(String from, String to) {
        if (from == null || to == null || from.lines().count() <= 1 && to.lines().count() <= 1) return List.of();
        var before = from.lines().toList();
        var lines = UnifiedDiffUtils.generateUnifiedDiff("from", "to", before, DiffUtils.diff(before, to.lines().toList()), 1);
        return lines.stream().skip(2).toList();
    }
}
