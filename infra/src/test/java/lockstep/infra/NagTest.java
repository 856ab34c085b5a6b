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

    /** In the synthesis itself, so that nothing can be deployed past it. */
    @Test
    void whatNobodyAcceptedFailsTheSynthesis() {
        var failure = assertThrows(RuntimeException.class, () -> Assembly.synthesize("careless", app -> {
            LockstepApp.assemble(app, TestLandscapes.empty(), TestLandscapes.ARTEFACTS);
            new Queue(new Stack(app, "careless"), "Queue");
        }));
        assertTrue(failure.getMessage().contains("Validation failed"), failure::getMessage);
    }
}
