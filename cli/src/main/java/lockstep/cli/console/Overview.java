package lockstep.cli.console;

import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.sync.KeptManifests.Kept;
import lockstep.sync.Run;
import lockstep.sync.Status.ShardStatus;
import lockstep.sync.SyncState.ShardPhase;
import lockstep.sync.SyncState;

/**
 * The complete data of the console page at one point in time.
 *
 * @param at        the time of reading, from which ages are calculated
 * @param aws       whether it was read from AWS, for the commands on the page
 * @param landscape the landscape file given to the command, for the commands on the page
 */
public record Overview(Instant at, boolean aws, Optional<Path> landscape, List<Syncs> dataSets) {
    public Overview {
        dataSets = List.copyOf(dataSets);
    }

    /** Reports whether anything is running, so that the page refreshes more often. */
    public boolean running() {
        return dataSets.stream().flatMap(s -> s.runs().stream()).anyMatch(run -> run.running() && !run.held());
    }

    /**
     * The syncs of one data set.
     *
     * @param shards     the actual contents of the shards; empty until the first query completes
     * @param shardsAt   the time of the query
     * @param runs       the runs, newest first
     * @param kept       the syncs that a shard can be restored to, newest first
     * @param incomplete the reasons why something could not be read; empty if everything was read
     */
    public record Syncs(String dataSet, String source, List<ShardStatus> shards, Optional<Instant> shardsAt, List<Run> runs,
            List<Kept> kept, List<String> incomplete) {
        public Syncs {
            shards = List.copyOf(shards);
            runs = List.copyOf(runs);
            kept = List.copyOf(kept);
            incomplete = List.copyOf(incomplete);
        }

        /** Returns the shards that follow the source. */
        public List<ShardStatus> targets() {
            return shards.stream().filter(s -> !s.shard().equals(source)).toList();
        }

        /** Returns the shards of each account, in landscape order. */
        public Map<String, List<ShardStatus>> byAccount() {
            return shards.stream().collect(Collectors.groupingBy(ShardStatus::account, LinkedHashMap::new, Collectors.toList()));
        }

        /** Reports whether a run has ended since the shards were queried, so that their contents may have changed. */
        public boolean shardsOld() {
            return shardsAt.isEmpty() || runs.stream()
                    .anyMatch(r -> !r.running() && r.started().plusMillis((long) (1000 * r.state().seconds())).isAfter(shardsAt.get()));
        }

        /** Returns the failure of a shard in the newest ended run that includes it, if it failed. */
        public Optional<SyncState.Shard> failure(ShardStatus shard) {
            return runs.stream().filter(r -> !r.running()).flatMap(r -> r.state().shards().stream())
                    .filter(s -> s.shard().equals(shard.shard()) && (s.phase() == ShardPhase.failed || s.phase() == ShardPhase.verified))
                    .findFirst().filter(s -> s.phase() == ShardPhase.failed);
        }

        /** Returns the running run, or a held one if no other is running. */
        public Optional<Run> current() {
            return runs.stream().filter(run -> run.running() && !run.held()).findFirst().or(() -> held().stream().findFirst());
        }

        /** Returns the runs that wait for approval, newest first. */
        public List<Run> held() {
            return runs.stream().filter(Run::held).toList();
        }

        /** Returns the current run, or else the last one. */
        public Optional<Run> latest() {
            return current().or(() -> runs.stream().findFirst());
        }
    }
}
