package lockstep.masterdata.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.Hold;
import lockstep.masterdata.engine.Manifest.TableManifest;

/**
 * What a manifest would change against the newest admitted one, by both manifests and the deltas alone: no row is read.
 *
 * @param against the sync it was compared with; nothing when it is the first, which is never held
 * @param reasons why it is held; none when it may go on
 */
public record Assessment(String syncId, Optional<String> against, List<TableChange> tables, List<String> reasons) {
    /**
     * A changed row is among those that came and those that went.
     *
     * @param exact false when some ranges are known as a whole only: then no more than so many came and went
     */
    public record TableChange(String table, long before, long after, long came, long went, boolean exact) {
        /** Percent of the rows there were, 100 at most. */
        long changedPercent() {
            return percent(Math.max(came, went));
        }

        long deletedPercent() {
            return percent(Math.max(0, before - after));
        }

        /** Rounded up, so that one row too many is one. Of no rows nothing can change. */
        private long percent(long rows) {
            return before == 0 ? 0 : Math.min(100, Math.ceilDiv(rows * 100, before));
        }
    }

    public Assessment {
        tables = List.copyOf(tables);
        reasons = List.copyOf(reasons);
    }

    public boolean held() {
        return !reasons.isEmpty();
    }

    /** @param thresholds by table; a table that has none is held by {@link Hold#DEFAULT} */
    public static Assessment of(Optional<Manifest> newest, Manifest next, Map<String, Hold> thresholds) {
        if (newest.isEmpty()) return new Assessment(next.syncId(), Optional.empty(), List.of(), List.of());
        var changes = new ArrayList<TableChange>();
        var reasons = new ArrayList<String>();
        for (TableManifest table : next.tables()) {
            var before = newest.get().table(table.name());
            // a table that is new in the data set
            if (before.isEmpty()) continue;
            TableChange change = change(before.get(), table);
            changes.add(change);
            reasons.addAll(reasons(change, thresholds.getOrDefault(table.name(), Hold.DEFAULT)));
        }
        return new Assessment(next.syncId(), Optional.of(newest.get().syncId()), changes, reasons);
    }

    private static TableChange change(TableManifest before, TableManifest after) {
        // other columns: each row reads otherwise, and that was decided in lockstep.yaml; only how many there are can be compared
        if (!before.sameShape(after))
            return new TableChange(after.name(), before.rows(), after.rows(), Math.max(0, after.rows() - before.rows()), Math.max(0, before.rows() - after.rows()), false);
        Road road = Road.known(before, after, false, Optional.empty(), false);
        return new TableChange(after.name(), before.rows(), after.rows(), road.comes().rows(),
                road.partsBefore().rows() + road.steps().stream().mapToLong(s -> s.goes().rows()).sum(), road.parts().isEmpty());
    }

    private static List<String> reasons(TableChange change, Hold hold) {
        var reasons = new ArrayList<String>();
        if (change.before() > 0 && change.after() == 0) {
            reasons.add(change.table() + " had " + change.before() + " rows and would have none");
            return reasons;
        }
        if (change.deletedPercent() > hold.deleted())
            reasons.add(change.table() + " would have " + change.after() + " rows instead of " + change.before() + ": " + change.deletedPercent() + " % fewer, above " + hold.deleted() + " %");
        if (change.changedPercent() > hold.changed())
            reasons.add((change.exact() ? "" : "up to ") + change.changedPercent() + " % of " + change.table() + " would change (" + change.came() + " rows come, " + change.went() + " go), above " + hold.changed() + " %");
        return reasons;
    }
}
