package lockstep.cli;

import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.cli.cloud.FirstSync;
import lockstep.cli.cloud.Up;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(name = "up", description = "Brings the local cloud up: every account, stack and shard of the landscape on this machine.")
final class UpCommand implements Callable<Integer> {
    /** The founder's hook: what brings the targets in step for the first time. */
    private final Optional<FirstSync> firstSync = Optional.empty();

    @ParentCommand
    private Main main;

    @Override
    public Integer call() {
        var up = new Up(main.files(), main.landscapeFile(), main.landscape(), main.progress());
        main.files().exclusively(() -> {
            var result = up.run(firstSync);
            main.answer(result, text(result));
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
