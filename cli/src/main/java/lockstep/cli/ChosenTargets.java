package lockstep.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Shard;
import picocli.CommandLine.Option;

/** The option that selects the target shards to restore. */
final class ChosenTargets {
    @Option(names = "--shard", paramLabel = "SHARD", description = "Only this shard (default: every target).") private String name;

    /**
     * Returns each shard with its account, in landscape order.
     *
     * @throws WrongUsage if no shard with this name receives the data set
     */
    Map<Shard, Account> in(Landscape landscape, DataSet dataSet) {
        var targets = new LinkedHashMap<Shard, Account>();
        for (Account account : landscape.accounts()) landscape.targetsIn(account, dataSet).forEach(shard -> targets.put(shard, account));
        if (name == null) return targets;
        String names = targets.keySet().stream().map(Shard::name).collect(Collectors.joining(", "));
        if (name.equals(dataSet.source()))
            throw new WrongUsage(name + " is the source of data set '" + dataSet.name() + "' and receives nothing; targets are " + names);
        targets.keySet().removeIf(s -> !s.name().equals(name));
        if (targets.isEmpty())
            throw new WrongUsage("there is no shard '" + name + "' that receives data set '" + dataSet.name() + "'; write one of " + names);
        return targets;
    }
}
