package lockstep.localcloud;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.OptionalLong;
import lockstep.landscape.LandscapeReader;
import lockstep.project.UserFault;
import org.junit.jupiter.api.Test;

class RoomTest {
    private static final Room NEEDED = Room.needed(LandscapeReader.read(Path.of("../lockstep.yaml")));

    @Test
    void whatIsMissingIsNamedWithWhatIsFree() {
        assertDoesNotThrow(() -> NEEDED.check(OptionalLong.of(NEEDED.memory()), NEEDED.disk()));
        assertDoesNotThrow(() -> NEEDED.check(OptionalLong.empty(), NEEDED.disk()), "the kernel does not say");
        assertEquals("the local cloud of this landscape needs 4.3 GB of memory, but 1.0 GB is free. End other programs, delete files, or "
                + "choose a landscape with fewer shards",
                assertThrows(UserFault.class, () -> NEEDED.check(OptionalLong.of(1024), NEEDED.disk())).getMessage());
        assertEquals(
                "the local cloud of this landscape needs 4.3 GB of memory, but 1.0 GB is free, and 2.9 GB of disk, but 0.5 GB is free. "
                        + "End other programs, delete files, or choose a landscape with fewer shards",
                assertThrows(UserFault.class, () -> NEEDED.check(OptionalLong.of(1024), 512)).getMessage());
    }

    @Test
    void memoryIsWhatTheKernelCallsAvailable() {
        assertEquals(OptionalLong.of(2048),
                Room.available("MemTotal:       24000000 kB\nMemFree:          100000 kB\nMemAvailable:    2097152 kB\n"));
        assertEquals(OptionalLong.empty(), Room.available("MemTotal: 1 kB\n"));
    }
}
