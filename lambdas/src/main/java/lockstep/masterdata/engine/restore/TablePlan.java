package lockstep.masterdata.engine.restore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import lockstep.masterdata.engine.copy.Content;
import lockstep.masterdata.engine.parts.Delta;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Part;
import lockstep.masterdata.engine.postgres.WriteFingerprint;

/**
 * How a restore updates one table to a manifest. The plan does not affect the result, only what is read and written, and what is read
 * afterwards for verification.
 *
 * @param read        whether the table was read, because its recorded state could not be trusted
 * @param mark        the table's fingerprint when this was planned; empty when the server does not count writes
 * @param whole       whether the whole table is read after the merge. Otherwise its earlier content is known, and only changed rows
 *                    are read, before and after the merge
 * @param kept        whether earlier merges kept rows because others referred to them
 * @param unchanged   number of the manifest's parts that the table holds already
 * @param parts       parts to be staged in full, in key order
 * @param partsBefore the earlier content of their ranges, if it is known
 * @param steps       deltas to be staged instead of parts
 * @param inline      whether their rows are written into SQL statements instead of staging tables
 */
public record TablePlan(String table, boolean read, Optional<WriteFingerprint> mark, boolean whole, boolean kept, int unchanged,
        List<Part> parts, Content partsBefore, List<Step> steps, Boolean inline) {
    public TablePlan {
        // functions of earlier releases do not send it
        if (inline == null) inline = false;
        parts = List.copyOf(parts);
        steps = List.copyOf(steps);
    }

    /** A delta, applied forwards or in reverse. */
    public record Step(Delta delta, boolean back) {
        public Content comes() {
            return back ? delta.went() : delta.came();
        }

        public Content goes() {
            return back ? delta.came() : delta.went();
        }
    }

    /** Reports whether there is anything to stage. */
    boolean stagesAnything() {
        return !parts.isEmpty() || !steps.isEmpty();
    }

    /** Reports whether there is anything to merge. */
    boolean mergesAnything() {
        return stagesAnything() || kept;
    }

    /** Reports whether only deltas are staged, so that few of the table's rows change. */
    boolean stagesOnlyDeltas() {
        return parts.isEmpty() && !steps.isEmpty();
    }

    /** Reports whether every row of the table is staged. */
    boolean stagesEveryRow() {
        return whole && unchanged == 0 && !parts.isEmpty();
    }

    /** Returns the content of all rows that come. */
    public Content comes() {
        return Part.contentOf(parts).plus(steps.stream().map(Step::comes).reduce(Content.NONE, Content::plus));
    }

    /**
     * Plans from the content of the table, which was read.
     *
     * @param distrusted whether the table drifted during this restore; it is then read afterwards even if nothing is staged
     */
    static TablePlan read(TableManifest table, Optional<WriteFingerprint> mark, boolean kept, List<Part> differing, boolean distrusted) {
        return new TablePlan(table.name(), true, mark, distrusted || !differing.isEmpty(), kept, table.parts().size() - differing.size(),
                differing, Content.NONE, List.of(), false);
    }

    /**
     * Plans from manifests alone, without reading the table.
     *
     * @param from what the table holds
     * @param to   what it is to hold
     * @param back whether {@code to} is older; only then the deltas of {@code from} are certain to be still in the store
     */
    public static TablePlan known(TableManifest from, TableManifest to, boolean back, Optional<WriteFingerprint> mark, boolean kept) {
        var parts = new ArrayList<Part>();
        var steps = new ArrayList<Step>();
        Content before = Content.NONE;
        int unchanged = 0;
        for (Stretch stretch : stretches(from.parts(), to.parts())) {
            if (stretch.was().equals(stretch.is())) {
                unchanged += stretch.parts().size();
                continue;
            }
            var step = step(from, to, back, stretch);
            if (step.isPresent()) steps.add(step.get());
            else {
                parts.addAll(stretch.parts());
                before = before.plus(stretch.was());
            }
        }
        boolean everything = parts.size() == to.parts().size();
        return new TablePlan(to.name(), false, mark, everything, kept, unchanged, parts, before, steps, false);
    }

    TablePlan withInline(boolean inline) {
        return new TablePlan(table, read, mark, whole, kept, unchanged, parts, partsBefore, steps, inline);
    }

    /** Finds a delta for the stretch: one of the new manifest to apply forwards, or one of the old manifest to apply in reverse. */
    private static Optional<Step> step(TableManifest from, TableManifest to, boolean back, Stretch stretch) {
        var forth = to.deltas().stream()
                .filter(d -> stretch.isCoveredBy(d) && d.before().equals(stretch.was()) && d.after().equals(stretch.is()))
                .map(d -> new Step(d, false)).findFirst();
        return forth.isPresent() || !back ? forth
                : from.deltas().stream()
                        .filter(d -> stretch.isCoveredBy(d) && d.before().equals(stretch.is()) && d.after().equals(stretch.was()))
                        .map(d -> new Step(d, true)).findFirst();
    }

    /** One of the shortest ranges that begin and end with a part in both manifests. */
    private record Stretch(List<String> from, List<String> until, Content was, Content is, List<Part> parts) {
        boolean isCoveredBy(Delta delta) {
            return delta.from().equals(from) && delta.until().equals(until);
        }
    }

    private static List<Stretch> stretches(List<Part> was, List<Part> is) {
        var ends = new HashMap<List<String>, Integer>();
        for (int i = 0; i < was.size(); i++) ends.put(was.get(i).until(), i);
        var stretches = new ArrayList<Stretch>();
        int reached = 0;
        int begin = 0;
        for (int i = 0; i < is.size(); i++) {
            int end = ends.getOrDefault(is.get(i).until(), -1);
            if (end < reached) continue;
            var parts = is.subList(begin, i + 1);
            stretches.add(new Stretch(parts.getFirst().from(), parts.getLast().until(), Part.contentOf(was.subList(reached, end + 1)),
                    Part.contentOf(parts), List.copyOf(parts)));
            reached = end + 1;
            begin = i + 1;
        }
        return stretches;
    }
}
