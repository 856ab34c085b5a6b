package lockstep.cli.console;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.cli.console.Overview.Syncs;
import lockstep.sync.KeptManifests.Kept;
import lockstep.sync.Run;
import lockstep.sync.Status.From;
import lockstep.sync.Status.ShardStatus;
import lockstep.sync.Status.State;
import lockstep.sync.Status.TableStatus;
import lockstep.sync.SyncState.Dump;
import lockstep.sync.SyncState.DumpPhase;
import lockstep.sync.SyncState.Outcome;
import lockstep.sync.SyncState.ShardPhase;
import lockstep.sync.SyncState.Table;
import lockstep.sync.SyncState.TableChange;
import lockstep.sync.SyncState;

/** Sample data of the console for a landscape like the shipped one. */
final class TestingOverview {
    static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final List<TableStatus> TABLES = List.of(new TableStatus("master.disease", 14_212, "d", 0, From.ROWS),
            new TableStatus("master.drug", 30_000, "d", 0, From.ROWS));

    private TestingOverview() {}

    /** Returns an overview in which {@code qa-1} is unreachable and {@code qa-demo-1} is behind. */
    static Overview overview(Run... runs) {
        String id = "20260301T115500Z-0001";
        var shards = List.of(shard("production", "clinic-1", "production", id, State.IN_STEP),
                shard("production", "clinic-2", "production", id, State.IN_STEP), shard("demo", "demo-1", "demo", id, State.IN_STEP),
                new ShardStatus("qa", "qa-1", "production", "master", null, null, null, State.UNREACHABLE, List.of(), "connection refused"),
                shard("qa", "qa-demo-1", "demo", "20260301T114000Z-00ff", State.BEHIND));
        var kept = new ArrayList<Kept>();
        for (int i = 1; i <= 5; i++)
            kept.add(new Kept("20260301T11" + (60 - 5 * i) + "00Z-000" + i, NOW.minus(Duration.ofMinutes(5L * i)), "0.1.0", 44_212));
        return new Overview(NOW, false, Optional.empty(),
                List.of(new Syncs("master", "clinic-1", shards, Optional.of(NOW.minusSeconds(12)), List.of(runs), kept, List.of())));
    }

    private static ShardStatus shard(String account, String name, String edition, String syncId, State state) {
        return new ShardStatus(account, name, edition, "master", syncId, NOW.minus(Duration.ofMinutes(5)), 300L, state, TABLES, null);
    }

    static Run verified(String id, long secondsAgo) {
        var same = List.of(new TableChange("master.disease", 14_212, "d", 0, 0, 0, 0),
                new TableChange("master.drug", 30_000, "d", 1, 1234, 0, 0));
        var own = List.of(new TableChange("master.disease", 14_212, "d", 0, 0, 0, 1),
                new TableChange("master.drug", 30_000, "d", 1, 1234, 0, 0));
        return new Run(Run.Kind.sync, id, NOW.minusSeconds(secondsAgo), false, new SyncState(id, "master", Outcome.verified, 8, sealed(),
                List.of(done("production", "clinic-2", same), done("demo", "demo-1", own), done("qa", "qa-1", same),
                        done("qa", "qa-demo-1", same))));
    }

    static Run failed(String id) {
        var failed = new SyncState.Shard("demo", "demo-1", ShardPhase.failed, 0, List.of(), Optional.of("Publish"),
                Optional.of("lockstep.masterdata.engine.Fault$MergeConflict"),
                Optional.of("trigger <b>refused</b> it: row (17) of master.drug in shard demo-1"), Map.of("preflight", 0.6),
                Optional.empty(), Optional.empty(), List.of());
        return new Run(Run.Kind.sync, id, NOW.minusSeconds(500), false, new SyncState(id, "master", Outcome.failed, 8, sealed(),
                List.of(done("production", "clinic-2", List.of()), failed, done("qa", "qa-1", List.of()))));
    }

    static Run running(String id) {
        var dump = new Dump(DumpPhase.dumping, Optional.of(NOW),
                List.of(new Table("master.disease", 14_212, true), new Table("master.drug", 9_000, false)), Optional.empty(),
                Optional.empty(), Optional.empty(), Map.of(), Optional.empty());
        return new Run(Run.Kind.sync, id, NOW.minusSeconds(5), true, new SyncState(id, "master", Outcome.running, 5, dump,
                List.of(waiting("production", "clinic-2"), waiting("demo", "demo-1"), waiting("qa", "qa-1"))));
    }

    static Run held(String id) {
        var dump = new Dump(DumpPhase.held, Optional.of(NOW), List.of(new Table("master.drug", 0, true)), Optional.of(10L),
                Optional.empty(), Optional.of("master.drug had 30000 rows and would have none"), Map.of("snapshot", 0.4), Optional.empty());
        return new Run(Run.Kind.sync, id, NOW.minusSeconds(90), true,
                new SyncState(id, "master", Outcome.running, 90, dump, List.of(waiting("demo", "demo-1"))));
    }

    static Run rolledBack(String id) {
        var dump = new Dump(DumpPhase.sealed, Optional.empty(), List.of(), Optional.empty(), Optional.empty(), Optional.empty(), Map.of(),
                Optional.empty());
        return new Run(Run.Kind.rollback, "back-" + id, NOW.minusSeconds(20), false, new SyncState(id, "master", Outcome.verified, 3, dump,
                List.of(done("demo", "demo-1", List.of(new TableChange("master.drug", 30_000, "d", 0, 1234, 1, 0))))));
    }

    private static Dump sealed() {
        return new Dump(DumpPhase.sealed, Optional.of(NOW), List.of(new Table("master.drug", 44_212, true)), Optional.of(10L),
                Optional.empty(), Optional.empty(), Map.of("snapshot", 4.0), Optional.empty());
    }

    private static SyncState.Shard done(String account, String name, List<TableChange> tables) {
        return new SyncState.Shard(account, name, ShardPhase.verified, 0, tables, Optional.empty(), Optional.empty(), Optional.empty(),
                Map.of("preflight", 0.5, "staging", 1.0, "publish", 0.5), Optional.empty(), Optional.empty(), List.of());
    }

    private static SyncState.Shard waiting(String account, String name) {
        return new SyncState.Shard(account, name, ShardPhase.waiting, 0, List.of(), Optional.empty(), Optional.empty(), Optional.empty(),
                Map.of(), Optional.empty(), Optional.empty(), List.of());
    }
}
