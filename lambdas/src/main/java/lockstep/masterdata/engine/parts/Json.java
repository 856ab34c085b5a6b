package lockstep.masterdata.engine.parts;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import lockstep.masterdata.engine.Fault;
import tools.jackson.core.JacksonException;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The only JSON mapper. It is strict: an unknown field is an error. */
public final class Json {
    public static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    /** Reads the object's value, or returns empty when it is not in the store. */
    public static <T> Optional<T> read(PartStore store, String key, Class<T> type) {
        return store.open(key).map(in -> {
            try (InputStream stream = in) {
                return MAPPER.readValue(stream, type);
            } catch (IOException | JacksonIOException e) {
                throw new Fault.StoreUnavailable("'" + key + "' can't be read: " + e.getMessage(), e);
            } catch (JacksonException e) {
                throw new Fault.InvalidRequest("object '" + key + "' is not valid: " + e.getOriginalMessage());
            }
        });
    }

    public static void write(PartStore store, String key, Object value) {
        store.put(key, MAPPER.writeValueAsBytes(value));
    }
}
