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
 * Access to the roles that start and follow syncs: one in the source account, one in each target account, and another there that also
 * starts restores. People, CI jobs and the local cloud use the same roles. None of them grants access to data.
 */
public final class SyncAccess {
    private final Landscape landscape;
    private final DataSet dataSet;
    private final AccountAccess source;
    private final Map<String, AccountAccess> observers = new LinkedHashMap<>();
    private final Map<String, AccountAccess> starters = new LinkedHashMap<>();
    private final BiFunction<Account, String, AccountAccess> assume;

    /** @param assume opens an account with the role of a given ARN */
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

    /** Returns the accounts with targets, in landscape order. */
    java.util.List<Account> targetAccounts() {
        return landscape.accounts().stream().filter(a -> observers.containsKey(a.name())).toList();
    }

    AccountAccess observer(Account account) {
        return observers.get(account.name());
    }

    /** Returns the role that may start restores in an account. It is assumed only when needed. */
    public AccountAccess starter(Account account) {
        return starters.computeIfAbsent(account.name(),
                name -> assume.apply(account, Names.roleArn(account.id(), Names.restoreStartRole(dataSet.name()))));
    }

    /** Returns the role that may query the status of a shard. */
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

    /** Creates access that always uses the sync roles, even if the accounts were opened as root. */
    public static SyncAccess of(Accounts accounts, DataSet dataSet) {
        return new SyncAccess(accounts.landscape(), dataSet, (account, role) -> accounts.account(account).assume(role, "lockstep-cli"));
    }

    /** Returns an id that sorts by time and differs between syncs that start in the same second. */
    public static String newSyncId() {
        return DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC).format(Instant.now()) + "-"
                + HexFormat.of().toHexDigits((short) ThreadLocalRandom.current().nextInt());
    }
}
