package lockstep.cli.console;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.cli.console.Overview.Syncs;
import lockstep.cli.sync.KeptManifests.Kept;
import lockstep.cli.sync.Run;
import lockstep.cli.sync.Status.ShardStatus;
import lockstep.cli.sync.Status.TableStatus;
import lockstep.cli.sync.SyncState;
import lockstep.cli.sync.SyncState.Dump;
import lockstep.cli.sync.SyncState.DumpPhase;
import lockstep.cli.sync.SyncState.Outcome;
import lockstep.cli.sync.SyncState.ShardPhase;
import lockstep.cli.sync.SyncState.TableChange;

/** What the console might have read of a small landscape. */
final class TestingOverview {
    static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

    private TestingOverview() {}

    static Overview overview(Run... runs) {
        var shards = List.of(
                new ShardStatus("demo", "demo-1", "demo", "master", "20260301T115500Z-0001", NOW.minus(Duration.ofMinutes(5)), 300L, "in-step", List.of(new TableStatus("master.drug", 5000, "d", 0)), null),
                new ShardStatus("qa", "qa-1", "production", "master", null, null, null, "unreachable", List.of(), "connection refused"));
        return new Overview(NOW, false, List.of(new Syncs("master", "clinic-1", shards, Optional.of(NOW), List.of(runs), List.of(new Kept("20260301T115500Z-0001", NOW.minus(Duration.ofMinutes(5)), "0.1.0", 5000)), List.of())));
    }

    static Run verified(String id, long secondsAgo) {
        return new Run(Run.Kind.sync, id, NOW.minusSeconds(secondsAgo), false, state(id, Outcome.verified, sealed(), new SyncState.Shard("demo", "demo-1", ShardPhase.verified, 0,
                List.of(new TableChange("master.drug", 5000, "d", 1, 1234, 0, 0), new TableChange("master.disease", 10, "d", 0, 0, 0, 0)), Optional.empty(), Optional.empty(), Optional.empty(),
                Map.of("preflight", 0.5, "staging", 1.0, "publish", 0.5), Optional.empty(), Optional.empty())));
    }

    static Run failed(String id) {
        return new Run(Run.Kind.sync, id, NOW.minusSeconds(500), false, state(id, Outcome.failed, sealed(), new SyncState.Shard("demo", "demo-1", ShardPhase.failed, 0, List.of(), Optional.of("Publish"),
                Optional.of("lockstep.masterdata.engine.Fault$MergeConflict"), Optional.of("trigger <b>refused</b> it"), Map.of(), Optional.empty(), Optional.empty())));
    }

    static Run running(String id) {
        var dump = new Dump(DumpPhase.starting, Optional.empty(), List.of(), Optional.empty(), Optional.empty(), Optional.empty(), Map.of(), Optional.empty());
        return new Run(Run.Kind.sync, id, NOW.minusSeconds(5), true, state(id, Outcome.running, dump, new SyncState.Shard("demo", "demo-1", ShardPhase.waiting, 0, List.of(), Optional.empty(), Optional.empty(), Optional.empty(),
                Map.of(), Optional.empty(), Optional.empty())));
    }

    static Dump sealed() {
        return new Dump(DumpPhase.sealed, Optional.of(NOW), List.of(), Optional.of(10L), Optional.empty(), Optional.empty(), Map.of("snapshot", 4.0), Optional.empty());
    }

    static SyncState state(String id, Outcome outcome, Dump dump, SyncState.Shard shard) {
        return new SyncState(id, "master", outcome, 8, dump, List.of(shard));
    }

    static Run rolledBack(String id) {
        var dump = new Dump(DumpPhase.sealed, Optional.empty(), List.of(), Optional.empty(), Optional.empty(), Optional.empty(), Map.of(), Optional.empty());
        return new Run(Run.Kind.rollback, "back-" + id, NOW.minusSeconds(20), false, state(id, Outcome.verified, dump, new SyncState.Shard("demo", "demo-1", ShardPhase.verified, 0,
                List.of(new TableChange("master.drug", 5000, "d", 0, 1234, 1, 0)), Optional.empty(), Optional.empty(), Optional.empty(), Map.of("preflight", 0.3, "staging", 0.4, "publish", 0.5), Optional.empty(), Optional.empty())));
    }
}
