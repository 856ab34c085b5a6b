package lockstep.masterdata.engine.review;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import lockstep.landscape.Hold;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.restore.TablePlan;

/**
 * What a manifest would change against the newest admitted one: how much by both manifests alone, and what by the deltas ({@link ChangedRows}). No
 * database is read.
 *
 * @param against the sync it was compared with; nothing when it is the first, which is never held
 * @param reasons why it is held; none when it may go on
 * @param samples some of the rows that would change, come and go
 */
public record Assessment(String syncId, Optional<String> against, List<TableChange> tables, List<String> reasons, List<ChangedRows.Sample> samples) {
    /**
     * A changed row is among those that came and those that went.
     *
     * @param exact false when some ranges are known as a whole only: then no more than so many came and went
     */
    public record TableChange(String table, long before, long after, long came, long went, boolean exact) {
        /** With exact numbers, if the rows were counted. */
        private TableChange counted(Optional<ChangedRows.Counts> counts) {
            return exact ? this : counts.map(c -> new TableChange(table, before, after, c.came(), c.went(), true)).orElse(this);
        }

        long changed() {
            return Math.max(came, went);
        }

        /** Percent of the rows there were, 100 at most. */
        long changedPercent() {
            return percent(changed());
        }

        long deleted() {
            return Math.max(0, before - after);
        }

        long deletedPercent() {
            return percent(deleted());
        }

        /** Rounded up, so that one row too many is one. Of no rows nothing can change. */
        private long percent(long rows) {
            return before == 0 ? 0 : Math.min(100, Math.ceilDiv(rows * 100, before));
        }
    }

    public Assessment {
        tables = List.copyOf(tables);
        reasons = List.copyOf(reasons);
        samples = List.copyOf(samples);
    }

    public boolean held() {
        return !reasons.isEmpty();
    }

    /** @param thresholds by table; a table that has none is held by {@link Hold#DEFAULT} */
    public static Assessment of(PartStore store, Optional<Manifest> newest, Manifest next, Map<String, Hold> thresholds) {
        if (newest.isEmpty()) return new Assessment(next.syncId(), Optional.empty(), List.of(), List.of(), List.of());
        var changes = new ArrayList<TableChange>();
        var reasons = new ArrayList<String>();
        var samples = new ArrayList<ChangedRows.Sample>();
        for (TableManifest table : next.tables()) {
            var before = newest.get().table(table.name());
            // a table that is new in the data set
            if (before.isEmpty()) continue;
            TableChange change = change(before.get(), table);
            Hold hold = thresholds.getOrDefault(table.name(), Hold.DEFAULT);
            var rows = ChangedRows.NONE;
            if (before.get().sameShape(table) && (change.came() > 0 || change.went() > 0)) {
                rows = ChangedRows.read(store, before.get(), table, hold.keys().map(Pattern::compile));
                change = change.counted(rows.counts());
            }
            changes.add(change);
            reasons.addAll(reasons(change, hold));
            reasons.addAll(reasons(change, rows, hold));
            samples.addAll(rows.samples());
        }
        return new Assessment(next.syncId(), Optional.of(newest.get().syncId()), changes, reasons, samples);
    }

    private static TableChange change(TableManifest before, TableManifest after) {
        // other columns: each row reads otherwise, and that was decided in lockstep.yaml; only how many there are can be compared
        if (!before.sameShape(after))
            return new TableChange(after.name(), before.rows(), after.rows(), Math.max(0, after.rows() - before.rows()), Math.max(0, before.rows() - after.rows()), false);
        if (before.rows() == 0 || after.rows() == 0) return new TableChange(after.name(), before.rows(), after.rows(), after.rows(), before.rows(), true);
        TablePlan tablePlan = TablePlan.known(before, after, false, Optional.empty(), false);
        return new TableChange(after.name(), before.rows(), after.rows(), tablePlan.comes().rows(),
                tablePlan.partsBefore().rows() + tablePlan.steps().stream().mapToLong(s -> s.goes().rows()).sum(), tablePlan.parts().isEmpty());
    }

    private static List<String> reasons(TableChange change, Hold hold) {
        var reasons = new ArrayList<String>();
        if (change.before() > 0 && change.after() == 0) {
            reasons.add(change.table() + " had " + change.before() + " rows and would have none");
            return reasons;
        }
        if (change.deleted() >= hold.rows() && change.deletedPercent() > hold.deleted())
            reasons.add(change.table() + " would have " + change.after() + " rows instead of " + change.before() + ": " + change.deletedPercent() + " % fewer, above " + hold.deleted() + " %");
        if (change.changed() >= hold.rows() && change.changedPercent() > hold.changed())
            reasons.add((change.exact() ? "" : "up to ") + change.changedPercent() + " % of " + change.table() + " would change (" + change.came() + " rows come, " + change.went() + " go), above " + hold.changed() + " %");
        return reasons;
    }

    private static List<String> reasons(TableChange change, ChangedRows rows, Hold hold) {
        var reasons = new ArrayList<String>();
        rows.emptied().forEach((column, emptied) -> {
            if (change.after() > 0 && emptied >= hold.rows() && emptied * 100 > hold.emptied() * change.after())
                reasons.add(emptied + " of the " + change.after() + " rows of " + change.table() + " would lose their " + column + ": " + Math.min(100, emptied * 100 / change.after()) + " %, above " + hold.emptied() + " %");
        });
        if (!rows.strange().isEmpty()) reasons.add(change.table() + " would have keys such as " + rows.strangeKeys() + ", which are not like " + hold.keys().orElseThrow());
        return reasons;
    }
}
