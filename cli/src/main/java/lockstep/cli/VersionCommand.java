package lockstep.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "version", description = "Prints the version.")
final class VersionCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Override
    public Integer call() {
        main.answer(java.util.Map.of("version", Main.VERSION), Main.VERSION);
        return 0;
    }
}
