package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import lockstep.e2e.TestingCloud.Ended;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * {@code lockstep check} against the emulated accounts: the shipped landscape is clean, each problem is reported once, and an unreachable
 * shard does not count as clean.
 */
@ExtendWith(SharedCloud.class)
@Tag("nightly")
class CheckEndToEndTest {
    @Test
    void theShippedLandscapeIsClean() {
        Ended check = CLOUD.lockstep("check");
        assertEquals(0, check.exit(), check::toString);
        assertTrue(check.toString().contains("Nothing was found in clinic-1, clinic-2, demo-1, qa-1, qa-demo-1."), check::toString);
    }

    @Test
    void aProblemOfTwoShardsIsPrintedOnceAndAShardThatIsAwayIsNamed() {
        CLOUD.sql("demo-1", "REVOKE DELETE ON master.drug FROM demo_1_writer", "ALTER TABLE master.drug ADD own int NOT NULL DEFAULT 0",
                "ALTER TABLE master.drug ALTER own DROP DEFAULT");
        CLOUD.sql("qa-1", "REVOKE DELETE ON master.drug FROM qa_1_writer");
        CLOUD.sql("qa-demo-1", "ALTER ROLE qa_demo_1_reader NOLOGIN");
        try {
            Ended check = CLOUD.lockstep("check", "--output", "json");
            assertEquals(1, check.exit(), check::toString);
            var findings = check.json().path("findings");
            assertEquals(2, findings.size(), check::toString);
            var grant = findings.valueStream().filter(f -> f.path("what").asString().contains("lacks DELETE on master.drug")).findFirst()
                    .orElseThrow();
            assertEquals("[\"demo-1\",\"qa-1\"]", grant.path("shards").toString());
            assertTrue(grant.path("remedies").toString().contains("GRANT DELETE ON master.drug TO qa_1_writer"), check::toString);
            assertEquals("qa-demo-1", check.json().path("unchecked").path(0).path("shard").asString());
            assertEquals(3, CLOUD.lockstep("check", "--shard", "qa-demo-1").exit());
            assertEquals(0, CLOUD.lockstep("check", "--shard", "clinic-2").exit());
        } finally {
            CLOUD.sql("demo-1", "GRANT DELETE ON master.drug TO demo_1_writer", "ALTER TABLE master.drug DROP own");
            CLOUD.sql("qa-1", "GRANT DELETE ON master.drug TO qa_1_writer");
            CLOUD.sql("qa-demo-1", "ALTER ROLE qa_demo_1_reader LOGIN");
        }
    }

    @Test
    void wrongUsage() {
        assertEquals(2, CLOUD.lockstep("check", "--dataset", "none").exit());
        assertEquals(2, CLOUD.lockstep("check", "--shard", "none").exit());
    }
}
