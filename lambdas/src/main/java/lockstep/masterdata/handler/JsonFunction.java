package lockstep.masterdata.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.Supplier;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A function that decodes its event, calls {@link #handle}, and encodes the answer, to which it adds the duration ({@code millis}) and the
 * process's peak memory so far ({@code peakMemoryMiB}). Faults are logged only here. The class is public because Lambda calls it by
 * reflection.
 */
public abstract class JsonFunction<I, O> implements RequestStreamHandler {
    private final Class<I> eventType;

    JsonFunction(Class<I> eventType) {
        Priming.beforeSnapshot();
        this.eventType = eventType;
    }

    /** @param deadline when the function will be stopped */
    abstract O handle(I event, Instant deadline);

    @Override
    public final void handleRequest(InputStream input, OutputStream output, Context context) {
        Json.MAPPER.writeValue(output,
                answer(() -> Json.MAPPER.readValue(input, eventType), Steps.deadline(context), context.getLogger()::log));
    }

    /** Handles an event that was read as a tree. */
    final ObjectNode answer(JsonNode event, Instant deadline, Consumer<String> log) {
        return answer(() -> Json.MAPPER.treeToValue(event, eventType), deadline, log);
    }

    private ObjectNode answer(Supplier<I> event, Instant deadline, Consumer<String> log) {
        var start = System.nanoTime();
        try {
            O answer = handle(event.get(), deadline);
            ObjectNode result = Json.MAPPER.valueToTree(answer);
            return result.put("millis", Duration.ofNanos(System.nanoTime() - start).toMillis())
                    .put("peakMemoryMiB", Memory.peakMebibytes());
        } catch (JacksonException e) {
            throw logged(log,
                    new Fault.InvalidRequest("the event is not valid for " + getClass().getSimpleName() + ": " + e.getOriginalMessage()));
        } catch (RuntimeException e) {
            throw logged(log, e);
        }
    }

    private static RuntimeException logged(Consumer<String> log, RuntimeException e) {
        log.accept(e + (e instanceof Fault ? "" : " at " + java.util.Arrays.toString(e.getStackTrace())) + "\n");
        return e;
    }
}
