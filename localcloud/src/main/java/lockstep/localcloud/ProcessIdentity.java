package lockstep.localcloud;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import lockstep.project.UserFault;

/** Identifies a process by pid and start time, so that a reused pid is not mistaken for it. */
public record ProcessIdentity(long pid, Instant startedAt) {
    /** The kernel measures start times from boot, and the boot time is sometimes adjusted. */
    private static final Duration TOLERANCE = Duration.ofSeconds(2);

    static ProcessIdentity of(ProcessHandle process) {
        return new ProcessIdentity(process.pid(), process.info().startInstant()
                .orElseThrow(() -> new UserFault("process " + process.pid() + " ended at once")));
    }

    public Optional<ProcessHandle> running() {
        return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).filter(process -> process.info().startInstant()
                .map(start -> Duration.between(start, startedAt).abs().compareTo(TOLERANCE) <= 0).orElse(false))
                .filter(process -> !stat(process)[0].equals("Z"));
    }

    /** @param name the signal name without SIG; Java itself supports only TERM and KILL */
    public void signal(String name) {
        if (running().isEmpty()) {
            return;
        }
        try {
            new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid).redirectErrorStream(true).start().waitFor();
        } catch (IOException e) {
            throw new UserFault("cannot signal process " + pid + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserFault("interrupted", e);
        }
    }

    /** Returns the processes of the group that this process leads. */
    List<ProcessHandle> group() {
        return ProcessHandle.allProcesses().filter(process -> {
            var stat = stat(process);
            return stat[2].equals(String.valueOf(pid)) && !stat[0].equals("Z");
        }).toList();
    }

    /**
     * Reads state, parent and group from /proc, because ps is not always installed. Zombies count as ended, because init does not reap on
     * every machine.
     */
    private static String[] stat(ProcessHandle process) {
        try {
            String stat = Files.readString(Path.of("/proc", String.valueOf(process.pid()), "stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        } catch (IOException ended) {
            return new String[]{"Z", "", ""};
        }
    }
}
