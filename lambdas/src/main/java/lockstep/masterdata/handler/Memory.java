package lockstep.masterdata.handler;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Measures the memory of this process. */
final class Memory {
    private Memory() {}

    /** Returns the peak resident set size in MiB from Linux's /proc, or -1 if it is not available. */
    static long peakMebibytes() {
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(l -> l.startsWith("VmHWM:")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) / 1024).findFirst()
                    .orElse(-1);
        } catch (IOException e) {
            return -1;
        }
    }
}
