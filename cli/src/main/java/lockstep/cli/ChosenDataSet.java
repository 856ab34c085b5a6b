package lockstep.cli;

import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import picocli.CommandLine.Option;

/** The option that selects a data set. */
final class ChosenDataSet {
    @Option(names = "--dataset", paramLabel = "NAME",
            description = "The data set (default: the only one, or " + DataSet.DEFAULT_NAME + ").") private String name;

    /** @throws WrongUsage if the landscape has no data set with this name */
    DataSet in(Landscape landscape) {
        if (name == null && landscape.dataSets().size() == 1) return landscape.dataSets().getFirst();
        String wanted = name == null ? DataSet.DEFAULT_NAME : name;
        return landscape.dataSets().stream().filter(d -> d.name().equals(wanted)).findFirst()
                .orElseThrow(() -> new WrongUsage("there is no data set '" + wanted + "'; write one of "
                        + landscape.dataSets().stream().map(DataSet::name).collect(Collectors.joining(", "))));
    }
}
