package lockstep.cli;

import picocli.CommandLine.Option;

/** The options of commands that follow what they start. */
final class FollowOptions extends Timeout {
    @Option(names = "--verbose",
            description = "Print every table, shard and sync (default: totals, and those with the most rows), and causes as soon as they "
                    + "are known.") private boolean verbose;

    boolean verbose() {
        return verbose;
    }
}
