package lockstep.masterdata.handler;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.GZIPInputStream;
import lockstep.masterdata.aws.Clients;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.TaskDoesNotExistException;
import software.amazon.awssdk.services.sfn.model.TaskTimedOutException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Does one step of a state machine that is too long for a function, as a task of ECS. The answer is that of the function: the same result,
 * or a fault of the same name. The environment says what to do:
 *
 * <ul>
 * <li>{@code STEP}: the name of the step
 * <li>{@code SYNC}, and {@code SHARD} in a restore: its event as JSON, with only the name of the data set, because ECS takes 8 KiB
 * <li>{@code DATA_SETS}: the definitions of the account's data sets by name, as base64 of zipped JSON
 * <li>{@code TASK_TOKEN}: the state that waits for the answer
 * </ul>
 */
public final class EngineTask {
    /** How long a step may take; the states have the same timeout. */
    private static final Duration LONGEST = Duration.ofHours(24);
    private static final Duration HEARTBEAT = Duration.ofSeconds(30);

    private final SfnClient states;
    private final String token;
    private final AtomicBoolean answered = new AtomicBoolean();

    private EngineTask(SfnClient states, String token) {
        this.states = states;
        this.token = token;
    }

    /** @param arguments the function whose step it is: ReadSource or RestoreShards */
    public static void main(String[] arguments) {
        var environment = System.getenv();
        Steps steps = switch (arguments.length == 1 ? arguments[0] : "") {
            case "ReadSource" -> new ReadSource();
            case "RestoreShards" -> new RestoreShards();
            default -> throw new IllegalArgumentException("expected ReadSource or RestoreShards");
        };
        boolean done = new EngineTask(SfnClient.builder().httpClient(Clients.Http.CLIENT).build(), environment.get("TASK_TOKEN"))
                .run(steps, environment);
        System.exit(done ? 0 : 1);
    }

    private boolean run(Steps steps, Map<String, String> environment) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> fail("Runtime.ExitError", "the task was stopped")));
        var heartbeat = Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().factory());
        heartbeat.scheduleAtFixedRate(this::beat, 0, HEARTBEAT.toSeconds(), TimeUnit.SECONDS);
        try {
            String answer = Json.MAPPER.writeValueAsString(steps.answer(call(environment), Instant.now().plus(LONGEST), System.out::print));
            if (!answered.getAndSet(true)) states.sendTaskSuccess(r -> r.taskToken(token).output(answer));
            return true;
        } catch (RuntimeException e) {
            fail(e.getClass().getName(), String.valueOf(e.getMessage()));
            return false;
        }
    }

    /** Returns the call of the function's step, with the data set's definition. */
    static Steps.Call call(Map<String, String> environment) {
        try (var unzipped = new GZIPInputStream(new ByteArrayInputStream(Base64.getDecoder().decode(environment.get("DATA_SETS"))))) {
            var event = Json.MAPPER.createObjectNode();
            var sync = event.putObject("sync").setAll((ObjectNode) Json.MAPPER.readTree(environment.get("SYNC")));
            String name = sync.at("/dataSet/name").asString("");
            JsonNode definition = Json.MAPPER.readTree(unzipped).path(name);
            if (!definition.isObject()) throw new Fault.InvalidRequest("this task was deployed without data set '" + name + "'");
            event.withObject("sync").set("dataSet", definition);
            if (environment.containsKey("SHARD")) event.set("shard", Json.MAPPER.readTree(environment.get("SHARD")));
            return new Steps.Call(environment.get("STEP"), event);
        } catch (IOException | JacksonException e) {
            throw new Fault.InvalidRequest("the task's environment is invalid: " + e.getMessage());
        }
    }

    private void beat() {
        try {
            states.sendTaskHeartbeat(r -> r.taskToken(token));
        } catch (TaskTimedOutException | TaskDoesNotExistException e) {
            // nobody waits for the answer any more: the execution has ended, or another task does the step
            answered.set(true);
            System.exit(1);
        } catch (SdkException e) {
            System.out.println("no heartbeat was sent: " + e.getMessage());
        }
    }

    /** Reports a fault in the form in which Lambda reports that of a function. */
    private void fail(String error, String message) {
        if (answered.getAndSet(true)) return;
        String cause = Json.MAPPER.writeValueAsString(Map.of("errorMessage", message, "errorType", error));
        states.sendTaskFailure(r -> r.taskToken(token).error(error).cause(cause));
    }
}
