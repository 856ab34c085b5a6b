package lockstep.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.landscape.Landscape;
import lockstep.localcloud.LocalCloud;
import lockstep.localcloud.Page;
import lockstep.localcloud.Removal;
import lockstep.localcloud.TemporaryShards.TemporaryShard;
import lockstep.localcloud.TemporaryShards;
import lockstep.localcloud.Up;
import lockstep.sync.Status.ShardStatus;
import lockstep.sync.Status;
import lockstep.sync.SyncAccess;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "up",
        description = "Starts or updates the local cloud: every account, stack and shard of the landscape on this machine.")
final class UpCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Override
    public Integer call() {
        main.files().exclusively(() -> {
            new TemporaryShards(main.files()).list().stream().filter(TemporaryShard::isExpired)
                    .forEach(shard -> new Removal(main.files(), main.declaredFile(), shard, main.progress()).run());
            Landscape landscape = main.landscape();
            var result = new Up(main.files(), main.declaredFile(), main.landscapeFile(), landscape, main.progress())
                    .run(Optional.of(new InitialSync(main.terminal(), main.colour(), main.landscapeOption())));
            var shards = new ArrayList<ShardStatus>();
            try (var cloud = LocalCloud.open(main.files(), landscape)) {
                for (var dataSet : landscape.dataSets()) shards.addAll(Status.read(SyncAccess.of(cloud, dataSet)).shards());
            }
            main.answer(Map.of("accounts", result.accounts(), "shards", shards, "pages", result.pages()),
                    text(result) + "\n" + StatusCommand.table(shards, main.colour()) + "\n" + pages(result.pages()));
        });
        return 0;
    }

    private static String text(Up.Result result) {
        return result.accounts().stream().map(account -> "%n%s %s%n  stacks  %s%n  shards  %s".formatted(account.name(), account.id(),
                String.join(", ", account.stacks()),
                account.shards().stream().map(shard -> shard.name() + " (" + shard.edition().word() + ")")
                        .collect(Collectors.joining(", "))))
                .collect(Collectors.joining("\n"));
    }

    private static String pages(List<Page> pages) {
        return pages.stream().map(page -> "%n%-12s %-14s %s".formatted(page.edition(), page.shard(), page.url()))
                .collect(Collectors.joining())
                + "\n\nTo see what the browser needs: lockstep open "
                + pages.stream().map(Page::account).distinct().collect(Collectors.joining(" | "));
    }
}
