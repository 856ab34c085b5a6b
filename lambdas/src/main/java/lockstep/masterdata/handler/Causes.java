package lockstep.masterdata.handler;

import lockstep.masterdata.engine.Json;
import tools.jackson.core.JacksonException;

/** What a state machine tells of a function's failure. */
final class Causes {
    private Causes() {}

    /** The message inside the JSON that Lambda makes of an exception, or the text as it is. */
    static String message(String cause) {
        try {
            var message = Json.MAPPER.readTree(cause).path("errorMessage");
            return message.isString() ? message.stringValue() : cause;
        } catch (JacksonException e) {
            return cause;
        }
    }
}
