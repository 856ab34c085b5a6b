package lockstep.clinic.configuration;

/** The audience of an installation: customers, or visitors who want to try the product. */
public enum Edition {
    PRODUCTION, DEMO
}
