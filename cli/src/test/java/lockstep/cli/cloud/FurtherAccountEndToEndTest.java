package lockstep.cli.cloud;

import static lockstep.cli.cloud.SharedCloud.CLOUD;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** One more production account is an entry of the landscape, and nothing else. The last of all: it stays. */
@ExtendWith(SharedCloud.class)
@Order(Integer.MAX_VALUE)
class FurtherAccountEndToEndTest {
    private static final TestingCloud FURTHER = CLOUD.with(landscape -> landscape.replace("accounts:\n", """
            accounts:
              production-2:
                id: "444444444444"
                purpose: production
                shards:
                  clinic-3: {edition: production}

            """));

    @Test
    void itIsInStepAfterUpAndFollowsTheSameTopic() {
        var up = FURTHER.lockstep("up");
        assertEquals(0, up.exit(), up::toString);
        assertInStep();
        FURTHER.schedule("", false);
        FURTHER.sql("clinic-1", "UPDATE master.drug SET price = price + 1 WHERE id = 70");
        var sync = FURTHER.lockstep("sync", "--output", "json");
        assertEquals(0, sync.exit(), sync::toString);
        assertEquals(List.of("verified"), sync.json().get("shards").valueStream().filter(s -> s.get("shard").asString().equals("clinic-3")).map(s -> s.get("phase").asString()).toList(), sync::toString);
        assertInStep();
    }

    private static void assertInStep() {
        var status = FURTHER.lockstep("status", "--output", "json");
        assertEquals(0, status.exit(), status::toString);
        for (String shard : List.of("clinic-2", "demo-1", "qa-1", "qa-demo-1", "clinic-3")) assertEquals(FURTHER.master("clinic-1"), FURTHER.master(shard), shard);
    }
}
