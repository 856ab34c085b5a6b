package lockstep.cli;

import java.util.concurrent.Callable;
import lockstep.assembly.Assembly;
import lockstep.preflight.Preflight;
import lockstep.release.Synthesis;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "preflight",
        description = "Checks before a deployment whether each AWS account is ready for it: bootstrap, roles, quotas, certificates, "
                + "zones and names. Changes nothing.",
        footer = {"",
                "Needs --aws. Exit code: 0 when everything is ok, 1 when something is wrong or could not be checked, 2 on wrong usage.",
                "The rights that it needs are in docs/adopt.md."})
final class PreflightCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Override
    public Integer call() {
        if (!place.isAws()) throw new WrongUsage("the local cloud needs no preflight; to check your accounts, add --aws");
        var landscape = place.landscape(main);
        var assembly = new Assembly(Synthesis.of(main.files(), main.declaredFile(), landscape.region()));
        var preflight = Preflight.read(main.files(), landscape, assembly);
        main.answer(preflight, preflight.table());
        return preflight.ok() ? 0 : 1;
    }
}
