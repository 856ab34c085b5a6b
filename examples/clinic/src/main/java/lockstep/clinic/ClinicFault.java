package lockstep.clinic;

/** Thrown if the clinic's database can't be set up as requested. The message says what failed and, if known, how to fix it. */
public final class ClinicFault extends RuntimeException {
    ClinicFault(String message) {
        super(message);
    }

    ClinicFault(String message, Throwable cause) {
        super(message, cause);
    }
}
