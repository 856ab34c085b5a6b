package lockstep.masterdata.handler;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The memory that this process has needed. */
final class Memory {
    private Memory() {}

    /** Peak resident set in MiB, from Linux's /proc; -1 where there is none. */
    static long peakMebibytes() {
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(l -> l.startsWith("VmHWM:")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) / 1024).findFirst().orElse(-1);
        } catch (IOException e) {
            return -1;
        }
    }
}
