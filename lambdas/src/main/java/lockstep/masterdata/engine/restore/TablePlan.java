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
 * How a restore brings one table from what it holds to what a manifest says. It does not change what comes out, only what is
 * read and written on the way, and what has to be read afterwards to be sure.
 *
 * @param read        what is recorded of the table could not be relied on, so it was read
 * @param mark        of the table when this was decided; nothing when the server does not count
 * @param whole       the table is read as a whole afterwards: nothing is known of it before. Otherwise what it held is known, and rows
 *                    that were touched are read, before and afterwards
 * @param kept        there are rows that stay only because others refer to them, and may be free now
 * @param unchanged   parts of the manifest that the table holds already
 * @param parts       to be carried in full, in key order
 * @param partsBefore what the ranges of these held, when that is known
 * @param steps       deltas to be carried instead of parts
 */
public record TablePlan(String table, boolean read, Optional<WriteFingerprint> mark, boolean whole, boolean kept, int unchanged, List<Part> parts, Content partsBefore, List<Step> steps) {
    public TablePlan {
        parts = List.copyOf(parts);
        steps = List.copyOf(steps);
    }

    /** A delta as it is gone: forth, or back. */
    public record Step(Delta delta, boolean back) {
        public Content comes() {
            return back ? delta.went() : delta.came();
        }

        public Content goes() {
            return back ? delta.came() : delta.went();
        }
    }

    /** Whether there is anything to carry. */
    boolean carries() {
        return !parts.isEmpty() || !steps.isEmpty();
    }

    /** Whether there is anything to merge. */
    boolean touches() {
        return carries() || kept;
    }

    /** Only rows come and go that differ, few of many. */
    boolean carriesDeltasAlone() {
        return parts.isEmpty() && !steps.isEmpty();
    }

    /** Every row of the table comes anew. */
    boolean everything() {
        return whole && unchanged == 0 && !parts.isEmpty();
    }

    /** Everything that comes. */
    public Content comes() {
        return Part.contentOf(parts).plus(steps.stream().map(Step::comes).reduce(Content.NONE, Content::plus));
    }

    /**
     * By what was read of the table itself.
     *
     * @param distrusted something writes to it while this sync is restored, so it is read afterwards even if nothing is carried
     */
    static TablePlan read(TableManifest table, Optional<WriteFingerprint> mark, boolean kept, List<Part> differing, boolean distrusted) {
        return new TablePlan(table.name(), true, mark, distrusted || !differing.isEmpty(), kept, table.parts().size() - differing.size(), differing, Content.NONE, List.of());
    }

    /**
     * By manifests alone: from what the table is known to hold to what it is to hold.
     *
     * @param back it leads to an older manifest: only then what the other one names is sure to lie in the store still
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
        return new TablePlan(to.name(), false, mark, everything, kept, unchanged, parts, before, steps);
    }

    /** The new manifest tells how it came to be from the one before it, and the old one how it came to be from the one before that. */
    private static Optional<Step> step(TableManifest from, TableManifest to, boolean back, Stretch stretch) {
        var forth = to.deltas().stream().filter(d -> stretch.isCoveredBy(d) && d.before().equals(stretch.was()) && d.after().equals(stretch.is())).map(d -> new Step(d, false)).findFirst();
        return forth.isPresent() || !back ? forth
                : from.deltas().stream().filter(d -> stretch.isCoveredBy(d) && d.before().equals(stretch.is()) && d.after().equals(stretch.was())).map(d -> new Step(d, true)).findFirst();
    }

    /** The shortest ranges that begin and end with a part in both manifests. */
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
            stretches.add(new Stretch(parts.getFirst().from(), parts.getLast().until(), Part.contentOf(was.subList(reached, end + 1)), Part.contentOf(parts), List.copyOf(parts)));
            reached = end + 1;
            begin = i + 1;
        }
        return stretches;
    }
}
