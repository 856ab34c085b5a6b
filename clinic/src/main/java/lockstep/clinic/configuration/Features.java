package lockstep.clinic.configuration;

import java.util.Objects;

/**
 * What an edition does. The application asks nothing else to know what to offer, so two of these compared are the difference
 * between two editions.
 *
 * @param signUp            visitors make a tenant of their own, filled with generated data
 * @param demoNotice        the login page says that this is a demo and where to sign up, again after a failed login
 * @param inquiries         a form to ask sales or to book a meeting, reachable from every page
 * @param banner            every page warns not to enter real patients, and tells the freshness of the master data
 * @param tenantExpiry      tenants that visitors made are deleted when nobody has used them for a while
 * @param clientCertificate pages show whose client certificate the browser presented
 */
public record Features(boolean signUp, boolean demoNotice, boolean inquiries, boolean banner, boolean tenantExpiry, boolean clientCertificate) {
    public static Features of(Edition edition) {
        Objects.requireNonNull(edition);
        return switch (edition) {
            case PRODUCTION -> new Features(false, false, false, false, false, true);
            case DEMO -> new Features(true, true, true, true, true, false);
        };
    }
}
