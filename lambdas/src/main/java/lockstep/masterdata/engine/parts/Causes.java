package lockstep.masterdata.engine.parts;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Converts errors of Lambda and Step Functions, which are Java class names and JSON with a message, into readable text. */
public final class Causes {
    private static final Pattern FAULT = Pattern.compile("lockstep\\.masterdata\\.engine\\.Fault\\$(\\w+)");
    private static final Pattern CLASS = Pattern.compile("\\b(?:[a-z]\\w*\\.){2,}[A-Z][\\w$]*(?:Exception|Error|Throwable)\\b");
    private static final Pattern ADDRESS = Pattern.compile("\\b(the target|database) [\\w.-]+(?::\\d+)?/[^\\s:;,]+");

    private Causes() {}

    /** Returns the simple name of a fault, such as {@code MergeConflict}, or {@code Unexpected} for other Java exceptions. */
    public static String error(String name) {
        var fault = FAULT.matcher(name);
        if (fault.matches()) return fault.group(1);
        if (name.equals("java.lang.OutOfMemoryError")) return "OutOfMemory";
        return name.matches("([a-z]\\w*\\.)+[A-Z][\\w$]*") ? "Unexpected" : name;
    }

    /** Returns the message in the JSON that Lambda creates from an exception, or the text itself if it is not such JSON. */
    public static String message(String cause) {
        try {
            JsonNode json = Json.MAPPER.readTree(cause);
            if (!json.isObject() || !json.has("errorMessage") && !json.has("errorType")) return withoutClassNames(cause);
            JsonNode message = json.path("errorMessage");
            return message.isString() && !message.stringValue().isBlank() ? withoutClassNames(message.stringValue())
                    : "an error without a message; the log of the function has its stack trace";
        } catch (JacksonException e) {
            return withoutClassNames(cause);
        }
    }

    /** Returns an exception's message, unwrapping ExecutionException and CompletionException. */
    public static String message(Throwable thrown) {
        var cause = thrown;
        while ((cause instanceof ExecutionException || cause instanceof CompletionException) && cause.getCause() != null)
            cause = cause.getCause();
        return cause.getMessage() == null || cause.getMessage().isBlank() ? "an error without a message"
                : withoutClassNames(cause.getMessage());
    }

    private static String withoutClassNames(String text) {
        String faults = FAULT.matcher(text).replaceAll("$1");
        return CLASS.matcher(faults).replaceAll(found -> {
            String simple = found.group().substring(found.group().lastIndexOf('.') + 1);
            return simple.substring(simple.lastIndexOf('$') + 1);
        });
    }

    /** Removes the database's address, so that the same cause has the same text for every shard. */
    public static String withoutAddress(String cause) {
        return ADDRESS.matcher(cause).replaceAll(found -> found.group(1).equals("database") ? "the database" : found.group(1));
    }
}
