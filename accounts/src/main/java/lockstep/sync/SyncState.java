package lockstep.sync;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where a sync stands: the dump, and each target shard. The same record is the answer of {@code sync --output json}. */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record SyncState(String syncId, String dataSet, Outcome outcome, double seconds, Dump dump, List<Shard> shards) {
    public enum Outcome { running, verified, failed }

    /** {@code held}: it waits for a person, and the cause says why. */
    public enum DumpPhase { starting, dumping, held, sealed, failed }

    public enum ShardPhase { waiting, preflight, staging, publishing, verified, failed }

    /** @param seconds how long each state took, as far as it is known */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    public record Dump(DumpPhase phase, Optional<Instant> snapshotTime, List<Table> tables, Optional<Long> bytes, Optional<String> error,
            Optional<String> cause, Map<String, Double> seconds, Optional<Long> peakMemoryMiB) {}

    /** @param done whether all of the table's ranges are dumped */
    public record Table(String name, long rows, boolean done) {}

    /**
     * @param bytes    compressed, of what comes to the shard
     * @param warnings each once
     */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    public record Shard(String account, String shard, ShardPhase phase, long stagedRows, List<TableChange> tables, Optional<String> failedState,
            Optional<String> error, Optional<String> cause, Map<String, Double> seconds, Optional<Long> peakMemoryMiB, Optional<Long> bytes, List<String> warnings) {
        public Shard {
            tables = List.copyOf(tables);
            warnings = List.copyOf(warnings);
        }

        long changed() {
            return tables.stream().mapToLong(t -> t.inserted() + t.updated() + t.deleted()).sum();
        }
    }

    /** Something to know about that stops no sync, and the shards in which it was found. */
    public record Warning(String warning, List<String> shards) {
        /** Each distinct warning once. */
        public static List<Warning> of(List<Shard> shards) {
            var found = new LinkedHashMap<String, List<String>>();
            shards.forEach(shard -> shard.warnings().forEach(warning -> found.computeIfAbsent(warning, w -> new ArrayList<>()).add(shard.shard())));
            return found.entrySet().stream().map(e -> new Warning(e.getKey(), List.copyOf(e.getValue()))).toList();
        }
    }

    @JsonProperty
    public List<Warning> warnings() {
        return Warning.of(shards);
    }

    /** Whether it waits for a person. */
    public boolean held() {
        return dump.phase() == DumpPhase.held;
    }

    /** What became of a table in a shard; as the function that published it tells. */
    public record TableChange(String name, long rows, String digest, long inserted, long updated, long deleted, long kept) {}
}
