package lockstep.clinic;

/** Whom an installation is for: customers, or visitors who want to try the product. */
public enum Edition {
    PRODUCTION, DEMO
}
