package lockstep.cli;

import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly;
import lockstep.diff.Comparison;
import lockstep.diff.MarkdownReport;
import lockstep.diff.Side;
import lockstep.diff.TextReport;
import lockstep.landscape.Landscape;
import lockstep.release.Synthesis;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "diff",
        description = "Prints every difference between two editions, and whether it is declared.",
        footer = {"",
                "Exit code: 0 when every difference is declared in the landscape, 1 when one is not or a declared one no longer "
                        + "exists, 2 on wrong usage.",
                "With --output markdown it prints the outline of a test plan."})
final class DiffCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Option(names = "--from", paramLabel = "EDITION", defaultValue = "production",
            description = "An account, an edition or ACCOUNT/EDITION (default: ${DEFAULT-VALUE}).") private String from;

    @Option(names = "--to", paramLabel = "EDITION", defaultValue = "demo",
            description = "What to compare it with (default: ${DEFAULT-VALUE}).") private String to;

    @Override
    public Integer call() {
        Landscape landscape = main.landscape();
        Side left = side(from, landscape), right = side(to, landscape);
        if (left.equals(right)) throw new WrongUsage("--from and --to are both " + left.name());
        var assembly = new Assembly(Synthesis.of(main.files(), main.landscapeFile(), landscape.region()));
        var comparison = Comparison.of(left, right, landscape, assembly);
        main.answer(comparison, TextReport.of(comparison, main.colour()), MarkdownReport.of(comparison));
        return comparison.asDeclared() ? 0 : 1;
    }

    private Side side(String name, Landscape landscape) {
        return Side.named(name, landscape).orElseThrow(() -> {
            var sides = Side.in(landscape).stream().map(Side::name).toList();
            var ofAccount = sides.stream().filter(side -> side.startsWith(name + "/")).toList();
            return new WrongUsage(ofAccount.isEmpty()
                    ? "there is no account or edition '" + name + "'; write one of " + String.join(", ", sides)
                    : "account " + name + " has both editions: write " + ofAccount.stream().collect(Collectors.joining(" or ")));
        });
    }
}
