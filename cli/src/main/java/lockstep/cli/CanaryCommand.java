package lockstep.cli;

import java.net.URI;
import java.util.LinkedHashMap;
import java.util.concurrent.Callable;
import lockstep.accounts.RoutingOverrides;
import lockstep.landscape.Landscape;
import lockstep.landscape.Shard;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "canary",
        description = "Starts or ends a canary: routes some new sessions of a shard to another upstream. Proxies follow within seconds.",
        footer = {"", "A session keeps its upstream when the weight changes, until --weight off ends the canary."})
final class CanaryCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Mixin private Place place;

    @Parameters(paramLabel = "SHARD", description = "A shard whose account has a proxy of its edition.") private String shard;

    @Option(names = "--upstream", paramLabel = "URL",
            description = "Where the new release runs, as https://10.0.1.2:8443.") private URI upstream;

    @Option(names = "--weight", paramLabel = "PERCENT|off", required = true,
            description = "The percentage of new sessions, 0 to 100, or off.") private String weight;

    @Override
    public Integer call() {
        Landscape landscape = place.landscape(main);
        var account = landscape.accounts().stream().filter(a -> a.shards().stream().anyMatch(s -> s.name().equals(shard))).findFirst()
                .orElseThrow(() -> new WrongUsage("there is no shard '" + shard + "'"));
        var edition = account.shards().stream().filter(s -> s.name().equals(shard)).map(Shard::edition).findFirst().orElseThrow();
        boolean off = weight.equals("off");
        if (off == (upstream != null)) {
            throw new WrongUsage(off ? "--upstream cannot be given with --weight off" : "--upstream is missing");
        }
        if (!off && !weight.matches("100|\\d{1,2}(\\.\\d{1,2})?")) {
            throw new WrongUsage("--weight takes a number from 0 to 100 with at most two decimals, or off, not '" + weight + "'");
        }
        try (var accounts = place.open(main, landscape)) {
            var overrides = RoutingOverrides.of(account, edition, accounts.account(account));
            if (off) {
                overrides.endCanary(shard);
            } else {
                overrides.canary(shard, upstream, Double.parseDouble(weight));
            }
        }
        var answer = new LinkedHashMap<String, Object>();
        answer.put("shard", shard);
        answer.put("upstream", upstream);
        answer.put("weight", off ? null : Double.valueOf(weight));
        main.answer(answer,
                off ? "shard " + shard + " has no canary" : weight + " % of the new sessions of shard " + shard + " go to " + upstream);
        return 0;
    }
}
