package lockstep.sync;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import lockstep.accounts.AccountAccess;
import lockstep.accounts.Accounts;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;

/**
 * The rights by which syncs are started and followed: one role in the source's account, one in each target account, and one there
 * that also starts restores. A person, a CI job and this machine use the same; none of them may touch data.
 */
public final class SyncAccess {
    private final Landscape landscape;
    private final DataSet dataSet;
    private final AccountAccess source;
    private final Map<String, AccountAccess> observers = new LinkedHashMap<>();
    private final Map<String, AccountAccess> starters = new LinkedHashMap<>();
    private final BiFunction<Account, String, AccountAccess> assume;

    /** @param assume opens an account with the rights of the role of this ARN */
    public SyncAccess(Landscape landscape, DataSet dataSet, BiFunction<Account, String, AccountAccess> assume) {
        this.landscape = landscape;
        this.dataSet = dataSet;
        this.assume = assume;
        Account sourceAccount = sourceAccount();
        source = assume.apply(sourceAccount, Names.roleArn(sourceAccount.id(), Names.syncStartRole(dataSet.name())));
        for (Account account : landscape.accounts())
            if (!landscape.targetsIn(account, dataSet).isEmpty())
                observers.put(account.name(), assume.apply(account, Names.roleArn(account.id(), Names.observerRole(dataSet.name()))));
    }

    public DataSet dataSet() {
        return dataSet;
    }

    public Landscape landscape() {
        return landscape;
    }

    Account sourceAccount() {
        return landscape.accountOf(dataSet.source());
    }

    public AccountAccess source() {
        return source;
    }

    /** The accounts that hold targets, in the landscape's order. */
    java.util.List<Account> targetAccounts() {
        return landscape.accounts().stream().filter(a -> observers.containsKey(a.name())).toList();
    }

    AccountAccess observer(Account account) {
        return observers.get(account.name());
    }

    /** Who may start restores there, which is asked for only when one is to be started. */
    public AccountAccess starter(Account account) {
        return starters.computeIfAbsent(account.name(), name -> assume.apply(account, Names.roleArn(account.id(), Names.restoreStartRole(dataSet.name()))));
    }

    /** Who may ask this shard for its status. */
    AccountAccess statusOf(Account account, Shard shard) {
        return shard.name().equals(dataSet.source()) ? source : observer(account);
    }

    public String dumpMachineArn() {
        return Names.statesArn(landscape.region(), sourceAccount().id(), "stateMachine", Names.dumpMachine(dataSet.name()));
    }

    String dumpArn(String syncId) {
        return Names.statesArn(landscape.region(), sourceAccount().id(), "execution", Names.dumpMachine(dataSet.name()) + ":" + syncId);
    }

    String restoreMachineArn(Account account) {
        return Names.statesArn(landscape.region(), account.id(), "stateMachine", Names.restoreMachine(dataSet.name()));
    }

    public String restoreArn(Account account, String syncId) {
        return Names.statesArn(landscape.region(), account.id(), "execution", Names.restoreMachine(dataSet.name()) + ":" + syncId);
    }

    public String bucket() {
        return Names.bucket(dataSet.name(), sourceAccount().id(), landscape.region());
    }

    /** Roles, never the root of an account. */
    public static SyncAccess of(Accounts accounts, DataSet dataSet) {
        return new SyncAccess(accounts.landscape(), dataSet, (account, role) -> accounts.account(account).assume(role, "lockstep-cli"));
    }

    /** Ordered by time, and distinct for two that start in the same second. */
    public static String newSyncId() {
        return DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC).format(Instant.now()) + "-"
                + HexFormat.of().toHexDigits((short) ThreadLocalRandom.current().nextInt());
    }
}
