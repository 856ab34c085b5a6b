package lockstep.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Shard;
import lockstep.masterdata.schema.Finding.Severity;
import lockstep.sync.CheckReport;
import lockstep.sync.SyncAccess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "check", exitCodeOnExecutionException = Main.UNDECIDED,
        description = "Reports everything in the databases that would make a sync fail or behave unexpectedly, and how to fix it. Changes "
                + "nothing.",
        footer = {"",
                "Exit code: 0 when there is no error, 1 when there is one, 2 on wrong usage, 3 when a shard or the source could not be "
                        + "checked and there is no error elsewhere.",
                "Warnings do not change the exit code, because they may be intended."})
final class CheckCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Option(names = "--dataset", paramLabel = "NAME",
            description = "Check only this data set (default: all).") private String dataSetName;

    @Option(names = "--shard", paramLabel = "SHARD",
            description = "Check only this shard and the source (default: every target).") private String shardName;

    @Override
    public Integer call() {
        Landscape landscape = place.landscape(main);
        List<DataSet> dataSets = landscape.dataSets().stream().filter(d -> dataSetName == null || d.name().equals(dataSetName)).toList();
        if (dataSets.isEmpty()) throw new WrongUsage("there is no data set '" + dataSetName + "'; write one of "
                + landscape.dataSets().stream().map(DataSet::name).collect(Collectors.joining(", ")));
        var known = landscape.accounts().stream().flatMap(a -> a.shards().stream()).map(Shard::name).toList();
        if (shardName != null && !known.contains(shardName))
            throw new WrongUsage("there is no shard '" + shardName + "'; write one of " + String.join(", ", known));
        try (var accounts = place.open(main, landscape)) {
            var reports = new ArrayList<CheckReport>();
            for (DataSet dataSet : dataSets) {
                var targets = targets(landscape, dataSet).stream().filter(t -> shardName == null || t.equals(shardName)).toList();
                if (shardName == null || !targets.isEmpty() || shardName.equals(dataSet.source()))
                    reports.add(CheckReport.read(SyncAccess.of(accounts, dataSet), targets));
            }
            var report = CheckReport.all(reports);
            main.answer(report, report.table());
            return report.has(Severity.error) ? 1 : report.unchecked().isEmpty() ? 0 : Main.UNDECIDED;
        }
    }

    private static List<String> targets(Landscape landscape, DataSet dataSet) {
        return landscape.accounts().stream().flatMap(a -> landscape.targetsIn(a, dataSet).stream()).map(Shard::name).toList();
    }
}
