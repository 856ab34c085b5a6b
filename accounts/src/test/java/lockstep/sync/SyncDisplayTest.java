package lockstep.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import lockstep.sync.SyncState.Dump;
import lockstep.sync.SyncState.DumpPhase;
import lockstep.sync.SyncState.Outcome;
import lockstep.sync.SyncState.Table;
import org.junit.jupiter.api.Test;

class SyncDisplayTest {
    private static final NextCommand NEXT = new NextCommand("prices", true, Optional.of(Path.of("my landscape.yaml")));
    private static final String APPROVE = "lockstep approve s1 --aws --dataset prices --landscape 'my landscape.yaml'";

    private static SyncState state(DumpPhase phase, Optional<String> cause, List<Table> tables, SyncState.Shard... shards) {
        var dump = new Dump(phase, Optional.empty(), tables, Optional.empty(), Optional.empty(), cause, Map.of(), Optional.empty());
        return new SyncState("s1", "prices", Outcome.running, 1, dump, List.of(shards));
    }

    private static String shown(boolean live, boolean verbose, SyncState... states) {
        var out = new ByteArrayOutputStream();
        var display = new SyncDisplay(new PrintStream(out, true, StandardCharsets.UTF_8),
                new SyncDisplay.Style(live, false, false, verbose), NEXT);
        for (SyncState state : states) display.show(state);
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aHeldSyncIsPrintedOnceWithTheCommandThatAnswersItEvenInATerminal() {
        var held = state(DumpPhase.held, Optional.of("m.drug had 2 rows and would have none, " + "x".repeat(200)), List.of());
        for (boolean live : new boolean[]{false, true}) {
            String text = shown(live, false, held, held);
            assertEquals(2, text.split(APPROVE, -1).length, text);
            assertTrue(text.contains("lockstep reject s1 --aws --dataset prices"), text);
        }
    }

    @Test
    void theUsualDataSetIsNotNamed() {
        assertEquals("lockstep approve s1", new NextCommand("master", false, Optional.empty()).line("approve s1"));
    }

    @Test
    void ofManyTablesTheLargestAreShownAndTheSumOfTheOthers() {
        var tables = IntStream.range(0, 200).mapToObj(i -> new Table("m.t" + i, i, i > 5)).toList();
        String text = shown(false, false, state(DumpPhase.sealed, Optional.empty(), tables));
        assertTrue(text.contains("m.t199 ") && text.contains("m.t192 ") && !text.contains("m.t191 "), text);
        assertTrue(text.contains("and 192 more tables") && text.contains("18,336 rows so far, 186 tables done"), text);
        assertTrue(shown(false, true, state(DumpPhase.sealed, Optional.empty(), tables)).contains("m.t0 "));
    }

    @Test
    void causesFollowAtTheEndUnlessVerbose() {
        var failed = state(DumpPhase.sealed, Optional.empty(), List.of(), SyncReportTest.failed("demo-1", "frozen"));
        assertTrue(shown(false, false, failed).contains("FAILED in Publish with MergeConflict"));
        assertFalse(shown(false, false, failed).contains("frozen"));
        assertTrue(shown(false, true, failed).contains("frozen"));
    }
}
