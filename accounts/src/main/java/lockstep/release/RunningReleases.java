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
 * What the shards run, as the container service tells it.
 *
 * @param byShard      releases; a shard that is not deployed, or of an account that does not say, is not among them
 * @param unanswered   accounts that do not say, and why
 * @param shardsOf     the shards of each account
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

    /** Whether all that is known is one release. */
    public boolean same() {
        return byShard.values().stream().distinct().count() < 2;
    }

    /** In one line how the accounts stand to each other, and in one more for each that does not say. */
    public String told() {
        var text = new StringBuilder();
        if (byShard.isEmpty()) text.append("no shard tells its release");
        else if (same()) text.append("every shard that tells its release runs ").append(byShard.values().iterator().next());
        else text.append("releases differ: ").append(shardsOf.entrySet().stream().filter(account -> account.getValue().stream().anyMatch(byShard::containsKey))
                .map(account -> account.getKey() + " runs " + String.join(" and ", account.getValue().stream().filter(byShard::containsKey).map(byShard::get).collect(Collectors.toCollection(TreeSet::new))))
                .collect(Collectors.joining(", ")));
        unanswered.forEach((account, why) -> text.append("\n").append(account).append(" does not tell its release: ").append(why));
        return text.toString();
    }
}
