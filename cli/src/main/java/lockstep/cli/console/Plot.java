package lockstep.cli.console;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;
import lockstep.sync.Run;
import lockstep.sync.SyncState.Outcome;
import lockstep.sync.SyncState;

/** Where things lie in the page's drawings. Across, all is in percent: a drawing is as wide as its page, and its text keeps its size. */
public final class Plot {
    /** Pixels of the history, to its axis. */
    public static final int HEIGHT = 150;
    /** States as they follow each other, of the dump and of a shard: the first, second and third shade of a bar. */
    private static final List<String> DUMP = List.of("snapshot", "parts", "seal");
    private static final List<String> SHARD = List.of("preflight", "staging", "publish");
    private static final List<String> SHADES = List.of("first", "second", "third");
    /** Room for the label of the topmost line. */
    private static final double TOP = 20;
    /** Percent from one column to the next; fewer runs do not fill the drawing. */
    private static final double WIDEST = 7;
    private static final double LEAST_HEIGHT = 3;

    private Plot() {}

    /** @param x and {@code width}: percent */
    public record Segment(String state, String looks, double seconds, String x, String width) {}

    /** The time that the dump or a shard spent in each state; none of which no time is known yet. */
    public record Bar(List<Segment> segments) {
        public double seconds() {
            return segments.stream().mapToDouble(Segment::seconds).sum();
        }
    }

    /** The seconds that are as wide as a bar can be, the same for all bars of a sync; 0 while no time is known. */
    public static double scale(SyncState state) {
        return Math.max(sum(state.dump().seconds(), DUMP), state.shards().stream().mapToDouble(s -> sum(s.seconds(), SHARD)).max().orElse(0));
    }

    public static Bar bar(SyncState.Dump dump, double scale) {
        return bar(dump.seconds(), DUMP, scale);
    }

    public static Bar bar(SyncState.Shard shard, double scale) {
        return bar(shard.seconds(), SHARD, scale);
    }

    private static Bar bar(Map<String, Double> seconds, List<String> states, double scale) {
        var segments = new ArrayList<Segment>();
        double at = 0;
        for (int i = 0; i < states.size(); i++) {
            double took = took(seconds, states.get(i));
            if (took > 0) segments.add(new Segment(states.get(i), SHADES.get(i), took, percent(100 * at / scale), percent(100 * took / scale)));
            at += took;
        }
        return new Bar(segments);
    }

    private static double sum(Map<String, Double> seconds, List<String> states) {
        return states.stream().mapToDouble(s -> took(seconds, s)).sum();
    }

    /** Clocks of two machines may put an end before its beginning. */
    private static double took(Map<String, Double> seconds, String state) {
        return Math.max(0, seconds.getOrDefault(state, 0.0));
    }

    /** @param x and {@code width}: percent; {@code y} and {@code height}: pixels */
    public record Column(Run run, String x, String width, String y, String height) {}

    /** @param y pixels from the top */
    public record Line(String label, String y) {}

    public record History(List<Column> columns, List<Line> lines, Instant from, Instant to) {
        public boolean drawn() {
            return columns.size() > 1;
        }
    }

    /** Runs that have ended, one beside the other, the oldest first; as high as they took long. */
    public static History history(List<Run> runs) {
        var ended = runs.stream().filter(r -> !r.running()).sorted(Comparator.comparing(Run::started)).toList();
        if (ended.isEmpty()) return new History(List.of(), List.of(), Instant.EPOCH, Instant.EPOCH);
        double step = step(ended.stream().mapToDouble(Plot::seconds).max().orElse(0) / 2);
        double top = step * Math.ceil(ended.stream().mapToDouble(Plot::seconds).max().orElse(0) / step);
        double slot = Math.min(WIDEST, 100.0 / ended.size());
        var columns = new ArrayList<Column>();
        for (int i = 0; i < ended.size(); i++) {
            double height = Math.max(LEAST_HEIGHT, (HEIGHT - TOP) * seconds(ended.get(i)) / top);
            columns.add(new Column(ended.get(i), percent(i * slot), percent(0.75 * slot), pixels(HEIGHT - height), pixels(height)));
        }
        var lines = DoubleStream.iterate(0, v -> v <= top + step / 2, v -> v + step).mapToObj(v -> new Line(v == 0 ? "" : Words.round(v, step), pixels(HEIGHT - (HEIGHT - TOP) * v / top))).toList();
        return new History(columns, lines, ended.getFirst().started(), ended.getLast().started());
    }

    private static double seconds(Run run) {
        return Math.max(0, run.state().seconds());
    }

    /** Seconds between two lines that people count by: not more than this, but for the smallest. */
    private static double step(double most) {
        double step = 1;
        for (double round : new double[] {2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000, 36000})
            if (round <= most) step = round;
        return step;
    }

    /** Of a column, for the style; colour is never alone in telling: failures are drawn hollow. */
    public static String looks(Run run) {
        return run.state().outcome() == Outcome.failed ? "failed" : run.kind().name();
    }

    private static String percent(double value) {
        return String.format(Locale.ROOT, "%.2f%%", value);
    }

    private static String pixels(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
