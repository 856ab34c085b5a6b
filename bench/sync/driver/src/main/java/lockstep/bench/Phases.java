package lockstep.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** Measures the elapsed time and CPU time of each phase of a run, and the totals of this process. */
final class Phases {
    /**
     * Times in seconds: the start of the phase since 1970, its duration, and the CPU time of this process and of each server during the
     * phase.
     */
    record Spent(double began, double seconds, double engine, double source, double target) {
        Spent plus(Spent again) {
            return new Spent(began, seconds + again.seconds, engine + again.engine, source + again.source, target + again.target);
        }
    }

    private static final double TICK = 0.01;
    private final Map<String, Object> results = new LinkedHashMap<>();
    private final Map<String, Spent> phases = new LinkedHashMap<>();
    private final List<Long> servers;

    /** @param servers process ids of the source's and the target's server */
    Phases(String servers) {
        this.servers = Arrays.stream(servers.split(",")).map(Long::valueOf).toList();
    }

    <T> T time(String phase, Callable<T> work) throws Exception {
        double[] before = now();
        double began = System.currentTimeMillis() / 1e3;
        try {
            return work.call();
        } finally {
            double[] after = now();
            phases.merge(phase, new Spent(began, after[0] - before[0], after[1] - before[1], after[2] - before[2], after[3] - before[3]),
                    Spent::plus);
        }
    }

    private double[] now() {
        var process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return new double[]{System.nanoTime() / 1e9, process.getProcessCpuTime() / 1e9, serverSeconds(servers.get(0)),
                serverSeconds(servers.get(1))};
    }

    /** CPU seconds of the server's process and its children, including those that have exited. */
    private static double serverSeconds(long server) {
        try (var processes = Files.list(Path.of("/proc"))) {
            return TICK * processes.filter(p -> Character.isDigit(p.getFileName().toString().charAt(0))).mapToLong(p -> {
                String[] fields = stat(p);
                boolean itself = p.getFileName().toString().equals(Long.toString(server));
                if (fields.length == 0 || !itself && !fields[1].equals(Long.toString(server))) return 0;
                long own = Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
                return itself ? own + Long.parseLong(fields[13]) + Long.parseLong(fields[14]) : own;
            }).sum();
        } catch (IOException e) {
            return 0;
        }
    }

    /** The fields of /proc/PID/stat after the name; empty if the process has exited. */
    private static String[] stat(Path process) {
        try {
            String line = Files.readString(process.resolve("stat"));
            return line.substring(line.lastIndexOf(')') + 2).split(" ");
        } catch (IOException e) {
            return new String[0];
        }
    }

    void record(String what, Object value) {
        results.put(what, value);
    }

    Map<String, Object> results() throws IOException {
        results.put("phases", phases);
        results.put("jvm", (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3
                - phases.values().stream().mapToDouble(Spent::seconds).sum());
        results.put("cpu", now()[1]);
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            results.put("rss", lines.filter(l -> l.startsWith("VmHWM:")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) << 10)
                    .findFirst().orElse(-1));
        }
        return results;
    }
}
