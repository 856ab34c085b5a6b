package lockstep.cli.console;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import lockstep.cli.sync.Run;
import lockstep.cli.sync.SyncState;
import lockstep.cli.sync.SyncState.Outcome;

/** Where things lie in the page's drawings. Across, all is in percent: a drawing is as wide as its page, and its text keeps its size. */
public final class Plot {
    /** States as they follow each other, of the dump and of a shard; the legend has them in this order. */
    private static final List<String> DUMP = List.of("snapshot", "parts", "seal");
    private static final List<String> SHARD = List.of("preflight", "staging", "publish");
    /** Room for half a point at either side. */
    private static final double MARGIN = 2;
    private static final double HEIGHT = 120;
    private static final double TOP = 10;

    private Plot() {}

    /** @param x and {@code width}: percent */
    public record Segment(String state, double seconds, String x, String width) {}

    /** @param seconds of all segments */
    public record Bar(String subject, double seconds, List<Segment> segments) {}

    /** The time that the dump and each shard spent in each state, all to one scale. States of which no time is known yet have none. */
    public static List<Bar> bars(SyncState state) {
        var all = new ArrayList<Bar>();
        double longest = state.shards().stream().mapToDouble(s -> sum(s.seconds(), SHARD)).max().orElse(0);
        longest = Math.max(longest, sum(state.dump().seconds(), DUMP));
        if (longest <= 0) return List.of();
        if (sum(state.dump().seconds(), DUMP) > 0) all.add(bar("dump", state.dump().seconds(), DUMP, longest));
        for (var shard : state.shards())
            if (sum(shard.seconds(), SHARD) > 0) all.add(bar(shard.shard(), shard.seconds(), SHARD, longest));
        return all;
    }

    private static Bar bar(String subject, Map<String, Double> seconds, List<String> states, double longest) {
        var segments = new ArrayList<Segment>();
        double at = 0;
        for (String state : states) {
            double took = Math.max(0, seconds.getOrDefault(state, 0.0));
            if (took > 0) segments.add(new Segment(state, took, percent(100 * at / longest), percent(100 * took / longest)));
            at += took;
        }
        return new Bar(subject, at, segments);
    }

    private static double sum(Map<String, Double> seconds, List<String> states) {
        return states.stream().mapToDouble(s -> Math.max(0, seconds.getOrDefault(s, 0.0))).sum();
    }

    /** @param y pixels from the top */
    public record Point(Run run, String x, String y) {}

    /** @param longest seconds at the top of the plot */
    public record History(List<Point> points, Instant from, Instant to, double longest) {
        public boolean drawn() {
            return points.size() > 1;
        }
    }

    /** Runs that have ended, the oldest first: when each began, and how long it took. */
    public static History history(List<Run> runs) {
        var ended = runs.stream().filter(r -> !r.running()).sorted(java.util.Comparator.comparing(Run::started)).toList();
        if (ended.isEmpty()) return new History(List.of(), Instant.EPOCH, Instant.EPOCH, 0);
        Instant from = ended.getFirst().started();
        Instant to = ended.getLast().started();
        double span = Math.max(1, Duration.between(from, to).toMillis());
        double longest = Math.max(0.001, ended.stream().mapToDouble(r -> r.state().seconds()).max().orElse(0));
        var points = ended.stream().map(r -> new Point(r, percent(MARGIN + (100 - 2 * MARGIN) * Duration.between(from, r.started()).toMillis() / span),
                String.format(Locale.ROOT, "%.1f", TOP + HEIGHT * (1 - Math.max(0, r.state().seconds()) / longest)))).toList();
        return new History(points, from, to, longest);
    }

    /** Of a point, for the style; colour is never alone in telling: failures are drawn otherwise, too. */
    public static String looks(Run run) {
        return run.state().outcome() == Outcome.failed ? "failed" : run.kind().name();
    }

    private static String percent(double value) {
        return String.format(Locale.ROOT, "%.2f%%", value);
    }
}
