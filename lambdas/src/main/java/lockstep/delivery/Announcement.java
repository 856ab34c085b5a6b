package lockstep.delivery;

import java.util.Optional;
import java.util.stream.Collectors;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.parts.Json;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * A message of the operations topic as readable text.
 *
 * @param text plain text; {@link #json} escapes {@code &}, {@code <} and {@code >}, which chats read as markup
 */
record Announcement(String text) {
    /** Chats truncate or reject longer messages. */
    private static final int LONGEST = 3000;

    /**
     * @param envelope the JSON that SNS puts into a queue
     * @throws JacksonException when it is not such an envelope
     */
    static Announcement of(String account, String envelope) {
        JsonNode sns = Json.MAPPER.readTree(envelope);
        String message = sns.required("Message").asString();
        var subject = Optional.ofNullable(sns.path("Subject").asString(null)).filter(s -> !s.isBlank());
        return new Announcement(shortened("[" + account + "] "
                + json(message).map(json -> body(json, subject)).orElseGet(() -> subject.map(s -> s + "\n").orElse("") + message)));
    }

    private static String body(JsonNode json, Optional<String> subject) {
        if (json.has("AlarmName")) {
            return "%s: %s\n%s".formatted(json.path("NewStateValue").asString("?"),
                    json.path("AlarmDescription").asString(json.get("AlarmName").asString()), json.path("NewStateReason").asString(""));
        }
        // a message of a state machine: which sync, and what went wrong
        return subject.map(s -> s + "\n").orElse("")
                + json.properties().stream().map(p -> p.getKey() + ": " + readable(p.getKey(), p.getValue()))
                        .collect(Collectors.joining("\n"));
    }

    /** Step Functions names an error by its Java class, and its cause is JSON with a stack trace. */
    private static String readable(String name, JsonNode value) {
        if (!value.isString()) return value.toString();
        return switch (name) {
            case "error" -> Causes.error(value.asString());
            case "cause" -> Causes.message(value.asString());
            default -> value.asString();
        };
    }

    private static Optional<JsonNode> json(String message) {
        try {
            return Optional.of(Json.MAPPER.readTree(message)).filter(JsonNode::isObject);
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    private static String shortened(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + " …";
    }

    /** Returns the JSON that webhooks of Slack, Mattermost, Rocket.Chat and Google Chat accept. */
    String json() {
        return Json.MAPPER.writeValueAsString(
                Json.MAPPER.createObjectNode().put("text", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")));
    }
}
