package lockstep.localcloud;

import lockstep.project.Progress;

/** Syncs every target shard that is not in step at the end of {@code up}. */
@FunctionalInterface
public interface FirstSync {
    void run(LocalCloud cloud, Progress progress);
}
