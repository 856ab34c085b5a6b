package lockstep.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class NagTest {
    @Test
    void noFindingAndNoWarningIsLeft() {
        assertEquals("", String.join("\n", Assembly.clinic().findings()));
    }
}
