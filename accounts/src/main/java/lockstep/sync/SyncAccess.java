package lockstep.sync;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.Stream;
import lockstep.accounts.AccountAccess;
import lockstep.accounts.Accounts;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionListItem;
import software.amazon.awssdk.services.sfn.model.ListExecutionsRequest;

/**
 * Access to the roles that start and follow syncs: one in the source account and one in each target account. Another in the source
 * account answers held syncs, and another in each target account also starts restores. People, CI jobs and the local cloud use the same
 * roles. None of them grants access to data.
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
        source = assume.apply(sourceAccount, roleArn(sourceAccount, Names.syncStartRole()));
        for (Account account : landscape.accounts())
            if (!landscape.targetsIn(account, dataSet).isEmpty())
                observers.put(account.name(), assume.apply(account, roleArn(account, Names.observerRole())));
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
                name -> assume.apply(account, roleArn(account, Names.restoreStartRole())));
    }

    /** Returns the role that answers held syncs. */
    AccountAccess approver() {
        return assume.apply(sourceAccount(), roleArn(sourceAccount(), Names.approveRole()));
    }

    /** Returns the role that may query the status of a shard. */
    AccountAccess statusOf(Account account, Shard shard) {
        return shard.name().equals(dataSet.source()) ? source : observer(account);
    }

    /** Returns the name of the execution of the data set's sync with this id. */
    public String execution(String id) {
        return Names.execution(dataSet.name(), id);
    }

    /** Returns a machine's executions for this data set, newest first. The name of each is its id. */
    public Stream<ExecutionListItem> executions(SfnClient sfn, String machineArn, Consumer<ListExecutionsRequest.Builder> filter) {
        String prefix = execution("");
        return sfn.listExecutionsPaginator(r -> filter.accept(r.stateMachineArn(machineArn))).executions().stream()
                .filter(item -> item.name().startsWith(prefix))
                .map(item -> item.copy(b -> b.name(item.name().substring(prefix.length()))));
    }

    public String dumpMachineArn() {
        return statesArn(sourceAccount(), "stateMachine", Names.dumpMachine());
    }

    String dumpArn(String syncId) {
        return statesArn(sourceAccount(), "execution", Names.dumpMachine() + ":" + execution(syncId));
    }

    String restoreMachineArn(Account account) {
        return statesArn(account, "stateMachine", Names.restoreMachine());
    }

    /** @param id the id of a sync, or of a restore that was started alone */
    public String restoreArn(Account account, String id) {
        return statesArn(account, "execution", Names.restoreMachine() + ":" + execution(id));
    }

    public String bucket() {
        return Names.bucket(sourceAccount().id(), landscape.regionOf(sourceAccount()));
    }

    private String roleArn(Account account, String role) {
        return Names.roleArn(landscape.regionOf(account), account.id(), role);
    }

    private String statesArn(Account account, String kind, String name) {
        return Names.statesArn(landscape.regionOf(account), account.id(), kind, name);
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
