package lockstep.release;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import lockstep.accounts.Accounts;
import lockstep.accounts.DeployedTask;
import lockstep.landscape.Landscape;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * The releases that the shards run, according to ECS.
 *
 * @param byShard    the release of each shard, without shards that are not deployed or whose account did not answer
 * @param unanswered the cause for each account that did not answer
 * @param shardsOf   the shards of each account
 */
public record RunningReleases(Map<String, String> byShard, Map<String, String> unanswered, Map<String, java.util.List<String>> shardsOf) {
    public static RunningReleases read(Accounts accounts) {
        var byShard = new TreeMap<String, String>();
        var unanswered = new LinkedHashMap<String, String>();
        for (var account : accounts.landscape().accounts()) {
            try {
                for (var task : DeployedTask.of(account, accounts.account(account))) {
                    task.shard().ifPresent(shard -> task.variable("RELEASE").ifPresent(release -> byShard.put(shard, release)));
                }
            } catch (SdkException e) {
                unanswered.put(account.name(), e.getMessage());
            }
        }
        return new RunningReleases(byShard, unanswered, shards(accounts.landscape()));
    }

    private static Map<String, java.util.List<String>> shards(Landscape landscape) {
        var shards = new LinkedHashMap<String, java.util.List<String>>();
        landscape.accounts().forEach(account -> shards.put(account.name(), account.shards().stream().map(shard -> shard.name()).toList()));
        return shards;
    }

    /** Reports whether all known releases are the same. */
    public boolean same() {
        return byShard.values().stream().distinct().count() < 2;
    }

    /** Returns a line that compares the accounts, and a line for each account that did not answer. */
    public String summary() {
        var text = new StringBuilder();
        if (byShard.isEmpty()) text.append("no shard reports its release");
        else if (same()) text.append("every shard that reports its release runs ").append(byShard.values().iterator().next());
        else text.append("releases differ: ")
                .append(shardsOf.entrySet().stream().filter(account -> account.getValue().stream().anyMatch(byShard::containsKey))
                        .map(account -> account.getKey() + " runs "
                                + String.join(" and ",
                                        account.getValue().stream().filter(byShard::containsKey).map(byShard::get)
                                                .collect(Collectors.toCollection(TreeSet::new))))
                        .collect(Collectors.joining(", ")));
        unanswered.forEach((account, why) -> text.append("\n").append(account).append(" does not report its release: ").append(why));
        return text.toString();
    }
}
