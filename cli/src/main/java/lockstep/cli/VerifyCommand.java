package lockstep.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Shard;
import lockstep.sync.SyncAccess;
import lockstep.sync.Verified.Verdict;
import lockstep.sync.Verified;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(mixinStandardHelpOptions = true, name = "verify", exitCodeOnExecutionException = VerifyCommand.UNCHECKED,
        description = "Compares every row of the target shards with the source's by SQL, which shares no code with the engine that copies "
                + "and checks.",
        footer = {"",
                "Exit code: 0 when every shard is equal, 1 when one is different, 2 on wrong usage, 3 when one or the source could not "
                        + "be checked and none is different.",
                "Both sides are read now, so shards also differ when the source has changed since the last sync."})
final class VerifyCommand implements Callable<Integer> {
    static final int UNCHECKED = 3;

    @ParentCommand private Main main;

    @Spec private CommandSpec spec;

    @Mixin private Place place;

    @Mixin private ChosenDataSet chosen;

    @Option(names = "--shard", paramLabel = "SHARD",
            description = "Compare only this shard with the source (default: every target).") private String shardName;

    @Override
    public Integer call() {
        Landscape landscape = place.landscape(main);
        DataSet dataSet = chosen.in(landscape);
        List<String> targets = landscape.accounts().stream().flatMap(a -> landscape.targetsIn(a, dataSet).stream()).map(Shard::name)
                .toList();
        if (shardName != null && !targets.contains(shardName)) throw usage("there is no shard '" + shardName + "' that receives data set '"
                + dataSet.name() + "'; write one of " + String.join(", ", targets));
        if (targets.isEmpty()) throw usage("no shard receives data set '" + dataSet.name() + "'");
        try (var accounts = place.open(main, landscape)) {
            var verified = Verified.read(SyncAccess.of(accounts, dataSet), shardName == null ? targets : List.of(shardName));
            main.answer(verified, table(verified));
            return verified.all(Verdict.equal) ? 0 : verified.any(Verdict.different) ? 1 : UNCHECKED;
        }
    }

    static String table(Verified verified) {
        var lines = new ArrayList<String>();
        lines.add(String.format("%-12s %-14s %-10s  %s", "account", "shard", "by SQL", "sync in force"));
        for (var shard : verified.shards()) {
            lines.add(String.format("%-12s %-14s %-10s  %s", shard.account(), shard.shard(), shard.verdict(), shard.syncId().orElse("-")));
            for (var table : shard.tables())
                lines.add(String.format(Locale.ROOT, "%27s %s: %,d rows, the source has %,d%s", "", table.name(), table.rows(),
                        table.rowsAtSource(), table.rows() == table.rowsAtSource() ? ", some differ" : ""));
            shard.cause().ifPresent(cause -> lines.add(String.format("%27s %s", "", cause)));
        }
        if (verified.any(Verdict.different))
            lines.add("The source may have changed since the sync in force: sync, then verify again.");
        return String.join("\n", lines);
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
