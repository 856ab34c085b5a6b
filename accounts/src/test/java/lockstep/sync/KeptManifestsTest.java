package lockstep.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Purpose;
import lockstep.landscape.Shard;
import lockstep.masterdata.engine.restore.Applied;
import lockstep.sync.KeptManifests.Kept;
import org.junit.jupiter.api.Test;

class KeptManifestsTest {
    private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");

    private static Kept kept(String id, int minutes) {
        return new Kept(id, NOON.plusSeconds(60L * minutes), "1.0.0", 10);
    }

    private static Applied applied(String id, int minutes) {
        return new Applied(id, NOON.plusSeconds(60L * minutes), "1.0.0", NOON.plusSeconds(60L * minutes + 30), false);
    }

    /** Creates a shard; the first sync of the history is in force. */
    private static AppliedSyncs shard(String name, Applied... history) {
        var shard = new Shard(name, Edition.DEMO);
        return new AppliedSyncs(new Account("demo", "222222222222", Purpose.DEMO, List.of(shard), List.of()), shard,
                Stream.of(history).findFirst(), List.of(history));
    }

    private final KeptManifests kept = new KeptManifests(
            List.of(kept("20260301T120100Z-aaaa", 1), kept("release", 3), kept("20260301T120200Z-bbbb", 2)));

    @Test
    void newestFirst() {
        assertEquals(List.of("release", "20260301T120200Z-bbbb", "20260301T120100Z-aaaa"), kept.all().stream().map(Kept::syncId).toList());
        assertTrue(kept.table(List.of(), false).lines().skip(1).findFirst().orElseThrow().startsWith("release "));
    }

    private static final Applied A = applied("a", 1);
    private static final Applied C = applied("c", 3);
    private final KeptManifests abc = new KeptManifests(List.of(kept("a", 1), kept("b", 2), kept("c", 3)));

    @Test
    void goesBackToWhatWasInForceThereAndNotToWhatFailed() {
        assertEquals(Optional.of(kept("a", 1)), abc.before(shard("demo-1", C, A)));
        assertEquals(Optional.of(kept("b", 2)), abc.before(shard("qa-1", C, applied("b", 2), A)), "where it had not failed");
    }

    @Test
    void repeatedItGoesFurtherBackAndNotForwardAgain() {
        var b = applied("b", 2);
        assertEquals(Optional.of(kept("a", 1)), abc.before(shard("demo-1", b, C, b, A)), "rolled back from c");
        assertEquals(Optional.empty(), abc.before(shard("demo-1", A, b, C, b, A)));
        assertEquals(Optional.of(kept("b", 2)), abc.before(shard("demo-1", C, A, b, C, b, A)), "and brought forward again");
    }

    @Test
    void whatIsNoLongerKeptOrWasNeverInForceIsNoGoal() {
        assertEquals(Optional.empty(), abc.before(shard("demo-1", C, applied("dropped", 2))));
        assertEquals(Optional.empty(), abc.before(shard("demo-1", C)));
        assertEquals(Optional.empty(), abc.before(shard("demo-1")));
        assertEquals(Optional.empty(), new KeptManifests(List.of()).before(shard("demo-1", C, A)));
    }

    @Test
    void theListSaysWhereAndWhenEachWasApplied() {
        var shards = List.of(shard("demo-1", C, A), shard("qa-1", applied("b", 2), A));
        var lines = abc.table(shards, false).lines().skip(1).toList();
        assertTrue(lines.get(0).endsWith("  demo-1 at 2026-03-01T12:03Z (in force)"), lines::toString);
        assertTrue(lines.get(1).endsWith("  qa-1 at 2026-03-01T12:02Z (in force)"), lines::toString);
        assertTrue(lines.get(2).endsWith("  all 2 shards at 2026-03-01T12:01Z"), lines::toString);
        assertTrue(abc.table(List.of(shard("demo-1", C, A)), false).lines().skip(2).findFirst().orElseThrow().endsWith("  no shard"),
                "b was never in force");
    }

    @Test
    void ofManyTheNewestAreListedAndThoseThatMatter() {
        var many = new KeptManifests(IntStream.range(0, 50).mapToObj(i -> kept("s" + i, i)).toList());
        var lines = many.table(List.of(shard("demo-1", applied("s5", 5), applied("s3", 3))), false).lines().toList();
        assertEquals(1 + 30 + 2 + 1, lines.size());
        assertTrue(lines.get(31).startsWith("s5 ") && lines.get(32).startsWith("s3 "), lines::toString);
        assertEquals("and 18 older; --verbose lists them", lines.getLast());
        assertEquals(51, many.table(List.of(), true).lines().count());
    }

    @Test
    void whatWasProbablyMeant() {
        assertEquals(List.of("release"), kept.nearest("releas"));
        assertEquals(List.of("20260301T120100Z-aaaa", "20260301T120200Z-bbbb"), kept.nearest("20260301T120100"));
        assertEquals(List.of("20260301T120200Z-bbbb"), kept.nearest("bbbb"));
        assertEquals(List.of(), kept.nearest("xyz"));
    }
}
