package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.sqs.Queue;

class NagTest {
    @Test
    void noFindingAndNoWarningIsLeft() {
        assertEquals("", String.join("\n", Assembly.clinic().findings()));
    }

    /** Findings fail the synthesis itself, so that deployments can't bypass the check. */
    @Test
    void whatNobodyAcceptedFailsTheSynthesis() {
        var failure = assertThrows(RuntimeException.class, () -> Assembly.synthesize("careless", app -> {
            LockstepApp.assemble(app, TestLandscapes.empty(), TestLandscapes.ARTEFACTS);
            new Queue(new Stack(app, "careless"), "Queue");
        }));
        assertTrue(failure.getMessage().contains("Validation failed"), failure::getMessage);
    }
}
