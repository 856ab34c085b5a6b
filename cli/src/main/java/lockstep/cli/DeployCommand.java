package lockstep.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.accounts.LocalEndpoint;
import lockstep.cli.ReleaseDelivery.Outcome;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;
import lockstep.localcloud.LocalCloud;
import lockstep.project.TextTable;
import lockstep.release.AwsDeployment;
import lockstep.release.LogEntry.Action;
import lockstep.release.LogEntry.Result;
import lockstep.release.ReleaseArchive;
import lockstep.release.Synthesis;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "deploy",
        description = "Deploys a release to accounts, stores it there, and logs the result.",
        footer = {"",
                "Exit code: 0 when it is deployed in every account, 1 when not, 2 on wrong usage. To deploy a stored release: lockstep "
                        + "release deploy."})
final class DeployCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Parameters(paramLabel = "ACCOUNT", arity = "0..*", description = "The accounts (default: all).") private List<
            String> accounts = List.of();

    @Option(names = "--release", paramLabel = "RELEASE",
            description = "The release's name (default: release of lockstep.yaml). A name cannot be reused for another "
                    + "release.") private String release;

    @Option(names = "--from", paramLabel = "FILE",
            description = "Deploy this file of lockstep release build instead of the checkout.") private Path from;

    @Option(names = "--dry-run",
            description = "Print what would change in the stacks of each account, and change nothing.") private boolean dryRun;

    @Override
    public Integer call() {
        if (from != null && release != null)
            throw new WrongUsage("--release cannot be given with --from: a built release already has a name");
        // report wrong usage before anything is opened
        chosen(place.landscape(main), accounts);
        if (dryRun) return printChanges();
        try (var delivery = new ReleaseDelivery(main, place)) {
            var into = chosen(delivery.landscape(), accounts);
            var archive = from != null ? ReleaseArchive.of(from.toAbsolutePath())
                    : ReleaseBuilder.build(main, Optional.ofNullable(release), place.isAws(), delivery.archives().resolve("checkout.zip"));
            return report(main, delivery
                    .deploy(into.stream().collect(Collectors.toMap(a -> a, a -> archive, (a, b) -> a, LinkedHashMap::new)), Action.deploy));
        }
    }

    /** Prints the changes. A pipeline job uses a role that can only read templates. */
    private Integer printChanges() {
        Landscape landscape = place.landscape(main);
        var into = chosen(landscape, accounts);
        Path assembly = from == null
                ? Synthesis.of(main.files(), main.landscapeFile(), landscape.region(),
                        Optional.ofNullable(release).map(ReleaseBuilder::checked))
                : ReleaseArchive.of(from.toAbsolutePath()).unpack(main.files().home().resolve("releases/dry-run")).assembly();
        try (var opened = place.open(main, landscape, Names.diffRole())) {
            var deployment = new AwsDeployment(main.files(), landscape.region(), assembly);
            var changes = new LinkedHashMap<String, String>();
            for (Account account : into)
                changes.put(account.name(), deployment.diff(account, opened.account(account), endpoint(landscape)));
            main.answer(changes,
                    changes.entrySet().stream().map(e -> "account " + e.getKey() + "\n" + e.getValue()).collect(Collectors.joining("\n")));
            return 0;
        }
    }

    private Optional<LocalEndpoint> endpoint(Landscape landscape) {
        if (place.isAws()) return Optional.empty();
        try (var cloud = LocalCloud.open(main.files(), landscape)) {
            return Optional.of(cloud.endpoint());
        }
    }

    /** Returns the accounts with the given names in landscape order, or all accounts if there are no names. */
    static List<Account> chosen(Landscape landscape, List<String> names) {
        for (String name : names) {
            if (landscape.accounts().stream().noneMatch(account -> account.name().equals(name))) {
                throw new WrongUsage("there is no account '" + name + "'; write one of "
                        + landscape.accounts().stream().map(Account::name).collect(Collectors.joining(", ")));
            }
        }
        return landscape.accounts().stream().filter(account -> names.isEmpty() || names.contains(account.name())).toList();
    }

    static int report(Main main, List<Outcome> outcomes) {
        var table = new TextTable().left("account", 11).left("release", 15).left("before", 15).left("result", 9).right("time", 8);
        for (var outcome : outcomes) {
            table.row(outcome.account(), outcome.release(), outcome.before(), outcome.result(), outcome.seconds() + " s");
            outcome.cause().ifPresent(cause -> table.note("             " + cause));
        }
        main.answer(Map.of("accounts", outcomes), table.toString());
        return outcomes.stream().allMatch(outcome -> outcome.result() == Result.succeeded) ? 0 : 1;
    }
}
