package lockstep.cli;

import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import picocli.CommandLine.Option;

/** The option that selects a data set. */
final class ChosenDataSet {
    @Option(names = "--dataset", paramLabel = "NAME", defaultValue = DataSet.DEFAULT_NAME,
            description = "The data set (default: ${DEFAULT-VALUE}).") private String name;

    /** @throws WrongUsage if the landscape has no data set with this name */
    DataSet in(Landscape landscape) {
        return landscape.dataSets().stream().filter(d -> d.name().equals(name)).findFirst()
                .orElseThrow(() -> new WrongUsage("there is no data set '" + name + "'; write one of "
                        + landscape.dataSets().stream().map(DataSet::name).collect(Collectors.joining(", "))));
    }
}
