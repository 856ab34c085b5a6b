package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A running cloud follows its landscape: an additional production account, and syncs that are held for only a minute. It runs last, because
 * the changes remain.
 */
@ExtendWith(SharedCloud.class)
@Order(Integer.MAX_VALUE)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Tag("nightly")
class ChangedLandscapeEndToEndTest {
    private static final TestingCloud CHANGED = CLOUD.with(landscape -> landscape.replace("accounts:\n", """
            accounts:
              production-2:
                id: "444444444444"
                purpose: production
                shards:
                  clinic-3: {edition: production}

            """).replace("    source: clinic-1\n", "    source: clinic-1\n    hold: {for: 1m}\n"));

    @Test
    @Order(1)
    void aFurtherAccountIsInStepAfterUpAndFollowsTheSameTopic() {
        var up = CHANGED.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
        CHANGED.schedule("", false);
        assertInStep();
        CHANGED.sql("clinic-1", "UPDATE master.drug SET price = price + 1 WHERE id = 70");
        var sync = CHANGED.lockstep("sync", "--output", "json");
        assertEquals(0, sync.exit(), sync::toString);
        assertEquals(List.of("verified"), sync.json().get("shards").valueStream().filter(s -> s.get("shard").asString().equals("clinic-3"))
                .map(s -> s.get("phase").asString()).toList(), sync::toString);
        assertInStep();
    }

    @Test
    @Order(2)
    void aSyncThatIsHeldForTooLongIsGivenUpAndChangesNothing() {
        CHANGED.sql("clinic-1", "CREATE TABLE saved AS SELECT * FROM master.drug_interaction", "DELETE FROM master.drug_interaction");
        var sync = CHANGED.lockstep("sync", "--id", "forgotten", "--output", "json");
        assertEquals(1, sync.exit(), sync::toString);
        assertEquals("States.Timeout", sync.json().at("/dump/error").asString(), sync::toString);
        var late = CHANGED.lockstep("approve", "forgotten");
        assertEquals(1, late.exit(), late::toString);
        assertTrue(late.err().contains("is no longer held"), late::toString);
        CHANGED.sql("clinic-1", "INSERT INTO master.drug_interaction SELECT * FROM saved", "DROP TABLE saved");
        assertInStep();
    }

    private static void assertInStep() {
        var status = CHANGED.lockstep("status", "--output", "json");
        assertEquals(0, status.exit(), status::toString);
        for (String shard : List.of("clinic-2", "demo-1", "qa-1", "qa-demo-1", "clinic-3"))
            assertEquals(CHANGED.master("clinic-1"), CHANGED.master(shard), shard);
    }
}
