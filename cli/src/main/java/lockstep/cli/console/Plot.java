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

/**
 * Calculates the geometry of the drawings. Horizontal values are percentages, so that a drawing is as wide as the page and its text keeps
 * its size.
 */
public final class Plot {
    /** The height of the history down to its axis, in pixels. */
    public static final int HEIGHT = 150;
    /** The states of the dump and of a shard in order; they are the first, second and third shade of a bar. */
    private static final List<String> DUMP = List.of("snapshot", "parts", "seal");
    private static final List<String> SHARD = List.of("preflight", "staging", "publish");
    private static final List<String> SHADES = List.of("first", "second", "third");
    /** Space for the label of the top line. */
    private static final double TOP = 20;
    /** The maximum distance between columns, in percent; few runs do not fill the drawing. */
    private static final double WIDEST = 7;
    private static final double LEAST_HEIGHT = 3;

    private Plot() {}

    /** @param x in percent, like {@code width} */
    public record Segment(String state, String looks, double seconds, String x, String width) {}

    /** The time that the dump or a shard spent in each state, without states whose time is unknown. */
    public record Bar(List<Segment> segments) {
        public double seconds() {
            return segments.stream().mapToDouble(Segment::seconds).sum();
        }
    }

    /** Returns the seconds at full width, the same for all bars of a sync; 0 if no time is known yet. */
    public static double scale(SyncState state) {
        return Math.max(sum(state.dump().seconds(), DUMP),
                state.shards().stream().mapToDouble(s -> sum(s.seconds(), SHARD)).max().orElse(0));
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
            double duration = duration(seconds, states.get(i));
            if (duration > 0) segments
                    .add(new Segment(states.get(i), SHADES.get(i), duration, percent(100 * at / scale), percent(100 * duration / scale)));
            at += duration;
        }
        return new Bar(segments);
    }

    private static double sum(Map<String, Double> seconds, List<String> states) {
        return states.stream().mapToDouble(s -> duration(seconds, s)).sum();
    }

    /** Returns a non-negative duration, because the clocks of two machines may put the end before the start. */
    private static double duration(Map<String, Double> seconds, String state) {
        return Math.max(0, seconds.getOrDefault(state, 0.0));
    }

    /** @param x in percent, like {@code width}; {@code y} and {@code height} are in pixels */
    public record Column(Run run, String x, String width, String y, String height) {}

    /** @param y the distance from the top in pixels */
    public record Line(String label, String y) {}

    public record History(List<Column> columns, List<Line> lines, Instant from, Instant to) {
        public boolean drawn() {
            return columns.size() > 1;
        }
    }

    /** Returns a column for each ended run, oldest first, with a height proportional to its duration. */
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
        var lines = DoubleStream.iterate(0, v -> v <= top + step / 2, v -> v + step)
                .mapToObj(v -> new Line(v == 0 ? "" : Words.round(v, step), pixels(HEIGHT - (HEIGHT - TOP) * v / top))).toList();
        return new History(columns, lines, ended.getFirst().started(), ended.getLast().started());
    }

    private static double seconds(Run run) {
        return Math.max(0, run.state().seconds());
    }

    /** Returns the largest round number of seconds that is at most the given one, but at least 1. */
    private static double step(double most) {
        double step = 1;
        for (double round : new double[]{2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000, 36000})
            if (round <= most) step = round;
        return step;
    }

    /** Returns the style of a column. Failures are drawn hollow, so that color is not the only sign. */
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
