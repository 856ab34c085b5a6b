package lockstep.sync;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The state of a sync: its dump and each target shard. {@code sync --output json} writes this record. */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record SyncState(String syncId, String dataSet, Outcome outcome, double seconds, Dump dump, List<Shard> shards) {
    public enum Outcome { running, verified, failed }

    /** {@code held}: the sync waits for approval; the cause contains the reason. */
    public enum DumpPhase {
        starting, dumping, held, sealed, failed
    }

    public enum ShardPhase { waiting, preflight, staging, publishing, verified, failed }

    /** @param seconds the duration of each state, if known */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    public record Dump(DumpPhase phase, Optional<Instant> snapshotTime, List<Table> tables, Optional<Long> bytes, Optional<String> error,
            Optional<String> cause, Map<String, Double> seconds, Optional<Long> peakMemoryMiB) {}

    /** @param done whether all of the table's ranges are dumped */
    public record Table(String name, long rows, boolean done) {}

    /**
     * @param bytes    the compressed size of the data for the shard
     * @param warnings the distinct warnings
     */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    public record Shard(String account, String shard, ShardPhase phase, long stagedRows, List<TableChange> tables,
            Optional<String> failedState,
            Optional<String> error, Optional<String> cause, Map<String, Double> seconds, Optional<Long> peakMemoryMiB, Optional<Long> bytes,
            List<String> warnings) {
        public Shard {
            tables = List.copyOf(tables);
            warnings = List.copyOf(warnings);
        }

        long changed() {
            return tables.stream().mapToLong(t -> t.inserted() + t.updated() + t.deleted()).sum();
        }
    }

    /** A warning that does not stop the sync, and the shards in which it was found. */
    public record Warning(String warning, List<String> shards) {
        /** Merges equal warnings. */
        public static List<Warning> of(List<Shard> shards) {
            var found = new LinkedHashMap<String, List<String>>();
            shards.forEach(shard -> shard.warnings()
                    .forEach(warning -> found.computeIfAbsent(warning, w -> new ArrayList<>()).add(shard.shard())));
            return found.entrySet().stream().map(e -> new Warning(e.getKey(), List.copyOf(e.getValue()))).toList();
        }
    }

    @JsonProperty
    public List<Warning> warnings() {
        return Warning.of(shards);
    }

    /** Reports whether the sync waits for approval. */
    public boolean held() {
        return dump.phase() == DumpPhase.held;
    }

    /** The changes to a table in a shard, as the publishing function reported them. */
    public record TableChange(String name, long rows, String digest, long inserted, long updated, long deleted, long kept) {}
}
