package lockstep.clinic.configuration;

import java.util.Objects;

/**
 * The features of an edition. The application decides by these alone what to offer, so comparing two instances shows how two
 * editions differ.
 *
 * @param signUp            visitors can create their own tenant, filled with generated data
 * @param demoNotice        the login page says that this is a demo and where to sign up, also after a failed login
 * @param inquiries         every page links to a form for contacting sales or booking a meeting
 * @param banner            every page warns against entering real patients, whatever the proxy says, and shows the age of the master data
 * @param tenantExpiry      visitors' tenants are deleted after they have been unused for a while
 * @param clientCertificate pages show the subject of the browser's client certificate
 */
public record Features(boolean signUp, boolean demoNotice, boolean inquiries, boolean banner, boolean tenantExpiry,
        boolean clientCertificate) {
    public static Features of(Edition edition) {
        Objects.requireNonNull(edition);
        return switch (edition) {
            case PRODUCTION -> new Features(false, false, false, false, false, true);
            case DEMO -> new Features(true, true, true, true, true, false);
        };
    }
}
