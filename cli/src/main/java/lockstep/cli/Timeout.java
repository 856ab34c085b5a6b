package lockstep.cli;

import java.time.Instant;
import picocli.CommandLine.Option;

/** The option that limits how long a command waits for what it started. */
class Timeout {
    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "1800",
            description = "How long to wait (default: ${DEFAULT-VALUE}).") private long timeout;

    /** @throws WrongUsage if the timeout is not positive */
    void check() {
        if (timeout <= 0) throw new WrongUsage("--timeout takes a number of seconds above 0, not " + timeout);
    }

    /** Returns the deadline, counted from now. */
    Instant deadline() {
        return Instant.now().plusSeconds(timeout);
    }
}
