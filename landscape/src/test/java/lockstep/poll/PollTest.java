package lockstep.poll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PollTest {
    @Test
    void showsEachStateUntilTheLastOne() throws InterruptedException {
        var shown = new ArrayList<Integer>();
        var count = new AtomicInteger();
        assertEquals(3, Poll.until(Instant.now().plusSeconds(60), count::incrementAndGet, state -> state == 3, shown::add));
        assertEquals(List.of(1, 2, 3), shown);
    }

    @Test
    void looksOnceMoreThanTheDeadlineAllows() throws InterruptedException {
        var count = new AtomicInteger();
        assertEquals(1, Poll.until(Instant.now().minusSeconds(1), count::incrementAndGet, state -> false, state -> {}));
        assertFalse(Poll.until(Instant.now().minusSeconds(1), () -> false));
        assertTrue(Poll.until(Instant.now().minusSeconds(1), () -> true));
    }

    @Test
    void anInterruptEndsTheWait() {
        Thread.currentThread().interrupt();
        assertThrows(IllegalStateException.class, () -> Poll.within(Duration.ofMinutes(1), () -> false));
        assertTrue(Thread.interrupted());
    }
}
