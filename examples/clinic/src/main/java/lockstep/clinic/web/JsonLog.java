package lockstep.clinic.web;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;
import java.util.stream.Stream;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Logs one JSON object per line to standard output. A map that is a record's parameter becomes separate fields. */
public final class JsonLog extends Formatter {
    private static final JsonFactory JSON = new JsonFactory();
    /** Held here, because a logger without references may be collected and lose its level. */
    private static final List<Logger> CHATTY = Stream.of("org.eclipse.jetty", "io.javalin", "com.zaxxer.hikari", "org.flywaydb")
            .map(Logger::getLogger).toList();

    /** Replaces the existing logging configuration. */
    public static void install() {
        LogManager.getLogManager().reset();
        Handler handler = new StreamHandler(System.out, new JsonLog()) {
            @Override
            public synchronized void publish(LogRecord record) {
                super.publish(record);
                flush();
            }
        };
        Logger root = Logger.getLogger("");
        root.setLevel(Level.INFO);
        root.addHandler(handler);
        CHATTY.forEach(logger -> logger.setLevel(Level.WARNING));
    }

    @Override
    public String format(LogRecord record) {
        var text = new StringWriter();
        try (var json = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
            json.writeStartObject();
            json.writeStringProperty("time", record.getInstant().toString());
            json.writeStringProperty("level", record.getLevel().getName());
            json.writeStringProperty("logger", record.getLoggerName());
            json.writeStringProperty("message", formatMessage(record));
            if (record.getParameters() != null && record.getParameters().length == 1
                    && record.getParameters()[0] instanceof Map<?, ?> fields) {
                for (var field : fields.entrySet()) {
                    json.writeName(field.getKey().toString());
                    switch (field.getValue()) {
                        case Integer number -> json.writeNumber(number);
                        case Object other -> json.writeString(other.toString());
                    }
                }
            }
            if (record.getThrown() != null) {
                var trace = new StringWriter();
                record.getThrown().printStackTrace(new PrintWriter(trace));
                json.writeStringProperty("fault", trace.toString());
            }
            json.writeEndObject();
        }
        return text.append('\n').toString();
    }
}
