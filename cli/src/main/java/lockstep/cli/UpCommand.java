package lockstep.cli;

import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.cli.cloud.LocalCloud;
import lockstep.cli.cloud.Up;
import lockstep.cli.sync.InitialSync;
import lockstep.cli.sync.Status;
import lockstep.cli.sync.Status.ShardStatus;
import lockstep.cli.sync.StatusCommand;
import lockstep.cli.sync.SyncCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "up", description = "Brings the local cloud up: every account, stack and shard of the landscape on this machine.")
final class UpCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Override
    public Integer call() {
        var up = new Up(main.files(), main.landscapeFile(), main.landscape(), main.progress());
        main.files().exclusively(() -> {
            var result = up.run(Optional.of(new InitialSync(main.terminal(), main.colour())));
            var shards = new ArrayList<ShardStatus>();
            try (var cloud = LocalCloud.open(main.files(), main.landscape())) {
                for (var dataSet : cloud.landscape().dataSets()) shards.addAll(Status.read(SyncCommand.access(cloud, dataSet)).shards());
            }
            main.answer(Map.of("accounts", result.accounts(), "shards", shards), text(result) + "\n" + StatusCommand.table(shards, main.colour()));
        });
        return 0;
    }

    private static String text(Up.Result result) {
        return result.accounts().stream().map(account -> "%n%s %s%n  stacks  %s%n  shards  %s".formatted(account.name(), account.id(),
                String.join(", ", account.stacks()),
                account.shards().stream().map(shard -> shard.name() + " (" + shard.edition().name().toLowerCase(java.util.Locale.ROOT) + ")")
                        .collect(Collectors.joining(", ")))).collect(Collectors.joining("\n"));
    }
}
