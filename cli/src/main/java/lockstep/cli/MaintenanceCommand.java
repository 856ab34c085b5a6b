package lockstep.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import lockstep.accounts.RoutingOverrides;
import lockstep.landscape.Account;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "maintenance",
        description = "Turns the maintenance page on or off for an edition or a shard. Proxies follow within seconds.")
final class MaintenanceCommand implements Callable<Integer> {
    /** Whether the page is shown. */
    enum Switch { on, off }

    @ParentCommand private Main main;

    @Mixin private Place place;

    @Parameters(paramLabel = "on|off") private Switch state;

    @Option(names = "--edition", paramLabel = "production|demo", description = "Only this edition.") private Edition edition;

    @Option(names = "--account", paramLabel = "NAME", description = "Only in this account.") private String account;

    @Option(names = "--shard", paramLabel = "NAME", description = "Only this shard.") private String shard;

    @Option(names = "--message", paramLabel = "TEXT", description = "The text on the page.") private String message;

    /** A proxy whose routes were changed. */
    record Changed(String account, String edition) {}

    @Override
    public Integer call() {
        if (message != null && state == Switch.off) {
            throw new WrongUsage("--message can be given only with 'on'");
        }
        if (edition == null && account == null && shard == null) {
            throw new WrongUsage("give at least one of --edition, --account and --shard");
        }
        Landscape landscape = place.landscape(main);
        var chosen = chosen(landscape);
        try (var accounts = place.open(main, landscape)) {
            var changed = new ArrayList<Changed>();
            chosen.forEach((where, editions) -> editions.forEach(which -> {
                RoutingOverrides.of(where, which, accounts.account(where)).maintenance(Optional.ofNullable(shard), state == Switch.on,
                        Optional.ofNullable(message));
                changed.add(new Changed(where.name(), which.word()));
            }));
            main.answer(
                    Map.of("maintenance", state == Switch.on, "proxies", changed), String
                            .join("\n",
                                    changed.stream()
                                            .map(proxy -> "maintenance is " + state + (shard == null ? "" : " for shard " + shard)
                                                    + " at the proxy of the " + proxy.edition() + " edition in " + proxy.account())
                                            .toList()));
        }
        return 0;
    }

    private Map<Account, List<Edition>> chosen(Landscape landscape) {
        var found = new LinkedHashMap<Account, List<Edition>>();
        for (Account candidate : landscape.accounts()) {
            var editions = candidate.proxies().stream().map(proxy -> proxy.edition())
                    .filter(which -> edition == null || which == edition)
                    .filter(which -> shard == null || candidate.shardsOf(which).stream().anyMatch(known -> known.name().equals(shard)))
                    .toList();
            if ((account == null || candidate.name().equals(account)) && !editions.isEmpty()) {
                found.put(candidate, editions);
            }
        }
        if (found.isEmpty()) {
            throw new WrongUsage("there is no proxy" + (edition == null ? "" : " of the " + edition.word() + " edition")
                    + (account == null ? "" : " in account '" + account + "'")
                    + (shard == null ? "" : " that routes to shard '" + shard + "'") + "; see lockstep.yaml");
        }
        return found;
    }
}
