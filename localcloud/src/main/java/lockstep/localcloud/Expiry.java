package lockstep.localcloud;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.localcloud.CloudState.ContainerState;
import lockstep.localcloud.CloudState.TaskState;
import lockstep.localcloud.TemporaryShards.TemporaryShard;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;

/**
 * Removes a temporary shard when it expires: a small process that polls the clock and then runs {@code lockstep shard expire}. If the
 * machine sleeps or is off at that time, it runs afterwards. {@code down} stops the process and {@code up} starts it again.
 */
final class Expiry {
    /** Polls the clock, because a long sleep does not count the time while the machine is suspended. */
    private static final String SCRIPT = "until [ \"$(date +%s)\" -ge \"$1\" ]; do sleep 10; done; shift; until \"$@\"; do sleep 30; done";

    private Expiry() {}

    /** Starts the process, unless it is running. */
    static void ensure(ProjectFiles files, CloudState.Store store, TemporaryShard shard, Path declared) {
        var known = Optional.ofNullable(store.read().tasks().get(name(shard.name())));
        String fingerprint = shard.expires().toString();
        if (known.isPresent() && known.get().fingerprint().equals(fingerprint)
                && known.get().containers().getFirst().process().running().isPresent()) {
            return;
        }
        end(files, store, shard.name());
        var line = new ArrayList<>(List.of("sh", "-c", SCRIPT, "expiry", String.valueOf(shard.expires().getEpochSecond())));
        line.addAll(List.of(System.getProperty("java.home") + "/bin/java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "-Dlockstep.root=" + files.project(),
                "-Dlockstep.tools=" + files.tools(), "-cp", System.getProperty("java.class.path"), "lockstep.cli.Main", "--landscape",
                declared.toString(), "shard", "expire"));
        var environment = Command.cleanEnvironment(files);
        environment.putAll(Map.of("LOCKSTEP_HOME", files.home().toString(), "LOCKSTEP_BUILT", "yes"));
        var process = new Command(line, files.home(), environment, files.log(name(shard.name()))).detached(files).start();
        store.update(state -> state.withTask(name(shard.name()), new TaskState(fingerprint, List.of(
                new ContainerState("expiry", ProcessIdentity.of(process.toHandle()), "TERM", 5)))));
    }

    /** Stops the process. If this command is its child, the process ends by itself. */
    static void end(ProjectFiles files, CloudState.Store store, String shard) {
        var known = store.read().tasks().get(name(shard));
        if (known == null) {
            return;
        }
        if (isAncestor(known.containers().getFirst().process().pid())) {
            store.update(state -> state.withoutTask(name(shard)));
        } else {
            LocalTask.stop(files, store, name(shard));
        }
    }

    private static String name(String shard) {
        return "expiry-" + shard;
    }

    private static boolean isAncestor(long pid) {
        for (var ancestor = Optional.of(ProcessHandle.current()); ancestor.isPresent(); ancestor = ancestor.get().parent()) {
            if (ancestor.get().pid() == pid) {
                return true;
            }
        }
        return false;
    }
}
