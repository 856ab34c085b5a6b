package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class DeterminismTest {
    @Test
    void theSameLandscapeGivesTheSameTemplates() {
        assertEquals(Assembly.clinic().templates(), Assembly.synthesize("again", TestLandscapes.clinic()).templates());
    }

    @Test
    void nothingIsLookedUp() {
        assertEquals(List.of(), Assembly.clinic().lookups());
    }

    @Test
    void nothingOfOursRunsOnDeploy() {
        assertEquals(List.of(), Assembly.clinic().resources("AWS::CloudFormation::CustomResource"));
        for (var stack : Assembly.clinic().templates().entrySet()) {
            assertTrue(!stack.getValue().contains("\"Custom::"), stack.getKey());
        }
    }
}
