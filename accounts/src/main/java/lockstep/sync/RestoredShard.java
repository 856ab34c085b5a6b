package lockstep.sync;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.landscape.Account;
import lockstep.landscape.Shard;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.parts.Json;
import lockstep.sync.SyncState.ShardPhase;
import lockstep.sync.SyncState.TableChange;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;

/** Reads the state of a shard from the execution of a restore. */
public final class RestoredShard {
    private RestoredShard() {}

    public static SyncState.Shard waiting(Account account, Shard shard) {
        return new SyncState.Shard(account.name(), shard.name(), ShardPhase.waiting, 0, List.of(), Optional.empty(), Optional.empty(),
                Optional.empty(), java.util.Map.of(), Optional.empty(), Optional.empty(), List.of());
    }

    /** Returns the number of rows to stage; 0 until it is known. */
    public static long expectedRows(Shard shard, Execution execution) {
        return preflight(answersOf(shard, execution)).map(a -> a.payload().path("rows").asLong(0)).orElse(0L);
    }

    /** @param stagedRows the last known number of staged rows */
    public static SyncState.Shard read(Account account, Shard shard, Execution execution, long stagedRows) {
        var answers = answersOf(shard, execution);
        var preflight = preflight(answers);
        // the preflight answer contains tables as well; only the publish answer also contains workers
        var published = answers.stream().filter(a -> a.has("tables") && a.has("workers")).findFirst();
        var bytes = preflight.map(a -> a.payload().path("tables").valueStream().mapToLong(t -> t.path("bytes").asLong(0)).sum());
        var warnings = warnings(preflight.map(Execution.Answer::payload), published.map(Execution.Answer::payload));
        var seconds = new LinkedHashMap<String, Double>();
        preflight.ifPresent(a -> seconds.put("preflight", a.seconds()));
        published.ifPresent(a -> {
            preflight.ifPresent(p -> seconds.put("staging", seconds(Duration.between(p.at(), a.at())) - a.seconds()));
            seconds.put("publish", a.seconds());
        });
        var peak = published.map(a -> Math.max(a.peakMemoryMiB().orElse(0L), a.payload().path("workers").path("peakMemoryMiB").asLong(0)));
        if (published.isPresent())
            return new SyncState.Shard(account.name(), shard.name(), ShardPhase.verified, 0, changes(published.get().payload()),
                    Optional.empty(), Optional.empty(), Optional.empty(), seconds, peak, bytes, warnings);
        var outcomes = execution.inputOf("Record").map(input -> input.path("outcomes"));
        var failure = outcomes.flatMap(
                all -> all.valueStream().filter(o -> shard.name().equals(o.path("shard").asString("")) && o.has("error")).findFirst());
        if (failure.isPresent() || !execution.running())
            return new SyncState.Shard(account.name(), shard.name(), ShardPhase.failed, 0, List.of(),
                    Optional.of(failure.map(f -> f.path("state").asString("?")).orElse("restore")),
                    Optional.of(failure.map(f -> Causes.error(f.path("error").asString("?"))).orElseGet(execution::error)),
                    Optional.of(failure.map(f -> Causes.message(f.path("cause").asString("?"))).orElseGet(execution::cause)), seconds, peak,
                    bytes, warnings);
        boolean publishing = execution.inputsOf("Publish").anyMatch(input -> shard.name().equals(input.at("/shard/name").asString("")));
        var phase = publishing ? ShardPhase.publishing : preflight.isEmpty() ? ShardPhase.preflight : ShardPhase.staging;
        return new SyncState.Shard(account.name(), shard.name(), phase, stagedRows, List.of(), Optional.empty(), Optional.empty(),
                Optional.empty(), seconds, peak, bytes, warnings);
    }

    private static List<Execution.Answer> answersOf(Shard shard, Execution execution) {
        return execution.answers().stream().filter(a -> shard.name().equals(a.payload().path("shard").asString(""))).toList();
    }

    /** Returns the last preflight answer; preflight runs again for a drifted shard. */
    private static Optional<Execution.Answer> preflight(List<Execution.Answer> answers) {
        return answers.stream().filter(a -> a.has("batches")).reduce((first, last) -> last);
    }

    /** Returns the warnings of the shard and its tables. Functions of earlier releases return none. */
    private static List<String> warnings(Optional<JsonNode> preflight, Optional<JsonNode> published) {
        var answers = Stream.of(preflight, published).flatMap(Optional::stream).toList();
        var given = answers.stream().flatMap(a -> Stream.concat(Stream.of(a), a.path("tables").valueStream()))
                .flatMap(a -> a.path("warnings").valueStream());
        return given.map(w -> w.asString("")).filter(w -> !w.isBlank()).distinct().toList();
    }

    private static List<TableChange> changes(JsonNode published) {
        return List.of(Json.MAPPER.readerFor(TableChange[].class).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .readValue(published.get("tables")));
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
