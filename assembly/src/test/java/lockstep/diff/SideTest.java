package lockstep.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SideTest {
    @TempDir private Path directory;

    @ParameterizedTest
    @CsvSource({"production, production", "demo, demo", "demo/demo, demo", "qa/demo, qa/demo", "qa/production, qa/production", "qa, ",
            "production/demo, ", "staging, ", "'', "})
    void named(String name, String side) {
        assertEquals(Optional.ofNullable(side), Side.named(name, new TestingAssembly(directory).landscape()).map(Side::name));
    }

    @Test
    void aShardThatReceivesStandsForAll() {
        var landscape = new TestingAssembly(directory).landscape();
        assertEquals(List.of("clinic-2", "demo-1", "qa-1", "qa-demo-1"),
                Side.in(landscape).stream().map(side -> side.shard(landscape).name()).toList());
    }
}
