package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import lockstep.infra.Scale.Kind;
import lockstep.infra.Scale.Landscape;
import lockstep.infra.Scale.Simulated;
import lockstep.landscape.LandscapeReader;
import org.junit.jupiter.api.Test;

/** docs/scale.md has the numbers of the current definitions. {@code bench/scale/run} updates them. */
class ScaleTest {
    private static final Path PAGE = Path.of("..", "docs", "scale.md");
    private static final String BEGIN = "<!-- written by bench/scale/run, from here -->\n";
    private static final String END = "<!-- to here -->\n";
    private static final Scale SCALE = scale(0);
    /** The row size of the shipped data. */
    private static final double SMALL = 0.04;

    private static Scale scale(int shardsAtOnce) {
        var dataSet = LandscapeReader.read(Path.of("..", "lockstep.yaml")).dataSets().getFirst();
        return new Scale(WorkflowTest.machine("production-master-data-source", "Dump"),
                WorkflowTest.machine("demo-master-data-target", "Restore"), dataSet, shardsAtOnce);
    }

    @Test
    void pageHasTheNumbersOfTheseDefinitions() throws IOException {
        String numbers = String.join("\n", numbers()) + "\n";
        String page = Files.readString(PAGE);
        int begin = page.indexOf(BEGIN) + BEGIN.length();
        if (Boolean.getBoolean("scale.update")) {
            Files.writeString(PAGE, page.substring(0, begin) + "\n" + numbers + "\n" + page.substring(page.indexOf(END)));
            System.out.println(numbers);
        }
        page = Files.readString(PAGE);
        assertEquals("\n" + numbers + "\n", page.substring(begin, page.indexOf(END)), "bench/scale/run, when this was meant");
    }

    /** An account with a thousand shards passes all states, and shards whose databases are down don't block others. */
    @Test
    void aThousandShardsGoThrough() {
        var all = SCALE.simulate(new Landscape(1, 1000, 0, SMALL, Kind.ONE_PERCENT));
        assertEquals("verified", all.outcome());
        var broken = SCALE.simulate(new Landscape(1, 1000, 30, SMALL, Kind.ONE_PERCENT));
        assertEquals("verified in all others", broken.outcome());
        assertEquals(30, broken.restore().failures.get("Preflight: lockstep.masterdata.engine.Fault$DatabaseUnavailable"));
        assertTrue(broken.restore().seconds < all.restore().seconds + 120,
                () -> broken.restore().seconds + " s instead of " + all.restore().seconds);
    }

    private static List<String> numbers() {
        var lines = new ArrayList<String>();
        lines.add(
                "| accounts × shards | data set | sync | ends as | dump | restore | largest state | events | functions at once | "
                        + "transitions | US$ |");
        lines.add("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        for (var landscape : List.of(
                new Landscape(1, 100, 0, SMALL, Kind.ONE_PERCENT), new Landscape(10, 100, 0, SMALL, Kind.ONE_PERCENT),
                new Landscape(1, 1000, 0, SMALL, Kind.NOTHING), new Landscape(1, 1000, 0, SMALL, Kind.ONE_PERCENT),
                new Landscape(1, 1000, 30, SMALL, Kind.ONE_PERCENT), new Landscape(10, 100, 0, 1, Kind.FIRST),
                new Landscape(10, 100, 0, 1, Kind.ONE_PERCENT), new Landscape(1, 1000, 0, 1, Kind.FIRST),
                new Landscape(1, 1000, 0, 1, Kind.ONE_PERCENT),
                new Landscape(1, 1, 0, 30, Kind.FIRST), new Landscape(1, 1, 0, 90, Kind.ONE_PERCENT),
                new Landscape(1, 1, 0, 1000, Kind.FIRST), new Landscape(1, 1, 0, 1000, Kind.ONE_PERCENT)))
            lines.add(row(SCALE.simulate(landscape)));
        lines.add("");
        lines.add("| | the most | then |");
        lines.add("| --- | --- | --- |");
        int shards = SCALE.mostShards();
        lines.add("| shards of one account, by what states pass on and by history | %,d | %s |".formatted(shards,
                SCALE.simulate(new Landscape(1, shards + 1, 0, SMALL, Kind.ONE_PERCENT)).outcome()));
        for (var kind : List.of(Kind.FIRST, Kind.ONE_PERCENT)) {
            double most = SCALE.largest(kind);
            lines.add(String.format(Locale.ROOT, "| data set, %s | %.0f GB | %s |", kind.told, most,
                    SCALE.simulate(new Landscape(1, 1, 0, most * 1.02, kind)).outcome()));
        }
        lines.add("");
        lines.add("| 1,000 shards of one account, 1 GB, first sync, side by side | restore | functions at once |");
        lines.add("| --- | --- | --- |");
        for (int atOnce : List.of(4, 10, 40)) {
            var simulated = scale(atOnce).simulate(new Landscape(1, 1000, 0, 1, Kind.FIRST));
            lines.add("| %d shards | %s | %d |".formatted(atOnce, time(simulated.restore().seconds),
                    simulated.restore().mostFunctionsAtOnce));
        }
        lines.add("");
        lines.addAll(asked(SCALE.simulate(new Landscape(10, 100, 0, 1, Kind.FIRST))));
        return lines;
    }

    private static String row(Simulated simulated) {
        var landscape = simulated.landscape();
        var dump = simulated.dump();
        var restore = simulated.restore();
        var fuller = restore == null || dump.mostBytes > restore.mostBytes ? dump : restore;
        var cells = new ArrayList<>(List.of(
                "%d × %,d%s".formatted(landscape.accounts(), landscape.shards(),
                        landscape.broken() == 0 ? "" : ", %d broken".formatted(landscape.broken())),
                landscape.gb() < 1 ? "%.0f MB".formatted(1000 * landscape.gb()) : "%,.0f GB".formatted(landscape.gb()),
                landscape.kind().told, simulated.outcome(),
                time(dump.seconds)));
        cells.add(restore == null ? "–" : time(restore.seconds));
        cells.add("%,.0f KiB, %s".formatted(fuller.mostBytes / 1024.0, fuller.mostBytesIn));
        cells.add("%,d".formatted(Math.max(dump.events, restore == null ? 0 : restore.events)));
        cells.add(restore == null ? "%d".formatted(dump.mostFunctionsAtOnce) : "%,d".formatted(restore.mostFunctionsAtOnce));
        cells.add(restore == null ? "–" : "%,d".formatted(dump.transitions + landscape.accounts() * restore.transitions));
        cells.add(restore == null ? "–"
                : String.format(Locale.ROOT, "%.2f", Scale.dollars(simulated).values().stream().mapToDouble(d -> d).sum()));
        return "| " + String.join(" | ", cells) + " |";
    }

    /** Requests to each service, in terms of its quotas. */
    private static List<String> asked(Simulated simulated) {
        var restore = simulated.restore();
        var dollars = Scale.dollars(simulated);
        var lines = new ArrayList<String>();
        lines.add("| asked by the first sync of 1 GB into 10 × 100 shards | |");
        lines.add("| --- | --- |");
        lines.add("| Step Functions: state transitions a second in an account, on average | %.0f |"
                .formatted(restore.transitions / restore.seconds));
        lines.add("| Step Functions: child executions of an account | %,d |".formatted(restore.childExecutions));
        lines.add("| Lambda: functions at once in an account | %,d |".formatted(restore.mostFunctionsAtOnce));
        lines.add("| S3: objects put; read by all accounts; read a second, on average | %,d; %,d; %,.0f |".formatted(Scale.puts(simulated),
                Scale.gets(simulated), Scale.gets(simulated) / restore.seconds));
        lines.add("| SNS: messages; SQS: messages in each account | 1; 1 |");
        lines.add(String.format(Locale.ROOT, "| US$: Lambda, Step Functions, S3 | %.2f, %.2f, %.2f |", dollars.get("Lambda"),
                dollars.get("Step Functions"), dollars.get("S3")));
        return lines;
    }

    private static String time(double seconds) {
        if (seconds >= 7200) return String.format(Locale.ROOT, "%.1f h", seconds / 3600);
        return seconds >= 120 ? String.format(Locale.ROOT, "%.0f min", seconds / 60) : String.format(Locale.ROOT, "%.0f s", seconds);
    }
}
