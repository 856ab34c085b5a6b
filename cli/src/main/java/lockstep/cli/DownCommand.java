package lockstep.cli;

import java.util.concurrent.Callable;
import lockstep.localcloud.Down;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "down",
        description = "Ends every process that 'up' started. Keeps databases; deletes the emulated accounts.")
final class DownCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Option(names = "--purge", description = "Also delete databases, certificates and logs.") private boolean purge;

    @Option(names = "--dry-run", description = "Print what would be ended and deleted, and change nothing.") private boolean dryRun;

    @Override
    public Integer call() {
        main.files().exclusively(() -> {
            var down = new Down(main.files(), main.progress());
            var plan = down.plan(purge);
            if (!dryRun) {
                down.run(plan);
            }
            main.answer(plan, text(plan, dryRun));
        });
        return 0;
    }

    private static String text(Down.Plan plan, boolean dryRun) {
        var text = new StringBuilder();
        plan.processes().forEach(
                process -> text.append("%s %s (pid %d)%n".formatted(dryRun ? "would end" : "ended", process.what(), process.pid())));
        plan.deleted().ifPresent(path -> text.append("%s %s%n".formatted(dryRun ? "would delete" : "deleted", path)));
        return text.isEmpty() ? "nothing is running" : text.toString().stripTrailing();
    }
}
