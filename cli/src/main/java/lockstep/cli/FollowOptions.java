package lockstep.cli;

import java.time.Instant;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of commands that follow what they start. */
final class FollowOptions {
    @Spec(Spec.Target.MIXEE) private CommandSpec command;

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "1800",
            description = "How long to follow (default: ${DEFAULT-VALUE}).") private long timeout;

    @Option(names = "--verbose",
            description = "Print every table, shard and sync (default: totals, and those with the most rows), and causes as soon as they "
                    + "are known.") private boolean verbose;

    /** @throws ParameterException if the timeout is not positive */
    void check() {
        if (timeout <= 0)
            throw new ParameterException(command.commandLine(), "--timeout takes a number of seconds above 0, not " + timeout);
    }

    /** Returns the deadline, counted from now. */
    Instant deadline() {
        return Instant.now().plusSeconds(timeout);
    }

    boolean verbose() {
        return verbose;
    }
}
