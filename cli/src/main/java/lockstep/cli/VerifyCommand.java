package lockstep.cli;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Shard;
import lockstep.project.TextTable;
import lockstep.sync.SyncAccess;
import lockstep.sync.Verified.Verdict;
import lockstep.sync.Verified;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "verify", exitCodeOnExecutionException = Main.UNDECIDED,
        description = "Compares every row of the target shards with the source's by SQL, which shares no code with the engine that copies "
                + "and checks.",
        footer = {"",
                "Exit code: 0 when every shard is equal, 1 when one is different, 2 on wrong usage, 3 when one or the source could not "
                        + "be checked and none is different.",
                "Both sides are read now, so shards also differ when the source has changed since the last sync."})
final class VerifyCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Mixin private ChosenDataSet chosen;

    @Mixin private ChosenTargets targets;

    @Override
    public Integer call() {
        Landscape landscape = place.landscape(main);
        DataSet dataSet = chosen.in(landscape);
        List<String> shards = targets.in(landscape, dataSet).keySet().stream().map(Shard::name).toList();
        if (shards.isEmpty()) throw new WrongUsage("no shard receives data set '" + dataSet.name() + "'");
        try (var accounts = place.open(main, landscape)) {
            var verified = Verified.read(SyncAccess.of(accounts, dataSet), shards);
            main.answer(verified, table(verified));
            return verified.all(Verdict.equal) ? 0 : verified.any(Verdict.different) ? 1 : Main.UNDECIDED;
        }
    }

    static String table(Verified verified) {
        var text = new TextTable().left("account", 11).left("shard", 13).left("by SQL", 10).left("sync in force", 0);
        String indent = " ".repeat(28);
        for (var shard : verified.shards()) {
            text.row(shard.account(), shard.shard(), shard.verdict(), shard.syncId());
            for (var table : shard.tables())
                text.note(String.format(Locale.ROOT, "%s%s: %,d rows, the source has %,d%s", indent, table.name(), table.rows(),
                        table.rowsAtSource(), table.rows() == table.rowsAtSource() ? ", some differ" : ""));
            shard.cause().ifPresent(cause -> text.note(indent + cause));
        }
        if (verified.any(Verdict.different))
            text.note("The source may have changed since the sync in force: sync, then verify again.");
        return text.toString();
    }
}
