package lockstep.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import lockstep.assembly.Assembly;
import lockstep.landscape.Landscape;
import lockstep.release.Synthesis;
import lockstep.valve.Bootstrap;
import lockstep.valve.Proof;
import lockstep.valve.ProofText;
import lockstep.valve.Templates;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "valve",
        description = "Proves from the templates what demo and the public can reach: in production, nothing except the published parts.",
        footer = {"",
                "Exit code: 0 when the claim holds, 1 when it is broken (prints each attack step by step, with the statements that "
                        + "allow it), 2 on wrong usage.",
                "It calls no AWS account. What counts as an attacker, and what it does not see: docs/valve.md."})
final class ValveCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Option(names = "--assembly", paramLabel = "DIRECTORY",
            description = "A synthesized assembly (cdk.out) to examine (default: synthesize one).") private Path assembly;

    @Override
    public Integer call() {
        // include temporary shards: they exist only in the local cloud, but what they would expose is worth knowing
        Landscape landscape = main.landscape();
        if (assembly != null && !Files.isRegularFile(assembly.resolve("manifest.json"))) {
            throw new WrongUsage("--assembly %s: there is no manifest.json; give the directory that 'cdk synth' wrote, such as cdk.out"
                    .formatted(assembly));
        }
        Path synthesized = assembly != null ? assembly : Synthesis.of(main.files(), main.landscapeFile(), landscape.region());
        var proof = Proof.of(new Templates(landscape, new Assembly(synthesized),
                Bootstrap.stacks(landscape, main.files().project().resolve("node_modules"))));
        main.answer(proof.asJson(), ProofText.of(proof));
        return proof.holds() ? 0 : 1;
    }
}
