package lockstep.project;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class TextTableTest {
    @Test
    void columnsGrowAndNotesStandBetweenRows() {
        var table = new TextTable().left("shard", 7).right("rows", 3).left("sync", 0);
        table.row("demo-1", 312_712L, Optional.empty());
        table.note("  not reachable");
        table.row("qa-demo-1", 7L, "\033[32mabc\033[0m");
        assertEquals("""
                shard         rows  sync
                demo-1     312,712  -
                  not reachable
                qa-demo-1        7  \033[32mabc\033[0m""", table.toString());
    }
}
