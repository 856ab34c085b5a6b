package lockstep.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.landscape.Account;
import lockstep.landscape.Purpose;
import lockstep.project.TextTable;
import lockstep.project.UserFault;
import lockstep.release.LogEntry.Action;
import lockstep.release.Parity;
import lockstep.release.ReleaseArchive;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "release",
        description = "Manages releases, which are built once and stored in each account.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {ReleaseCommand.Build.class, ReleaseCommand.ListAll.class, ReleaseCommand.Deploy.class, ReleaseCommand.Rollback.class,
                ReleaseCommand.InParity.class})
final class ReleaseCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Override
    public Integer call() {
        throw new WrongUsage("missing subcommand: build, list, deploy, rollback or parity");
    }

    @Command(mixinStandardHelpOptions = true, name = "build",
            description = "Builds one file from the checkout with everything that is deployed, the same for every account.",
            footer = {"",
                    "With --aws each image is built once, by docker or the program in CDK_DOCKER, and every account gets that image. The "
                            + "local cloud needs no images."})
    static final class Build implements Callable<Integer> {
        @ParentCommand private ReleaseCommand parent;

        @Parameters(paramLabel = "FILE", description = "The file to write; an existing one is replaced.") private Path file;

        @Option(names = "--release", paramLabel = "RELEASE",
                description = "The release's name (default: release of lockstep.yaml).") private String release;

        @Option(names = "--aws",
                description = "Include images, for AWS accounts (default: only for the local cloud).") private boolean aws;

        @Override
        public Integer call() {
            var built = ReleaseBuilder.build(parent.main, Optional.ofNullable(release), aws, file.toAbsolutePath()).release();
            parent.main.answer(built, "release %s  %s  %,d bytes".formatted(built.name(), built.digest(), built.bytes())
                    + built.images().entrySet().stream().map(image -> "%n  %s  %s".formatted(image.getValue(), image.getKey()))
                            .collect(Collectors.joining()));
            return 0;
        }
    }

    /**
     * @param inForce whether it is the deployed release according to the log
     * @param images  the digests by name
     */
    record Listed(String account, String release, String digest, java.time.Instant since, Optional<String> commit, boolean inForce,
            Map<String, String> images) {}

    @Command(mixinStandardHelpOptions = true, name = "list",
            description = "Lists the releases that each account stores, and which is in force.")
    static final class ListAll implements Callable<Integer> {
        @ParentCommand private ReleaseCommand parent;

        @Mixin private Place place;

        @Override
        public Integer call() {
            try (var delivery = new ReleaseDelivery(parent.main, place)) {
                var all = new ArrayList<Listed>();
                for (Account account : delivery.landscape().accounts()) {
                    if (!delivery.shelf(account).exists()) continue;
                    var inForce = delivery.history(account).inForce();
                    for (var kept : delivery.shelf(account).list()) {
                        all.add(new Listed(account.name(), kept.release().name(), kept.release().digest(), kept.since(),
                                kept.release().commit(), inForce.equals(Optional.of(kept.release().name())), kept.release().images()));
                    }
                }
                var table = new TextTable().left("account", 11).left("release", 15).left("in force", 8).left("digest", 12).left("since", 20)
                        .left("commit", 0);
                all.forEach(l -> table.row(l.account(), l.release(), l.inForce() ? "yes" : "", l.digest().substring(0, 12),
                        l.since().truncatedTo(java.time.temporal.ChronoUnit.SECONDS), l.commit().map(c -> c.substring(0, 12))));
                parent.main.answer(Map.of("releases", all), table.toString());
                return 0;
            }
        }
    }

    @Command(mixinStandardHelpOptions = true, name = "deploy", description = "Deploys a stored release to one account or all.")
    static final class Deploy implements Callable<Integer> {
        @ParentCommand private ReleaseCommand parent;

        @Mixin private Place place;

        @Parameters(index = "0", paramLabel = "RELEASE", description = "A name in lockstep release list.") private String release;

        @Parameters(index = "1..*", paramLabel = "ACCOUNT", arity = "0..*",
                description = "The accounts (default: all).") private List<String> accounts = List.of();

        @Override
        public Integer call() {
            DeployCommand.chosen(place.landscape(parent.main), accounts);
            try (var delivery = new ReleaseDelivery(parent.main, place)) {
                var into = DeployCommand.chosen(delivery.landscape(), accounts);
                var archive = delivery.fetch(release, into);
                return DeployCommand.report(parent.main, delivery.deploy(
                        into.stream().collect(Collectors.toMap(a -> a, a -> archive, (a, b) -> a, LinkedHashMap::new)), Action.deploy));
            }
        }
    }

    @Command(mixinStandardHelpOptions = true, name = "rollback",
            description = "Rolls accounts back to the release that each had before the one in force.",
            footer = {"",
                    "Only the release and its settings change. Databases stay as they are, because each schema also works with the "
                            + "previous release."})
    static final class Rollback implements Callable<Integer> {
        @ParentCommand private ReleaseCommand parent;

        @Mixin private Place place;

        @Parameters(paramLabel = "ACCOUNT", arity = "0..*", description = "The accounts (default: all).") private List<
                String> accounts = List.of();

        @Option(names = "--dry-run", description = "Print which release each would go back to; change nothing.") private boolean dryRun;

        @Override
        public Integer call() {
            DeployCommand.chosen(place.landscape(parent.main), accounts);
            try (var delivery = new ReleaseDelivery(parent.main, place)) {
                var before = new LinkedHashMap<Account, String>();
                for (Account account : DeployCommand.chosen(delivery.landscape(), accounts)) {
                    before.put(account,
                            delivery.history(account).before().orElseThrow(() -> new UserFault("the log of account " + account.name()
                                    + " has no release before the one in force; choose one: lockstep release deploy RELEASE "
                                    + account.name())));
                }
                if (dryRun) {
                    var plan = new LinkedHashMap<String, String>();
                    before.forEach((account, release) -> plan.put(account.name(), release));
                    parent.main.answer(plan, plan.entrySet().stream()
                            .map(e -> "%-12s would go back to %s".formatted(e.getKey(), e.getValue())).collect(Collectors.joining("\n")));
                    return 0;
                }
                var archives = new LinkedHashMap<String, ReleaseArchive>();
                before.forEach((account, release) -> archives.computeIfAbsent(release, r -> delivery.fetch(r, List.of(account))));
                var wanted = new LinkedHashMap<Account, ReleaseArchive>();
                before.forEach((account, release) -> wanted.put(account, archives.get(release)));
                return DeployCommand.report(parent.main, delivery.deploy(wanted, Action.rollback));
            }
        }
    }

    @Command(mixinStandardHelpOptions = true, name = "parity",
            description = "Prints whether production and demo run the same release, or how long they have differed, and publishes that as "
                    + "a metric in their accounts.",
            footer = {"", "Exit code: 0 when they do, or have differed for at most --for; 1 when for longer."})
    static final class InParity implements Callable<Integer> {
        /** The number of log entries to read; large, because the releases may have differed for a long time. */
        private static final int LOG = 500;

        @ParentCommand private ReleaseCommand parent;

        @Mixin private Place place;

        @Option(names = "--for", paramLabel = "MINUTES", defaultValue = "60",
                description = "How long they may differ (default: ${DEFAULT-VALUE}).") private long minutes;

        @Override
        public Integer call() {
            if (minutes < 0) throw new WrongUsage("--for takes a number of minutes, not " + minutes);
            try (var delivery = new ReleaseDelivery(parent.main, place)) {
                var accounts = delivery.landscape().accounts().stream()
                        .filter(account -> account.purpose() != Purpose.QA && delivery.shelf(account).exists()).toList();
                var parity = Parity.of(accounts.stream().flatMap(account -> delivery.shelf(account).log(LOG).stream()).toList());
                var apart = parity.apart(java.time.Instant.now());
                accounts.forEach(account -> delivery.shelf(account).measure(apart));
                String runs = parity.inForce().entrySet().stream().map(e -> e.getKey() + " runs " + e.getValue())
                        .collect(Collectors.joining(", "));
                parent.main.answer(Map.of("inForce", parity.inForce(), "apartSeconds", apart.toSeconds()),
                        runs.isEmpty() ? "no log has a release" : apart.isZero() ? runs
                                : runs + ": different for " + apart.toMinutes() + " minutes");
                return apart.compareTo(java.time.Duration.ofMinutes(minutes)) > 0 ? 1 : 0;
            }
        }
    }
}
