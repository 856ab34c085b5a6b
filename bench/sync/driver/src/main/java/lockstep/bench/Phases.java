package lockstep.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;

/** What each phase of a run took, in seconds, and what this process needed in all. */
final class Phases {
    private final Map<String, Object> told = new LinkedHashMap<>();
    private final Map<String, Double> seconds = new LinkedHashMap<>();

    <T> T time(String phase, Callable<T> work) throws Exception {
        long begun = System.nanoTime();
        try {
            return work.call();
        } finally {
            seconds.put(phase, (System.nanoTime() - begun) / 1e9);
        }
    }

    void tell(String what, Object value) {
        told.put(what, value);
    }

    Map<String, Object> told() throws IOException {
        told.put("phases", seconds);
        var runtime = ManagementFactory.getRuntimeMXBean();
        told.put("jvm", (System.currentTimeMillis() - runtime.getStartTime()) / 1e3 - seconds.values().stream().mapToDouble(Double::doubleValue).sum());
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            told.put("rss", lines.filter(l -> l.startsWith("VmHWM:")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) << 10).findFirst().orElse(-1));
        }
        return told;
    }
}
