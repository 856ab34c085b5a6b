package lockstep.infra;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;

/**
 * Runs a synthesized state machine in simulated time. States, retries, catches, the limits of Maps and the data passed between states
 * follow the definition; {@link Work} supplies the functions' results and durations. An unknown kind of state is an error, so that the
 * simulation can't silently diverge from changed definitions.
 *
 * <p>Retries wait for the full interval without jitter, which is the maximum.
 */
final class SimulatedMachine {
    /** Of what one state passes to another: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
    static final int MOST_BYTES = 256 << 10;
    static final int MOST_EVENTS = 25_000;
    private static final String DATA_LIMIT = "States.DataLimitExceeded";

    /** Simulates functions. */
    interface Work {
        /**
         * @param state  the invoking state
         * @param others when the other branches of a Parallel end, for functions that wait for them; otherwise the current time
         * @throws Failed if the function fails
         */
        Answer answer(String state, JsonNode event, double now, double others) throws Failed;
    }

    record Answer(JsonNode output, double seconds) {}

    /** A function's error after some time. */
    static final class Failed extends Exception {
        final String error;
        final double seconds;

        Failed(String error, String cause, double seconds) {
            super(cause);
            this.error = error;
            this.seconds = seconds;
        }
    }

    private record Invocation(double from, double until) {}

    /** The result of an execution. All values except events are totals that include child executions of distributed Maps. */
    static final class Execution {
        final double seconds;
        /** The number of events in the longest history, which Step Functions limits. */
        final int events;
        final long transitions;
        final long childExecutions;
        final int mostBytes;
        final String mostBytesIn;
        final int mostFunctionsAtOnce;
        final Map<String, Double> secondsOfFunctions;
        final Map<String, Long> invocations;
        /** How often and why each state failed after all retries, even if the failure was caught. */
        final Map<String, Long> failures;
        /** The error; empty if the execution succeeded. */
        final String error;

        private Execution(SimulatedMachine machine, double seconds, int events, String error) {
            this.seconds = seconds;
            this.events = events;
            this.error = events > MOST_EVENTS ? "history of more than 25,000 events" : error;
            transitions = machine.transitions;
            childExecutions = machine.childExecutions;
            mostBytes = machine.mostBytes;
            mostBytesIn = machine.mostBytesIn;
            mostFunctionsAtOnce = machine.mostAtOnce();
            secondsOfFunctions = machine.secondsOfFunctions;
            invocations = machine.invocationsOf;
            failures = machine.failures;
        }
    }

    private final Work work;
    /** Time between states, and for starting a child execution. */
    private final double between;
    private final List<Invocation> invocations = new ArrayList<>();
    private final Map<String, Double> secondsOfFunctions = new TreeMap<>();
    private final Map<String, Long> invocationsOf = new TreeMap<>();
    private final Map<String, Long> failures = new TreeMap<>();
    private long transitions;
    private long childExecutions;
    private int mostBytes;
    private String mostBytesIn = "";

    private SimulatedMachine(Work work, double between) {
        this.work = work;
        this.between = between;
    }

    static Execution run(JsonNode definition, JsonNode input, Work work, double between) {
        var machine = new SimulatedMachine(work, between);
        var history = new History();
        machine.transitions++;
        try {
            var ended = machine.states(definition, input, NullNode.instance, 0, 0, history);
            return new Execution(machine, ended.at, history.events + 2, "");
        } catch (Thrown e) {
            return new Execution(machine, e.at, history.events + 2, e.error);
        }
    }

    /** The events of one execution. */
    private static final class History {
        int events;
    }

    private record Ended(JsonNode output, double at) {}

    /** An error that propagates through the states. */
    private static final class Thrown extends Exception {
        final String error;
        final double at;

        Thrown(String error, String cause, double at) {
            super(cause);
            this.error = error;
            this.at = at;
        }
    }

    /** Runs from the first state to an end state. */
    private Ended states(JsonNode definition, JsonNode input, JsonNode item, double start, double others, History history) throws Thrown {
        String name = definition.get("StartAt").asText();
        var data = input;
        double now = start;
        while (true) {
            var state = definition.get("States").get(name);
            transitions++;
            history.events += 2;
            now += between;
            try {
                note(name, data, now);
                var type = state.get("Type").asText();
                if (type.equals("Succeed")) return new Ended(data, now);
                if (type.equals("Fail")) throw new Thrown(text(state, "Error", data), text(state, "Cause", data), now);
                if (type.equals("Choice")) {
                    name = choice(state, data);
                    continue;
                }
                var ended = switch (type) {
                    case "Pass" -> new Ended(given(state, "Parameters", data, item), now);
                    case "Task" -> task(name, state, data, item, now, others, history);
                    case "Parallel" -> parallel(state, data, now, history);
                    case "Map" -> map(state, data, now, history);
                    default -> throw new IllegalStateException("no state is simulated of type " + type);
                };
                now = ended.at;
                data = result(state, data, selected(state, ended.output));
                note(name, data, now);
            } catch (Thrown e) {
                var caught = caught(state, e);
                if (caught == null) throw e;
                now = e.at;
                data = result(caught, data, Assembly.JSON.createObjectNode().put("Error", e.error).put("Cause", e.getMessage()));
                name = caught.get("Next").asText();
                continue;
            }
            if (state.path("End").asBoolean(false)) return new Ended(data, now);
            name = state.get("Next").asText();
        }
    }

    private Ended task(String name, JsonNode state, JsonNode data, JsonNode item, double start, double others, History history)
            throws Thrown {
        var given = given(state, "Parameters", data, item);
        boolean inTask = state.get("Resource").asText().contains(":ecs:runTask");
        var event = inTask ? event(given) : given.has("step") ? given.get("event") : given;
        note(name, event, start);
        history.events += 3;
        if (state.get("Resource").asText().endsWith(":sns:publish")) return new Ended(NullNode.instance, start + between);
        double now = start;
        var tried = new TreeMap<Integer, Integer>();
        while (true) {
            invocationsOf.merge(name, 1L, Long::sum);
            try {
                var answer = work.answer(name, event, now, others);
                invoked(name, now, answer.seconds, inTask);
                return new Ended(answer.output, now + answer.seconds);
            } catch (Failed e) {
                invoked(name, now, e.seconds, inTask);
                now += e.seconds;
                int retry = retry(state, e.error);
                int tries = tried.merge(retry, 1, Integer::sum);
                if (retry < 0 || tries > state.get("Retry").get(retry).path("MaxAttempts").asInt(3)) {
                    failures.merge(name + ": " + e.error, 1L, Long::sum);
                    throw new Thrown(e.error, e.getMessage(), now);
                }
                var policy = state.get("Retry").get(retry);
                now += Math.min(policy.path("MaxDelaySeconds").asDouble(Double.MAX_VALUE),
                        policy.path("IntervalSeconds").asDouble(1) * Math.pow(policy.path("BackoffRate").asDouble(2), tries - 1));
                transitions++;
                history.events += 3;
            }
        }
    }

    /** The event that a task puts together from its environment. */
    private static JsonNode event(JsonNode given) {
        var event = Assembly.JSON.createObjectNode();
        for (var variable : given.at("/Overrides/ContainerOverrides/0/Environment")) {
            var name = variable.get("Name").asText().toLowerCase(Locale.ROOT);
            if (List.of("sync", "shard").contains(name)) try {
                event.set(name, Assembly.JSON.readTree(variable.get("Value").asText()));
            } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }
        return event;
    }

    private void invoked(String name, double from, double seconds, boolean inTask) {
        if (!inTask) invocations.add(new Invocation(from, from + seconds));
        secondsOfFunctions.merge(name, seconds, Double::sum);
    }

    private static int retry(JsonNode state, String error) {
        for (int i = 0; i < state.path("Retry").size(); i++)
            if (names(state.get("Retry").get(i), error)) return i;
        return -1;
    }

    private static JsonNode caught(JsonNode state, Thrown thrown) {
        for (var one : state.path("Catch"))
            if (names(one, thrown.error)) return one;
        return null;
    }

    /** An oversized output raises an error that can be caught only by name. */
    private static boolean names(JsonNode policy, String error) {
        for (var name : policy.get("ErrorEquals"))
            if (name.asText().equals(error) || name.asText().equals("States.ALL") && !error.equals(DATA_LIMIT)) return true;
        return false;
    }

    /** Runs the last branch first, because the first holds the snapshot until the others have ended. */
    private Ended parallel(JsonNode state, JsonNode data, double start, History history) throws Thrown {
        history.events += 2;
        var outputs = new JsonNode[state.get("Branches").size()];
        double end = start;
        Thrown thrown = null;
        for (int i = outputs.length - 1; i >= 0; i--) {
            try {
                var ended = states(state.get("Branches").get(i), data, NullNode.instance, start, end, history);
                outputs[i] = ended.output;
                end = Math.max(end, ended.at);
            } catch (Thrown e) {
                if (thrown == null || e.at < thrown.at) thrown = e;
                end = Math.max(end, e.at);
            }
        }
        if (thrown != null) throw thrown;
        return new Ended(Assembly.JSON.createArrayNode().addAll(List.of(outputs)), end);
    }

    /** Starts items in order, each as soon as an earlier one has freed a slot. */
    private Ended map(JsonNode state, JsonNode data, double start, History history) throws Thrown {
        var processor = state.get("ItemProcessor");
        boolean distributed = processor.at("/ProcessorConfig/Mode").asText().equals("DISTRIBUTED");
        history.events += 2;
        var items = state.has("ItemReader") ? data.at("/sync/batches") : path(state.get("ItemsPath").asText(), data, NullNode.instance);
        if (!items.isArray()) throw new IllegalStateException("no items of a Map: " + state);
        var lanes = new PriorityQueue<Double>();
        int most = state.path("MaxConcurrency").asInt(0);
        var outputs = Assembly.JSON.createArrayNode();
        var given = withoutBatches(data);
        double end = start;
        for (var item : items) {
            double begin = lanes.size() < (most == 0 ? Integer.MAX_VALUE : most) ? start : lanes.poll();
            var selected = template(state.get("ItemSelector"), given, item);
            var own = distributed ? new History() : history;
            if (distributed) {
                childExecutions++;
                transitions++;
            } else {
                history.events += 2;
            }
            var ended = states(processor, selected, item, begin, begin, own);
            lanes.add(ended.at);
            end = Math.max(end, ended.at);
            outputs.add(ended.output);
        }
        return new Ended(outputs, end);
    }

    /** A dump's batches are read from the bucket. The simulation keeps them in the data, where they don't count towards its size. */
    private static JsonNode withoutBatches(JsonNode data) {
        if (!data.at("/sync/batches").isArray()) return data;
        ObjectNode copy = ((ObjectNode) data).objectNode().setAll((ObjectNode) data);
        copy.set("sync", ((ObjectNode) data.get("sync")).deepCopy().without("batches"));
        return copy;
    }

    private void note(String name, JsonNode data, double now) throws Thrown {
        int bytes = withoutBatches(data).toString().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > mostBytes) {
            mostBytes = bytes;
            mostBytesIn = name;
        }
        if (bytes <= MOST_BYTES) return;
        failures.merge(name + ": " + DATA_LIMIT, 1L, Long::sum);
        throw new Thrown(DATA_LIMIT, name + " has " + bytes + " bytes", now);
    }

    private int mostAtOnce() {
        var changes = new ArrayList<double[]>();
        for (var invocation : invocations) {
            changes.add(new double[]{invocation.from, 1});
            changes.add(new double[]{invocation.until, -1});
        }
        changes.sort(Comparator.<double[]>comparingDouble(c -> c[0]).thenComparingDouble(c -> c[1]));
        int now = 0;
        int most = 0;
        for (var change : changes) {
            now += (int) change[1];
            most = Math.max(most, now);
        }
        return most;
    }

    // ---- data

    private static JsonNode given(JsonNode state, String field, JsonNode data, JsonNode item) {
        return state.has(field) ? template(state.get(field), data, item) : data;
    }

    private static JsonNode selected(JsonNode state, JsonNode output) {
        return state.has("ResultSelector") ? template(state.get("ResultSelector"), output, NullNode.instance) : output;
    }

    private static JsonNode template(JsonNode template, JsonNode data, JsonNode item) {
        if (template.isArray()) {
            ArrayNode array = Assembly.JSON.createArrayNode();
            template.forEach(element -> array.add(template(element, data, item)));
            return array;
        }
        if (!template.isObject()) return template;
        var object = Assembly.JSON.createObjectNode();
        for (var field : template.properties()) {
            if (field.getKey().endsWith(".$"))
                object.set(field.getKey().substring(0, field.getKey().length() - 2), path(field.getValue().asText(), data, item));
            else object.set(field.getKey(), template(field.getValue(), data, item));
        }
        return object;
    }

    private static JsonNode path(String path, JsonNode data, JsonNode item) {
        if (path.startsWith("States.ArrayGetItem(States.StringSplit($$.Execution.Name, '.'), ")) return Assembly.JSON.getNodeFactory()
                .textNode("master.20260301T120000Z-0001".split("[.]")[Integer.parseInt(path.replaceAll(".* (\\d)\\)", "$1"))]);
        if (path.equals("$$.Map.Item.Value")) return item;
        if (path.equals("$$.Task.Token")) return Assembly.JSON.getNodeFactory().textNode("token");
        if (path.startsWith("States.JsonToString("))
            return Assembly.JSON.getNodeFactory().textNode(path(path.substring(20, path.length() - 1), data, item).toString());
        if (path.startsWith("States.StringToJson("))
            return Assembly.JSON.createObjectNode().set("errorMessage", path(path.substring(20, path.length() - 1), data, item));
        if (path.startsWith("States.Format('{}: {}', ")) {
            var values = path.substring(24, path.length() - 1).split(", ");
            return Assembly.JSON.getNodeFactory()
                    .textNode(path(values[0], data, item).asText() + ": " + path(values[1], data, item).asText());
        }
        if (!path.startsWith("$") || path.startsWith("$$")) throw new IllegalStateException("no path is simulated like " + path);
        var found = data.at(path.substring(1).replace("[", "/").replace("]", "").replace('.', '/'));
        if (found.isMissingNode())
            throw new IllegalStateException(path + " is not in " + data.toString().substring(0, Math.min(500, data.toString().length())));
        return found;
    }

    private static JsonNode result(JsonNode state, JsonNode data, JsonNode result) {
        if (!state.has("ResultPath") || state.get("ResultPath").asText().equals("$")) return result;
        if (state.get("ResultPath").isNull()) return data;
        ObjectNode copy = ((ObjectNode) data).objectNode().setAll((ObjectNode) data);
        return copy.set(state.get("ResultPath").asText().substring(2), result);
    }

    private static String text(JsonNode state, String field, JsonNode data) {
        return state.has(field + "Path") ? path(state.get(field + "Path").asText(), data, NullNode.instance).asText()
                : state.path(field).asText();
    }

    private static String choice(JsonNode state, JsonNode data) {
        for (var rule : state.get("Choices"))
            if (holds(rule, data)) return rule.get("Next").asText();
        return state.get("Default").asText();
    }

    private static boolean holds(JsonNode rule, JsonNode data) {
        if (rule.has("And")) {
            for (var part : rule.get("And")) if (!holds(part, data)) return false;
            return true;
        }
        if (rule.has("Or")) {
            for (var part : rule.get("Or")) if (holds(part, data)) return true;
            return false;
        }
        if (rule.has("Not")) return !holds(rule.get("Not"), data);
        var value = data.at(rule.get("Variable").asText().substring(1).replace('.', '/'));
        if (rule.has("IsPresent")) return value.isMissingNode() != rule.get("IsPresent").asBoolean();
        if (rule.has("BooleanEquals")) return value.isBoolean() && value.asBoolean() == rule.get("BooleanEquals").asBoolean();
        if (rule.has("NumericGreaterThan")) return value.asDouble() > rule.get("NumericGreaterThan").asDouble();
        if (rule.has("StringEquals")) return value.asText().equals(rule.get("StringEquals").asText());
        if (rule.has("StringEqualsPath")) return value.equals(path(rule.get("StringEqualsPath").asText(), data, NullNode.instance));
        if (rule.has("StringMatches")) return value.asText().startsWith(rule.get("StringMatches").asText().replace("*", ""));
        throw new IllegalStateException("no choice is simulated like " + rule);
    }
}
