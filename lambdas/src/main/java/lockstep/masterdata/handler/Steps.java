package lockstep.masterdata.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A Lambda function for several steps of a state machine that need the same rights. Its event has the name of a step, which is the simple
 * name of a class, and the step's own event. The class is public because Lambda calls it by reflection.
 */
public abstract class Steps implements RequestStreamHandler {
    /** @param step the simple name of the class that handles the event */
    record Call(String step, JsonNode event) {}

    private final Map<String, JsonFunction<?, ?>> steps;

    Steps(JsonFunction<?, ?>... steps) {
        Priming.beforeSnapshot();
        this.steps = Stream.of(steps).collect(Collectors.toUnmodifiableMap(step -> step.getClass().getSimpleName(), step -> step));
    }

    public final Set<String> names() {
        return steps.keySet();
    }

    @Override
    public final void handleRequest(InputStream input, OutputStream output, Context context) {
        Call call;
        try {
            call = Json.MAPPER.readValue(input, Call.class);
        } catch (JacksonException e) {
            throw new Fault.InvalidRequest(
                    "the event does not name a step of " + getClass().getSimpleName() + ": " + e.getOriginalMessage());
        }
        Json.MAPPER.writeValue(output, step(call).answer(call.event(), deadline(context), context.getLogger()::log));
    }

    static Instant deadline(Context context) {
        return Instant.now().plusMillis(context.getRemainingTimeInMillis());
    }

    final ObjectNode answer(Call call, Instant deadline, Consumer<String> log) {
        return step(call).answer(call.event(), deadline, log);
    }

    private JsonFunction<?, ?> step(Call call) {
        var step = steps.get(call.step());
        if (step == null) throw new Fault.InvalidRequest(getClass().getSimpleName() + " has no step '" + call.step() + "'");
        return step;
    }
}
