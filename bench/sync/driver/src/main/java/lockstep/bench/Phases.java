package lockstep.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;

/** Measures the elapsed time and CPU time of each phase of a run, and the totals of this process. */
final class Phases {
    /** The duration in seconds of a phase, and the CPU time of this process during it. */
    record Spent(double seconds, double engine) {
        Spent plus(Spent again) {
            return new Spent(seconds + again.seconds, engine + again.engine);
        }
    }

    private final Map<String, Object> results = new LinkedHashMap<>();
    private final Map<String, Spent> phases = new LinkedHashMap<>();
    private final OperatingSystemMXBean process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    <T> T time(String phase, Callable<T> work) throws Exception {
        long begun = System.nanoTime(), cpu = process.getProcessCpuTime();
        try {
            return work.call();
        } finally {
            phases.merge(phase, new Spent((System.nanoTime() - begun) / 1e9, (process.getProcessCpuTime() - cpu) / 1e9), Spent::plus);
        }
    }

    void record(String what, Object value) {
        results.put(what, value);
    }

    Map<String, Object> results() throws IOException {
        results.put("phases", phases);
        results.put("jvm", (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3
                - phases.values().stream().mapToDouble(Spent::seconds).sum());
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            results.put("rss", lines.filter(l -> l.startsWith("VmHWM:")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) << 10)
                    .findFirst().orElse(-1));
        }
        return results;
    }
}
