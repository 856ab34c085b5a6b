package lockstep.cli.cloud;

import lockstep.cli.Progress;

/** Brings every target shard in step at the end of {@code up}; does nothing for those that are. */
@FunctionalInterface
public interface FirstSync {
    void run(LocalCloud cloud, Progress progress);
}
