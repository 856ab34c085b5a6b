package lockstep.cli;

import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The option that selects a data set. */
final class ChosenDataSet {
    @Spec(Spec.Target.MIXEE) private CommandSpec command;

    @Option(names = "--dataset", paramLabel = "NAME", defaultValue = DataSet.DEFAULT_NAME,
            description = "The data set (default: ${DEFAULT-VALUE}).") private String name;

    /** @throws ParameterException if the landscape has no data set with this name */
    DataSet in(Landscape landscape) {
        return landscape.dataSets().stream().filter(d -> d.name().equals(name)).findFirst()
                .orElseThrow(() -> new ParameterException(command.commandLine(),
                        "there is no data set '" + name + "'; write one of "
                                + landscape.dataSets().stream().map(DataSet::name).collect(Collectors.joining(", "))));
    }
}
