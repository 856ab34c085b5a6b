package lockstep.landscape;

import java.util.List;

/** Everything that lockstep.yaml names: the product, its release, the region, accounts with their shards, data sets, and the differences between editions that are meant. */
public record Landscape(String product, String release, String region, List<Account> accounts, List<DataSet> dataSets, List<Difference> differences) {
    public Landscape {
        accounts = List.copyOf(accounts);
        dataSets = List.copyOf(dataSets);
        differences = List.copyOf(differences);
    }

    /** The account that holds the shard of this name; the reader has checked that there is one. */
    public Account accountOf(String shard) {
        return accounts.stream().filter(a -> a.shards().stream().anyMatch(s -> s.name().equals(shard))).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no shard '" + shard + "' in the landscape"));
    }

    /** The shards of this account that receive the data set: all but its source. */
    public List<Shard> targetsIn(Account account, DataSet dataSet) {
        return account.shards().stream().filter(s -> !s.name().equals(dataSet.source())).toList();
    }
}
