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
 * The changes that a manifest would make compared with the newest admitted one. Row counts come from both manifests, changed rows from the
 * deltas ({@link ChangedRows}). No database is read.
 *
 * @param against the sync it was compared with; empty for the first sync, which is never held
 * @param reasons why the sync is held; empty when it may continue
 * @param samples some of the rows that would be changed, inserted and deleted
 */
public record Assessment(String syncId, Optional<String> against, List<TableChange> tables, List<String> reasons,
        List<ChangedRows.Sample> samples) {
    /**
     * The changes of one table. A changed row counts as one that came and one that went.
     *
     * @param came  rows that are new or changed
     * @param went  rows that are deleted or changed
     * @param exact false when the changed rows of some ranges are unknown; {@code came} and {@code went} are upper bounds then
     */
    public record TableChange(String table, long before, long after, long came, long went, boolean exact) {
        /** Returns the change with exact numbers if the rows were counted. */
        private TableChange counted(Optional<ChangedRows.Counts> counts) {
            return exact ? this : counts.map(c -> new TableChange(table, before, after, c.came(), c.went(), true)).orElse(this);
        }

        long changed() {
            return Math.max(came, went);
        }

        /** Returns the changed rows as a percentage of the rows before, at most 100. */
        long changedPercent() {
            return percent(changed());
        }

        long deleted() {
            return Math.max(0, before - after);
        }

        long deletedPercent() {
            return percent(deleted());
        }

        /** Rounds up, so that a single row above a threshold is enough to exceed it. Returns 0 when there were no rows. */
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

    /** @param thresholds by table; {@link Hold#DEFAULT} applies to tables that are missing */
    public static Assessment of(PartStore store, Optional<Manifest> newest, Manifest next, Map<String, Hold> thresholds) {
        if (newest.isEmpty()) return new Assessment(next.syncId(), Optional.empty(), List.of(), List.of(), List.of());
        var changes = new ArrayList<TableChange>();
        var reasons = new ArrayList<String>();
        var samples = new ArrayList<ChangedRows.Sample>();
        for (TableManifest table : next.tables()) {
            var before = newest.get().table(table.name());
            // the table is new in the data set
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
        // With other columns every row differs, because lockstep.yaml was changed; only the number of rows can be compared.
        if (!before.sameShape(after))
            return new TableChange(after.name(), before.rows(), after.rows(), Math.max(0, after.rows() - before.rows()),
                    Math.max(0, before.rows() - after.rows()), false);
        if (before.rows() == 0 || after.rows() == 0)
            return new TableChange(after.name(), before.rows(), after.rows(), after.rows(), before.rows(), true);
        TablePlan tablePlan = TablePlan.known(before, after, false, Optional.empty(), false);
        return new TableChange(after.name(), before.rows(), after.rows(), tablePlan.comes().rows(),
                tablePlan.partsBefore().rows() + tablePlan.steps().stream().mapToLong(s -> s.goes().rows()).sum(),
                tablePlan.parts().isEmpty());
    }

    private static List<String> reasons(TableChange change, Hold hold) {
        var reasons = new ArrayList<String>();
        if (change.before() > 0 && change.after() == 0) {
            reasons.add(change.table() + " had " + change.before() + " rows and would have none");
            return reasons;
        }
        if (change.deleted() >= hold.rows() && change.deletedPercent() > hold.deleted())
            reasons.add(change.table() + " would have " + change.after() + " rows instead of " + change.before() + ": "
                    + change.deletedPercent() + " % fewer, above " + hold.deleted() + " %");
        if (change.changed() >= hold.rows() && change.changedPercent() > hold.changed())
            reasons.add((change.exact() ? "" : "up to ") + change.changedPercent() + " % of " + change.table() + " would change ("
                    + change.came() + " rows come, " + change.went() + " go), above " + hold.changed() + " %");
        return reasons;
    }

    private static List<String> reasons(TableChange change, ChangedRows rows, Hold hold) {
        var reasons = new ArrayList<String>();
        rows.emptied().forEach((column, emptied) -> {
            if (change.after() > 0 && emptied >= hold.rows() && emptied * 100 > hold.emptied() * change.after())
                reasons.add(emptied + " of the " + change.after() + " rows of " + change.table() + " would lose their " + column
                        + ": " + Math.min(100, emptied * 100 / change.after()) + " %, above " + hold.emptied() + " %");
        });
        if (!rows.strange().isEmpty()) reasons.add(
                change.table() + " would have keys such as " + rows.strangeKeys() + ", which do not match " + hold.keys().orElseThrow());
        return reasons;
    }
}
