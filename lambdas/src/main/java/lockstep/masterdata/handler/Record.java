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

/** Ends a restore: clears up behind shards that failed, and says which and why. */
public final class Record extends JsonFunction<Record.Event, Record.Answer> {
    public record Event(TargetSync sync, List<TargetSync.TargetShard> shards, List<Outcome> outcomes) {}

    /** How a shard ended: failed, or in step with what Publish answered, or it was not meant. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Outcome(String shard, Optional<String> state, Optional<String> error, Optional<String> cause, Optional<List<Object>> tables) {
        boolean wasMeant() {
            return error.isPresent() || tables.isPresent();
        }

        /** How it failed, the same in shards that failed for the same cause. */
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
        // an execution that did nothing must not end as if all were in step
        if (event.outcomes().stream().noneMatch(Outcome::wasMeant))
            return new Answer(event.outcomes().size(), event.outcomes().size(), "none of this account's shards was meant: they are " + event.shards().stream().map(TargetSync.TargetShard::name).collect(Collectors.joining(", ")));
        var failed = event.outcomes().stream().filter(o -> o.error().isPresent()).toList();
        var told = new ArrayList<>(failures(failed));
        for (Outcome outcome : failed) {
            try {
                var shard = event.shards().stream().filter(s -> s.name().equals(outcome.shard())).findFirst().orElseThrow();
                Cleanup.dropStaging(Clients.database(shard.secretArn()), event.sync().dataSet().name(), event.sync().syncId());
            } catch (Fault e) {
                told.add(outcome.shard() + " keeps its staging tables until the next sync: " + e.getMessage());
            }
        }
        return new Answer(event.outcomes().size(), failed.size(), String.join("; ", told));
    }

    /** A cause that several shards share is reported once, with their names. */
    static List<String> failures(List<Outcome> failed) {
        var alike = new LinkedHashMap<String, List<Outcome>>();
        failed.forEach(outcome -> alike.computeIfAbsent(Causes.withoutAddress(outcome.failure()), cause -> new ArrayList<>()).add(outcome));
        return alike.entrySet().stream().map(e -> e.getValue().stream().map(Outcome::shard).collect(Collectors.joining(", ")) + " "
                + (e.getValue().size() == 1 ? e.getValue().getFirst().failure() : e.getKey())).toList();
    }
}
