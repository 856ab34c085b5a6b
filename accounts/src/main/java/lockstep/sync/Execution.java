package lockstep.sync;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.parts.Json;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.DescribeExecutionResponse;
import software.amazon.awssdk.services.sfn.model.ExecutionDoesNotExistException;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import software.amazon.awssdk.services.sfn.model.HistoryEvent;
import tools.jackson.databind.JsonNode;

/** An execution of a state machine and its history. */
public record Execution(DescribeExecutionResponse described, List<HistoryEvent> history) {
    /** The answer of a function and its time. */
    record Answer(Instant at, JsonNode payload) {
        boolean has(String field) {
            return payload.has(field);
        }

        double seconds() {
            return payload.path("millis").asLong(0) / 1000.0;
        }

        Optional<Long> peakMemoryMiB() {
            return payload.has("peakMemoryMiB") ? Optional.of(payload.get("peakMemoryMiB").asLong()) : Optional.empty();
        }
    }

    /** Reads an execution; empty if it was not started. */
    public static Optional<Execution> read(SfnClient sfn, String arn) {
        try {
            var described = sfn.describeExecution(r -> r.executionArn(arn));
            var history = sfn.getExecutionHistoryPaginator(r -> r.executionArn(arn).includeExecutionData(true).maxResults(1000)).events()
                    .stream().toList();
            return Optional.of(new Execution(described, history));
        } catch (ExecutionDoesNotExistException e) {
            return Optional.empty();
        }
    }

    public boolean running() {
        return described.status() == ExecutionStatus.RUNNING || described.status() == ExecutionStatus.PENDING_REDRIVE;
    }

    public boolean succeeded() {
        return described.status() == ExecutionStatus.SUCCEEDED;
    }

    String error() {
        return Causes.error(Optional.ofNullable(described.error()).orElse(described.statusAsString()));
    }

    public String cause() {
        return Causes.message(Optional.ofNullable(described.cause())
                .orElse("the execution " + described.statusAsString().toLowerCase(java.util.Locale.ROOT)));
    }

    /** Returns the answers of the functions so far, in order. */
    List<Answer> answers() {
        return history.stream().flatMap(e -> output(e).map(text -> new Answer(e.timestamp(), Json.MAPPER.readTree(text))).stream())
                .toList();
    }

    /** Returns the answer in an event. AWS has a separate event type for functions; the emulator uses the type of other tasks. */
    private static Optional<String> output(HistoryEvent event) {
        if (event.lambdaFunctionSucceededEventDetails() != null)
            return Optional.ofNullable(event.lambdaFunctionSucceededEventDetails().output());
        return Optional.ofNullable(event.taskSucceededEventDetails()).map(details -> details.output());
    }

    /** Returns the first input of a state; empty if it was not entered yet. */
    Optional<JsonNode> inputOf(String state) {
        return inputsOf(state).findFirst();
    }

    /** Returns the input of each entry into a state so far. */
    Stream<JsonNode> inputsOf(String state) {
        return history.stream().filter(e -> e.stateEnteredEventDetails() != null && state.equals(e.stateEnteredEventDetails().name()))
                .map(e -> Json.MAPPER.readTree(e.stateEnteredEventDetails().input()));
    }
}
