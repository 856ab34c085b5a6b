package lockstep.cli;

/** Options or arguments of the running command that do not fit. {@link Main} prints the command's usage with the message. */
final class WrongUsage extends RuntimeException {
    WrongUsage(String message) {
        super(message);
    }
}
