package lockstep.clinic;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import lockstep.clinic.configuration.AddUserConfiguration;
import lockstep.clinic.configuration.Edition;
import lockstep.clinic.configuration.Features;
import lockstep.clinic.configuration.MigrateConfiguration;
import lockstep.clinic.configuration.ServeConfiguration;
import lockstep.clinic.store.DatabaseLogin;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** Reads environment variables and collects all problems. An empty variable counts as not set. */
final class Environment {
    private static final int SHORTEST_KEY = 32;
    /** Activity is recorded once a minute, and a tenant must not expire sooner than that. */
    private static final Duration SHORTEST_EXPIRY = Duration.ofMinutes(10);

    /** Fargate allows a container at most two minutes to stop. */
    private static final Duration LONGEST_DRAIN = Duration.ofSeconds(100);

    private final Map<String, String> variables;
    private final List<String> problems = new ArrayList<>();

    Environment(Map<String, String> variables) {
        this.variables = variables;
    }

    ServeConfiguration serve() {
        var edition = edition();
        var configuration = new ServeConfiguration(edition, required("SHARD"), optional("RELEASE").orElse("unknown"),
                optional("LISTEN_ADDRESS").orElse("0.0.0.0"),
                port("PORT", 8443), port("HEALTH_PORT", 8081), drainDelay(), login("DATABASE_SECRET"), sslRoot(), sessionKey(),
                Features.of(edition).tenantExpiry() ? expiry() : Duration.ZERO,
                optional("INQUIRY_TOPIC_ARN").filter(_ -> Features.of(edition).inquiries()), optional("AWS_REGION"), endpoint());
        if (configuration.inquiryTopic().isPresent() && configuration.region().isEmpty()) {
            problems.add("AWS_REGION is not set: INQUIRY_TOPIC_ARN needs it");
        }
        return checked(configuration);
    }

    MigrateConfiguration migrate() {
        return checked(new MigrateConfiguration(login("ADMIN_SECRET"), login("APPLICATION_SECRET"), sslRoot()));
    }

    AddUserConfiguration addUser() {
        return checked(new AddUserConfiguration(login("DATABASE_SECRET"), sslRoot()));
    }

    private <T> T checked(T configuration) {
        if (!problems.isEmpty()) throw new ConfigurationFault(problems);
        return configuration;
    }

    private Optional<String> optional(String name) {
        return Optional.ofNullable(variables.get(name)).filter(value -> !value.isEmpty());
    }

    private String required(String name) {
        return optional(name).orElseGet(() -> {
            problems.add(name + " is not set");
            return "";
        });
    }

    private Edition edition() {
        String value = required("EDITION");
        for (Edition edition : Edition.values()) {
            if (edition.name().toLowerCase(Locale.ROOT).equals(value)) return edition;
        }
        if (!value.isEmpty()) problems.add("EDITION is '" + value + "'; expected production or demo");
        return Edition.DEMO; // this edition requires all variables; the value itself is never used, because there is a problem
    }

    private int port(String name, int usual) {
        String value = optional(name).orElse(String.valueOf(usual));
        try {
            int port = Integer.parseInt(value);
            if (port >= 0 && port <= 65535) return port;
        } catch (NumberFormatException e) {
            // reported below
        }
        problems.add(name + " is '" + value + "'; expected a port from 0 (any free port) to 65535");
        return 0;
    }

    private Duration drainDelay() {
        String value = optional("DRAIN_DELAY").orElse("PT5S");
        try {
            var duration = Duration.parse(value);
            if (!duration.isNegative() && duration.compareTo(LONGEST_DRAIN) <= 0) return duration;
        } catch (DateTimeParseException e) {
            // reported below
        }
        problems.add("DRAIN_DELAY is '" + value + "'; expected an ISO-8601 duration of at most " + LONGEST_DRAIN + ", such as PT25S");
        return Duration.ZERO;
    }

    private Duration expiry() {
        String value = required("TENANTS_EXPIRE_AFTER");
        if (value.isEmpty()) return Duration.ZERO;
        try {
            var duration = Duration.parse(value);
            if (duration.compareTo(SHORTEST_EXPIRY) < 0) {
                problems.add("TENANTS_EXPIRE_AFTER is " + value + "; expected at least " + SHORTEST_EXPIRY);
            }
            return duration;
        } catch (DateTimeParseException e) {
            problems.add("TENANTS_EXPIRE_AFTER is '" + value + "'; expected an ISO-8601 duration, such as PT168H");
            return Duration.ZERO;
        }
    }

    private byte[] sessionKey() {
        byte[] key = required("SESSION_KEY").getBytes(StandardCharsets.UTF_8);
        if (key.length > 0 && key.length < SHORTEST_KEY) {
            problems.add("SESSION_KEY has " + key.length + " bytes; expected at least " + SHORTEST_KEY);
        }
        return key;
    }

    private Optional<Path> sslRoot() {
        var path = optional("DATABASE_SSL_ROOT").map(Path::of);
        path.filter(file -> !Files.isReadable(file)).ifPresent(file -> problems.add("DATABASE_SSL_ROOT: no readable file " + file));
        return path;
    }

    private Optional<URI> endpoint() {
        return optional("AWS_ENDPOINT_URL").map(URI::create);
    }

    /** Parses a database login in the format of Secrets Manager. Its content never appears in a message. */
    private DatabaseLogin login(String name) {
        String json = required(name);
        var fields = new HashMap<String, String>();
        if (!json.isEmpty()) {
            try (var parser = new JsonFactory().createParser(ObjectReadContext.empty(), json)) {
                if (parser.nextToken() != JsonToken.START_OBJECT) problems.add(name + " is not a JSON object");
                for (String field = parser.nextName(); field != null; field = parser.nextName()) {
                    parser.nextToken();
                    fields.put(field, parser.getString());
                    parser.skipChildren();
                }
            } catch (JacksonException e) {
                problems.add(name + " is not a JSON object");
                return new DatabaseLogin("", 0, "", "", "");
            }
            for (String field : List.of("host", "port", "dbname", "username", "password")) {
                if (fields.getOrDefault(field, "").isEmpty()) problems.add(name + " lacks the field " + field);
            }
        }
        int port = 0;
        try {
            port = Integer.parseInt(fields.getOrDefault("port", "0"));
        } catch (NumberFormatException e) {
            problems.add(name + ": the field port is not a number");
        }
        return new DatabaseLogin(fields.get("host"), port, fields.get("dbname"), fields.get("username"), fields.get("password"));
    }
}
