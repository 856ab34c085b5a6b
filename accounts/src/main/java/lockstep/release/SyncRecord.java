package lockstep.release;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import lockstep.accounts.Accounts;
import lockstep.landscape.Account;
import lockstep.landscape.DataSet;
import lockstep.project.Progress;
import lockstep.project.UserFault;
import lockstep.release.LogEntry.Action;
import lockstep.release.LogEntry.Result;
import software.amazon.awssdk.core.exception.SdkException;

/** Records a sync in the log of the source account. A caller who may sync but not write the log only gets a note. */
public final class SyncRecord {
    private final Accounts accounts;
    private final Account account;
    private final Progress progress;
    private final LogEntry begun;

    private SyncRecord(Accounts accounts, Account account, Progress progress, LogEntry begun) {
        this.accounts = accounts;
        this.account = account;
        this.progress = progress;
        this.begun = begun;
    }

    public static SyncRecord begin(Accounts accounts, DataSet dataSet, String syncId, Progress progress) {
        Account account = accounts.landscape().accountOf(dataSet.source());
        var who = Identity.of(accounts.account(account), System.getenv());
        var now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        var record = new SyncRecord(accounts, account, progress,
                new LogEntry(Long.toString(now.toEpochMilli(), 36), now, account.name(), Action.sync, Optional.empty(), Optional.empty(),
                        who.who(), who.job(),
                        Result.started, Optional.empty(), Optional.empty(), Optional.of(syncId)));
        record.write(record.begun);
        return record;
    }

    /** @param failure empty if every shard was verified */
    public void end(Optional<String> failure) {
        write(begun.ended(Instant.now().truncatedTo(ChronoUnit.MILLIS), failure));
    }

    private void write(LogEntry entry) {
        try (var shelf = new Shelf(account, accounts.account(account))) {
            shelf.record(entry);
        } catch (SdkException | UserFault e) {
            progress.note("could not write to the log of " + account.name() + ": " + e.getMessage());
        }
    }
}
