package lockstep.masterdata.engine;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import lockstep.masterdata.engine.FaultTestRun.Kind;
import lockstep.masterdata.engine.FaultTestRun.Outcome;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Injects one fault at a random moment of a sync, chosen by a seed: the sync succeeds or fails clearly, the next ordinary sync succeeds,
 * and concurrent readers only ever see a state of the source. {@code -Dfaults.seed=N,…} repeats some runs, {@code -Dfaults.runs=500} sets
 * their number; the results are written to {@code target/faults.md}.
 */
@Tag("nightly")
class FaultTest {
    private static final List<Outcome> OUTCOMES = new ArrayList<>();
    private static TestingCluster sources;
    private static TestingCluster targets;
    private static TestingAws aws;
    private static FaultTestRun beginning;

    /** The kind of fault follows from the seed, so that consecutive seeds cover every kind. */
    static LongStream seeds() {
        String some = System.getProperty("faults.seed");
        return some != null ? Arrays.stream(some.split(",")).mapToLong(Long::parseLong)
                : LongStream.range(0, Integer.getInteger("faults.runs", Kind.values().length)).map(s -> s + Long.getLong("faults.from", 0));
    }

    @BeforeAll
    static void up() {
        sources = new TestingCluster();
        targets = new TestingCluster();
        aws = new TestingAws();
        beginning = FaultTestRun.beginning(sources, targets, aws, TestingWorker.at(aws.endpoint()));
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void endsInStepOrInAClearFailureThatTheNextSyncMends(long seed) {
        try (var run = beginning.withSeed(seed)) {
            assumeTrue(run.isPossible(), "only root may mount the small disk");
            Outcome outcome = run.run();
            OUTCOMES.add(outcome);
            System.out.println(outcome);
        }
    }

    @AfterAll
    static void reportAndStop() throws IOException {
        Files.write(Path.of("target/faults.md"), report());
        aws.close();
        sources.close();
        targets.close();
    }

    private static List<String> report() {
        var lines = new ArrayList<>(
                List.of("| fault | phase | runs | struck | in step at once | clear failure, fixed by the next sync | answers | wrong |",
                        "| --- | --- | --- | --- | --- | --- | --- | --- |"));
        var byPoint = OUTCOMES.stream().collect(Collectors.groupingBy(t -> t.kind() + " | " + t.phase(),
                () -> new TreeMap<>(java.util.Comparator.comparingInt((String key) -> Kind.valueOf(key.split(" ")[0]).ordinal())
                        .thenComparingInt(key -> FaultTestRun.Phase.valueOf(key.split(" ")[2]).ordinal())),
                Collectors.toList()));
        byPoint.forEach((point, outcomes) -> lines.add(line(point, outcomes)));
        lines.add(line("all | ", OUTCOMES));
        return lines;
    }

    private static String line(String point, List<Outcome> outcomes) {
        var faults = outcomes.stream().flatMap(t -> t.fault().stream())
                .collect(Collectors.groupingBy(f -> f, TreeMap::new, Collectors.counting()));
        return "| " + point + " | " + outcomes.size() + " | " + outcomes.stream().filter(Outcome::struck).count() + " | "
                + outcomes.stream().map(Outcome::fault).filter(Optional::isEmpty).count() + " | "
                + faults.entrySet().stream().map(f -> f.getValue() + " " + f.getKey()).collect(Collectors.joining(", ")) + " | "
                + outcomes.stream().mapToLong(Outcome::answers).sum() + " | " + outcomes.stream().mapToLong(Outcome::wrong).sum() + " |";
    }
}
