package lockstep.cli;

import java.util.concurrent.Callable;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.sync.HeldSync;
import lockstep.sync.SyncAccess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "reject", description = "Rejects a held sync, which then ends without changes.",
        footer = {"", "Prints what the sync would change. Exit code: 0 when it is rejected, 1 when it is not held, 2 on wrong usage."})
final class RejectCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Mixin private ChosenDataSet chosen;

    @Option(names = "--reason", paramLabel = "TEXT", defaultValue = "no reason given",
            description = "The reason, which operators receive.") private String reason;

    @Parameters(paramLabel = "SYNC-ID", description = "The held sync.") private String syncId;

    @Option(names = "--verbose",
            description = "Print every table (default: those with the most rows that change).") private boolean verbose;

    @Override
    public Integer call() {
        Landscape landscape = place.landscape(main);
        DataSet dataSet = chosen.in(landscape);
        try (var accounts = place.open(main, landscape)) {
            var held = HeldSync.read(SyncAccess.of(accounts, dataSet), syncId);
            held.reject(reason);
            main.answer(new HeldSync.Answered(syncId, "rejected", held.held().assessment()),
                    HeldSync.difference(held.held().assessment(), verbose) + "\n" + "rejected");
            return 0;
        }
    }
}
