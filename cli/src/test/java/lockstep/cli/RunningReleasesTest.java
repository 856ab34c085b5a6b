package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lockstep.release.RunningReleases;
import lockstep.sync.Status.ShardStatus;
import lockstep.sync.Status.State;
import org.junit.jupiter.api.Test;

class RunningReleasesTest {
    private static RunningReleases of(Map<String, String> byShard, Map<String, String> unanswered) {
        var shards = new LinkedHashMap<String, List<String>>();
        shards.put("production", List.of("clinic-1", "clinic-2"));
        shards.put("demo", List.of("demo-1"));
        return new RunningReleases(byShard, unanswered, shards);
    }

    @Test
    void oneReleaseOrWhoRunsWhat() {
        var same = of(Map.of("clinic-1", "1.4.0", "clinic-2", "1.4.0", "demo-1", "1.4.0"), Map.of());
        assertTrue(same.same());
        assertEquals("every shard that reports its release runs 1.4.0", same.summary());
        var different = of(Map.of("clinic-1", "1.4.0", "clinic-2", "1.4.1", "demo-1", "1.3.0"), Map.of());
        assertFalse(different.same());
        assertEquals("releases differ: production runs 1.4.0 and 1.4.1, demo runs 1.3.0", different.summary());
    }

    @Test
    void whoDoesNotSayIsToldAndIsNotTakenForTheSame() {
        assertEquals("every shard that reports its release runs 1.4.0\ndemo does not report its release: denied",
                of(Map.of("clinic-1", "1.4.0"), Map.of("demo", "denied")).summary());
        assertEquals("no shard reports its release", of(Map.of(), Map.of()).summary());
    }

    @Test
    void releaseAndFreshnessStandSideBySide() {
        var shard = new ShardStatus("demo", "demo-1", "demo", "master", "one", Instant.EPOCH, 60L, State.IN_STEP, List.of(), null);
        String table = StatusCommand.table(List.of(shard), Map.of("demo-1", "1.4.0"), false);
        assertTrue(table.lines().toList().getFirst().startsWith("account      shard          edition     release      data set  state"),
                table);
        assertTrue(table.contains("demo         demo-1         demo        1.4.0        master    in-step          1 min"), table);
        assertFalse(StatusCommand.table(List.of(shard), false).contains("release"), "up tells it elsewhere");
    }
}
