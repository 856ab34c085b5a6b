package lockstep.masterdata.handler;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.restore.Cleanup;
import lockstep.masterdata.engine.Fault;

/** Ends a restore: cleans up failed shards, and reports which ones failed and why. */
public final class Record extends JsonFunction<Record.Event, Record.Answer> {
    public record Event(TargetSync sync, List<TargetSync.TargetShard> shards, List<Outcome> outcomes) {}

    /** The outcome of a shard: an error, the answer of Publish, or neither if the shard was not selected. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Outcome(String shard, Optional<String> state, Optional<String> error, Optional<String> cause,
            Optional<List<Object>> tables) {
        boolean wasSelected() {
            return error.isPresent() || tables.isPresent();
        }

        /** Returns the failure without the shard's name, so that the same cause in several shards has the same text. */
        String failure() {
            return "failed in " + state.orElse("?") + " with " + Causes.error(error.orElse("?")) + ": " + Causes.message(cause.orElse(""));
        }
    }

    public record Answer(int shards, int failed, String cause) {}

    public Record() {
        super(Event.class);
    }

    @Override
    Answer handle(Event event, Instant deadline) {
        // an execution that did nothing must not look successful
        if (event.outcomes().stream().noneMatch(Outcome::wasSelected))
            return new Answer(event.outcomes().size(), event.outcomes().size(), "no shard of this account was selected; its shards are "
                    + event.shards().stream().map(TargetSync.TargetShard::name).collect(Collectors.joining(", ")));
        var failed = event.outcomes().stream().filter(o -> o.error().isPresent()).toList();
        var problems = new ArrayList<>(failures(failed));
        for (Outcome outcome : failed) {
            try {
                var shard = event.shards().stream().filter(s -> s.name().equals(outcome.shard())).findFirst().orElseThrow();
                Cleanup.dropStaging(Clients.database(shard.secretArn()), event.sync().dataSet().name(), event.sync().syncId());
            } catch (Fault e) {
                problems.add(outcome.shard() + " keeps its staging tables until the next sync: " + e.getMessage());
            }
        }
        return new Answer(event.outcomes().size(), failed.size(), String.join("; ", problems));
    }

    /** A cause that several shards share is reported once, with their names. */
    static List<String> failures(List<Outcome> failed) {
        var byCause = new LinkedHashMap<String, List<Outcome>>();
        failed.forEach(
                outcome -> byCause.computeIfAbsent(Causes.withoutAddress(outcome.failure()), cause -> new ArrayList<>()).add(outcome));
        return byCause.entrySet().stream().map(e -> e.getValue().stream().map(Outcome::shard).collect(Collectors.joining(", ")) + " "
                + (e.getValue().size() == 1 ? e.getValue().getFirst().failure() : e.getKey())).toList();
    }
}
