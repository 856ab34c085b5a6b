package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class ChosenDataSetTest {
    @Test
    void theOnlyDataSetNeedNotBeNamed() {
        assertEquals("prices", chosen(List.of("prices")));
        assertEquals("prices", chosen(List.of("prices", "codes"), "--dataset", "prices"));
        assertEquals("master", chosen(List.of("prices", "master")));
        assertEquals("there is no data set 'master'; write one of prices, codes",
                assertThrows(WrongUsage.class, () -> chosen(List.of("prices", "codes"))).getMessage());
        assertEquals("there is no data set 'price'; write one of prices",
                assertThrows(WrongUsage.class, () -> chosen(List.of("prices"), "--dataset", "price")).getMessage());
    }

    private static String chosen(List<String> dataSets, String... arguments) {
        var landscape = new Landscape(null, "1.0.0", "eu-central-1", List.of(),
                dataSets.stream().map(name -> new DataSet(name, "shop-1", List.of())).toList(), List.of());
        return CommandLine.populateCommand(new ChosenDataSet(), arguments).in(landscape).name();
    }
}
