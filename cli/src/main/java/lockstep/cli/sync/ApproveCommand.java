package lockstep.cli.sync;

import java.util.concurrent.Callable;
import lockstep.cli.Main;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "approve", description = "Lets a sync that is held go on where it stands.",
        footer = {"", "Shows what the sync would change. Ends with 0 when it was answered, 1 when it does not wait, 2 on wrong usage."})
public final class ApproveCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private Place place;

    @Mixin
    private ChosenDataSet chosen;

    @Parameters(paramLabel = "SYNC-ID", description = "The sync that is held.")
    private String syncId;

    @Override
    public Integer call() {
        Landscape landscape = place.landscape(main);
        DataSet dataSet = chosen.in(landscape);
        try (var accounts = place.open(main, landscape)) {
            var held = HeldSync.read(SyncCommand.access(accounts, dataSet), syncId);
            held.approve();
            main.answer(new HeldSync.Answered(syncId, "approved", held.held().assessment()), HeldSync.difference(held.held().assessment()) + "\n" + "approved");
            return 0;
        }
    }
}
