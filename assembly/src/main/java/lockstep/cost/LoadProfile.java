package lockstep.cost;

import java.nio.file.Path;

/**
 * How much a landscape is used. What stands here is of each front door, service or database while it is in use; services and databases keep to their least and most.
 *
 * @param hoursPerDay       of use; in the others nobody comes
 * @param databaseUnits     Aurora capacity units, on average
 * @param readsPerRequest   that reach the database's storage
 * @param lookSeconds       that a look of the watch takes for each shard
 */
public record LoadProfile(String name, double hoursPerDay, double requestsPerSecond, double kilobytesPerAnswer, double logBytesPerRequest, double tasks, double databaseUnits,
        double databaseGigabytes, double readsPerRequest, double bucketGigabytes, double lookSeconds) {
    static final double HOURS = 730;

    public static LoadProfile rest() {
        return named("rest");
    }

    /** @param name of a profile that is known, or of a file */
    public static LoadProfile named(String name) {
        var known = Settings.ofResource("loads.yaml");
        if (known.names().contains(name)) {
            return read(name, known.settings(name));
        }
        if (!java.nio.file.Files.exists(Path.of(name))) {
            throw new lockstep.project.UserFault("--load is '" + name + "': there is no such file, and no such profile; known are " + String.join(", ", known.names()));
        }
        return read(name, Settings.ofFile(Path.of(name)));
    }

    private static LoadProfile read(String name, Settings settings) {
        var profile = new LoadProfile(name, settings.number("hoursPerDay", 0, 24), settings.number("requestsPerSecond", 0, 1e6), settings.number("kilobytesPerAnswer", 0, 1e6),
                settings.number("logBytesPerRequest", 0, 1e6), settings.number("tasks", 1, 1e4), settings.number("databaseUnits", 0.5, 256), settings.number("databaseGigabytes", 0, 131_072),
                settings.number("readsPerRequest", 0, 1e6), settings.number("bucketGigabytes", 0, 1e6), settings.number("lookSeconds", 0, 900));
        settings.end();
        return profile;
    }

    /** In a month. */
    double hoursInUse() {
        return HOURS * hoursPerDay / 24;
    }

    double hoursIdle() {
        return HOURS - hoursInUse();
    }

    /** Of one front door in a month. */
    double requests() {
        return requestsPerSecond * 3600 * hoursInUse();
    }

    double gigabytesOut() {
        return requests() * kilobytesPerAnswer / 1e6;
    }
}
