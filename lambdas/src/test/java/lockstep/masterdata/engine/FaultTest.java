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
import lockstep.masterdata.engine.FaultTestRun.Told;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * One fault at a random moment of a sync, by seed: it ends in step or in a clear failure, the next ordinary sync is in step, and who reads meanwhile never sees anything but
 * a state of the source. {@code -Dfaults.seed=N,…} runs some again, {@code -Dfaults.runs=500} that many; what came of them lies in {@code target/faults.md} then.
 */
@Tag("nightly")
class FaultTest {
    private static final List<Told> TOLD = new ArrayList<>();
    private static TestingCluster sources;
    private static TestingCluster targets;
    private static TestingAws aws;
    private static FaultTestRun beginning;

    /** Each kind follows from its seed: so many runs have each kind once. */
    static LongStream seeds() {
        String some = System.getProperty("faults.seed");
        return some != null ? Arrays.stream(some.split(",")).mapToLong(Long::parseLong) : LongStream.range(0, Integer.getInteger("faults.runs", Kind.values().length)).map(s -> s + Long.getLong("faults.from", 0));
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
            Told told = run.run();
            TOLD.add(told);
            System.out.println(told);
        }
    }

    @AfterAll
    static void tellAndDown() throws IOException {
        Files.write(Path.of("target/faults.md"), report());
        aws.close();
        sources.close();
        targets.close();
    }

    private static List<String> report() {
        var lines = new ArrayList<>(List.of("| fault | phase | runs | struck | in step at once | clear failure, mended by the next sync | answers | wrong |", "| --- | --- | --- | --- | --- | --- | --- | --- |"));
        var byPoint = TOLD.stream().collect(Collectors.groupingBy(t -> t.kind() + " | " + t.phase(),
                () -> new TreeMap<>(java.util.Comparator.comparingInt((String key) -> Kind.valueOf(key.split(" ")[0]).ordinal()).thenComparingInt(key -> FaultTestRun.Phase.valueOf(key.split(" ")[2]).ordinal())), Collectors.toList()));
        byPoint.forEach((point, told) -> lines.add(line(point, told)));
        lines.add(line("all | ", TOLD));
        return lines;
    }

    private static String line(String point, List<Told> told) {
        var faults = told.stream().flatMap(t -> t.fault().stream()).collect(Collectors.groupingBy(f -> f, TreeMap::new, Collectors.counting()));
        return "| " + point + " | " + told.size() + " | " + told.stream().filter(Told::struck).count() + " | " + told.stream().map(Told::fault).filter(Optional::isEmpty).count() + " | "
                + faults.entrySet().stream().map(f -> f.getValue() + " " + f.getKey()).collect(Collectors.joining(", ")) + " | "
                + told.stream().mapToLong(Told::answers).sum() + " | " + told.stream().mapToLong(Told::wrong).sum() + " |";
    }
}
