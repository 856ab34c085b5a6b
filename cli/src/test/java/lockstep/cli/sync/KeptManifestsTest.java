package lockstep.cli.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import lockstep.cli.sync.KeptManifests.Kept;
import lockstep.masterdata.engine.Applied;
import org.junit.jupiter.api.Test;

class KeptManifestsTest {
    private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");

    private static Kept kept(String id, int minutes) {
        return new Kept(id, NOON.plusSeconds(60L * minutes), "1.0.0", 10);
    }

    private static Applied applied(String id, int minutes) {
        return new Applied(id, NOON.plusSeconds(60L * minutes), "1.0.0", NOON, false);
    }

    private final KeptManifests kept = new KeptManifests(List.of(kept("20260301T120100Z-aaaa", 1), kept("release", 3), kept("20260301T120200Z-bbbb", 2)));

    @Test
    void newestFirst() {
        assertEquals(List.of("release", "20260301T120200Z-bbbb", "20260301T120100Z-aaaa"), kept.all().stream().map(Kept::syncId).toList());
        assertTrue(kept.table().lines().skip(1).findFirst().orElseThrow().startsWith("release "));
    }

    @Test
    void theOneBeforeWhatIsInForce() {
        assertEquals(Optional.of(kept("20260301T120200Z-bbbb", 2)), kept.before(applied("release", 3)));
        assertEquals(Optional.of(kept("release", 3)), kept.before(applied("no longer kept", 9)));
        assertEquals(Optional.empty(), kept.before(applied("20260301T120100Z-aaaa", 1)));
        assertEquals(Optional.empty(), new KeptManifests(List.of()).before(applied("release", 3)));
    }

    @Test
    void whatWasProbablyMeant() {
        assertEquals(List.of("release"), kept.nearest("releas"));
        assertEquals(List.of("20260301T120100Z-aaaa", "20260301T120200Z-bbbb"), kept.nearest("20260301T120100"));
        assertEquals(List.of("20260301T120200Z-bbbb"), kept.nearest("bbbb"));
        assertEquals(List.of(), kept.nearest("xyz"));
    }
}
