package lockstep.cost;

import java.nio.file.Path;

/**
 * The load of a landscape. The values are for each front door, service or database while it is in use; services and databases keep to their
 * minimum and maximum.
 *
 * @param hoursPerDay       the hours of use; there is no load in the others
 * @param databaseUnits     the average Aurora capacity units
 * @param readsPerRequest   the reads of a request that reach the database storage
 * @param lookSeconds       the seconds that a check of the watch takes for each shard
 */
public record LoadProfile(String name, double hoursPerDay, double requestsPerSecond, double kilobytesPerAnswer, double logBytesPerRequest,
        double tasks, double databaseUnits,
        double databaseGigabytes, double readsPerRequest, double bucketGigabytes, double lookSeconds) {
    static final double HOURS = 730;

    public static LoadProfile rest() {
        return named("rest");
    }

    /** @param name a built-in profile, or a file */
    public static LoadProfile named(String name) {
        var known = Settings.ofResource("loads.yaml");
        if (known.names().contains(name)) return read(name, known.settings(name));
        if (!java.nio.file.Files.exists(Path.of(name))) {
            throw new lockstep.project.UserFault(
                    "--load is '" + name + "', which is neither a file nor a profile; the profiles are "
                            + String.join(", ", known.names()));
        }
        return read(name, Settings.ofFile(Path.of(name)));
    }

    private static LoadProfile read(String name, Settings settings) {
        var profile = new LoadProfile(name, settings.number("hoursPerDay", 0, 24), settings.number("requestsPerSecond", 0, 1e6),
                settings.number("kilobytesPerAnswer", 0, 1e6),
                settings.number("logBytesPerRequest", 0, 1e6), settings.number("tasks", 1, 1e4), settings.number("databaseUnits", 0.5, 256),
                settings.number("databaseGigabytes", 0, 131_072),
                settings.number("readsPerRequest", 0, 1e6), settings.number("bucketGigabytes", 0, 1e6),
                settings.number("lookSeconds", 0, 900));
        settings.end();
        return profile;
    }

    /** The hours of use in a month. */
    double hoursInUse() {
        return HOURS * hoursPerDay / 24;
    }

    double hoursIdle() {
        return HOURS - hoursInUse();
    }

    /** The requests of one front door in a month. */
    double requests() {
        return requestsPerSecond * 3600 * hoursInUse();
    }

    double gigabytesOut() {
        return requests() * kilobytesPerAnswer / 1e6;
    }
}
