package lockstep.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lockstep.sync.SyncState.ShardPhase;
import lockstep.sync.SyncState.TableChange;
import lockstep.sync.SyncState.Warning;
import org.junit.jupiter.api.Test;

class SyncReportTest {
    static SyncState.Shard failed(String name, String cause) {
        return new SyncState.Shard("demo", name, ShardPhase.failed, 0, List.of(), Optional.of("Publish"), Optional.of("MergeConflict"),
                Optional.of(cause), Map.of(), Optional.empty(), Optional.empty(), List.of());
    }

    static SyncState.Shard verified(String name, List<TableChange> tables, String... warnings) {
        return new SyncState.Shard("demo", name, ShardPhase.verified, 0, tables, Optional.empty(), Optional.empty(), Optional.empty(),
                Map.of(), Optional.empty(), Optional.of(1_500L), List.of(warnings));
    }

    private static TableChange changed(String table, long inserted) {
        return new TableChange(table, 10, "00", inserted, 0, 0, 0);
    }

    private static List<TableChange> tables(int count) {
        return IntStream.range(0, count).mapToObj(i -> changed("m.t" + i, i)).toList();
    }

    @Test
    void aCauseThatShardsShareIsPrintedOnceWithTheirNames() {
        var shards = Stream.of("demo-1", "qa-1").map(name -> failed(name, "database " + name + ".internal:5432/clinic: frozen")).toList();
        assertEquals("demo-1, qa-1 in Publish with MergeConflict: the database: frozen", SyncReport.failures(shards));
        assertEquals("demo-1 in Publish with MergeConflict: database demo-1.internal:5432/clinic: frozen",
                SyncReport.failures(shards.subList(0, 1)));
        assertEquals("demo-1 in Publish with MergeConflict: a; qa-1 in Publish with MergeConflict: b",
                SyncReport.failures(List.of(failed("demo-1", "a"), failed("qa-1", "b"), verified("qa-2", List.of()))));
        assertTrue(SyncReport.failures(IntStream.range(0, 40).mapToObj(i -> failed("s" + i, "x")).toList())
                .contains("s11 and 28 more in Publish"));
    }

    @Test
    void ofManyTablesTheBusiestAreShownAndTheSumOfTheOthers() {
        String text = new SyncReport(false).forecast(List.of(verified("demo-1", tables(20))));
        assertTrue(text.contains("and 11 more tables                     66"), text);
        assertFalse(text.contains("m.t11 "), text);
        assertTrue(text.indexOf("m.t12 ") < text.indexOf("m.t19 "), text);
        assertFalse(text.contains("m.t0 "), "nothing changed there");
        String all = new SyncReport(true).forecast(List.of(verified("demo-1", tables(20))));
        assertTrue(all.contains("m.t1 ") && !all.contains("more tables"), all);
    }

    @Test
    void shardsInWhichTheSameChangedShareTheirLines() {
        String text = new SyncReport(false).changes(List.of(verified("demo-1", tables(3)), verified("qa-1", tables(3))));
        assertEquals(1, text.lines().filter(l -> l.startsWith("m.t2 ")).count(), text);
        assertTrue(text.contains("all                                     3"), text);
        String apart = new SyncReport(false)
                .changes(List.of(verified("demo-1", tables(3)), verified("qa-1", tables(2)), verified("qa-2", List.of())));
        assertTrue(apart.contains("all in demo-1") && apart.contains("all in qa-1") && !apart.contains("qa-2"), apart);
        assertEquals("", new SyncReport(false).changes(List.of(verified("demo-1", List.of(changed("m.t", 0))))));
    }

    @Test
    void aWarningIsPrintedOnceWithTheShardsThatGaveIt() {
        var warnings = Warning.of(List.of(verified("demo-1", List.of(), "sequence m.s cannot follow", "late"),
                verified("qa-1", List.of(), "sequence m.s cannot follow")));
        assertEquals("Warning: sequence m.s cannot follow (demo-1, qa-1)\nWarning: late (demo-1)\n", SyncReport.warnings(warnings));
        assertEquals("", SyncReport.warnings(List.of()));
    }
}
