package lockstep.clinic.configuration;

/** Whom an installation is for: customers, or visitors who want to try the product. */
public enum Edition {
    PRODUCTION, DEMO
}
