package lockstep.localcloud;

import lockstep.project.Progress;

/** Brings every target shard in step at the end of {@code up}; does nothing for those that are. */
@FunctionalInterface
public interface FirstSync {
    void run(LocalCloud cloud, Progress progress);
}
