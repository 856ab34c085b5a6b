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
 * All that the console's page tells, as it was at one moment. The page is made of this and of nothing else.
 *
 * @param at        when it was read; ages are told by it
 * @param aws       whether it was read on AWS: commands that are shown then say so
 * @param landscape the file that was given to the command, for the commands that are shown
 */
public record Overview(Instant at, boolean aws, Optional<Path> landscape, List<Syncs> dataSets) {
    public Overview {
        dataSets = List.copyOf(dataSets);
    }

    /** Whether anything goes on, so that it is worth looking again soon. */
    public boolean running() {
        return dataSets.stream().flatMap(s -> s.runs().stream()).anyMatch(run -> run.running() && !run.held());
    }

    /**
     * The syncs of one data set.
     *
     * @param shards     as the databases themselves say; empty while they are asked for the first time
     * @param shardsAt   when they were asked
     * @param runs       the newest first
     * @param kept       what a shard can be brought back to, the newest first
     * @param incomplete why something of this could not be read, in words; empty when all was
     */
    public record Syncs(String dataSet, String source, List<ShardStatus> shards, Optional<Instant> shardsAt, List<Run> runs, List<Kept> kept, List<String> incomplete) {
        public Syncs {
            shards = List.copyOf(shards);
            runs = List.copyOf(runs);
            kept = List.copyOf(kept);
            incomplete = List.copyOf(incomplete);
        }

        /** The shards that follow the source. */
        public List<ShardStatus> targets() {
            return shards.stream().filter(s -> !s.shard().equals(source)).toList();
        }

        /** The shards of each account, in the landscape's order. */
        public Map<String, List<ShardStatus>> byAccount() {
            return shards.stream().collect(Collectors.groupingBy(ShardStatus::account, LinkedHashMap::new, Collectors.toList()));
        }

        /** Whether a run has ended since the shards were asked, so that they may hold something else by now. */
        public boolean shardsOld() {
            return shardsAt.isEmpty() || runs.stream().anyMatch(r -> !r.running() && r.started().plusMillis((long) (1000 * r.state().seconds())).isAfter(shardsAt.get()));
        }

        /** How the newest run that a shard took part in failed there, if it did. */
        public Optional<SyncState.Shard> failure(ShardStatus shard) {
            return runs.stream().filter(r -> !r.running()).flatMap(r -> r.state().shards().stream())
                    .filter(s -> s.shard().equals(shard.shard()) && (s.phase() == ShardPhase.failed || s.phase() == ShardPhase.verified)).findFirst().filter(s -> s.phase() == ShardPhase.failed);
        }

        /** What goes on now; what is held only when nothing else does. */
        public Optional<Run> current() {
            return runs.stream().filter(run -> run.running() && !run.held()).findFirst().or(() -> held().stream().findFirst());
        }

        /** What waits for a person, the newest first. */
        public List<Run> held() {
            return runs.stream().filter(Run::held).toList();
        }

        /** What goes on, or went on last. */
        public Optional<Run> latest() {
            return current().or(() -> runs.stream().findFirst());
        }
    }
}
