package lockstep.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LimitsTest {
    /** Shards times batches, and two more functions, are never more than allowed. */
    @ParameterizedTest
    @CsvSource({"200, 8, 4, 40, 32", "10, 8, 4, 2, 8", "10, 2, 1, 8, 8", "4, 8, 2, 1, 2", "1000, 40, 20, 40, 32", "4, 3, 1, 2, 2"})
    void functionsAndConnectionsAreDivided(int functions, int connections, int batches, int shards, int reports) {
        var limits = new Limits(functions, connections, 5);
        assertEquals(batches + " " + shards + " " + reports,
                limits.batchesAtOnce() + " " + limits.shardsAtOnce() + " " + limits.reportsAtOnce());
    }

    @Test
    void fewerThanASyncNeedsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Limits(3, 8, 5));
        assertThrows(IllegalArgumentException.class, () -> new Limits(10, 1, 5));
        assertThrows(IllegalArgumentException.class, () -> new Limits(10, 8, 11));
    }
}
