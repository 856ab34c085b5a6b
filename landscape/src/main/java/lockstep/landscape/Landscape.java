package lockstep.landscape;

import java.util.List;
import java.util.Optional;

/**
 * The content of lockstep.yaml: the product, its release, the region, accounts with their shards, data sets, the intended differences
 * between editions, who may deploy, and migrations. Without a delivery, only an account's own administrators may deploy. There is a product
 * if a shard runs it.
 *
 * @param region the region of the accounts that name none
 */
public record Landscape(Optional<Product> product, String release, String region, List<Account> accounts, List<DataSet> dataSets,
        List<Difference> differences, Optional<Delivery> delivery, List<DeclaredMigration> migrations) {
    public Landscape {
        accounts = List.copyOf(accounts);
        dataSets = List.copyOf(dataSets);
        differences = List.copyOf(differences);
        migrations = List.copyOf(migrations);
    }

    public Landscape(Product product, String release, String region, List<Account> accounts, List<DataSet> dataSets,
            List<Difference> differences) {
        this(Optional.ofNullable(product), release, region, accounts, dataSets, differences, Optional.empty(), List.of());
    }

    /** The same landscape with another release. */
    public Landscape of(String otherRelease) {
        return new Landscape(product, otherRelease, region, accounts, dataSets, differences, delivery, migrations);
    }

    /** The region of an account. */
    public String regionOf(Account account) {
        return account.region().orElse(region);
    }

    /** The account of the shard with this name. {@link LandscapeReader} has checked that it exists. */
    public Account accountOf(String shard) {
        return accounts.stream().filter(a -> a.shards().stream().anyMatch(s -> s.name().equals(shard))).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no shard '" + shard + "' in the landscape"));
    }

    /** The data sets whose source is in this account. */
    public List<DataSet> sourcesIn(Account account) {
        return dataSets.stream().filter(dataSet -> accountOf(dataSet.source()).equals(account)).toList();
    }

    /** The data sets that shards of this account receive. */
    public List<DataSet> receivedBy(Account account) {
        return dataSets.stream().filter(dataSet -> !targetsIn(account, dataSet).isEmpty()).toList();
    }

    /** The migrations into shards of this account. */
    public List<DeclaredMigration> migrationsInto(Account account) {
        return migrations.stream().filter(migration -> accountOf(migration.target()).equals(account)).toList();
    }

    /** The shards of this account that receive the data set: all except its source. */
    public List<Shard> targetsIn(Account account, DataSet dataSet) {
        return account.shards().stream().filter(s -> !s.name().equals(dataSet.source())).toList();
    }
}
