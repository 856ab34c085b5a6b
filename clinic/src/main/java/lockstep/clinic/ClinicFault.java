package lockstep.clinic;

/** The clinic's database could not be brought to the state asked for; the message says what failed and, where known, the fix. */
public final class ClinicFault extends RuntimeException {
    ClinicFault(String message) {
        super(message);
    }

    ClinicFault(String message, Throwable cause) {
        super(message, cause);
    }
}
