package lockstep.sync;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import lockstep.landscape.Account;
import lockstep.landscape.Shard;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.SyncPaths;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import lockstep.masterdata.engine.review.Assessment.TableChange;
import lockstep.masterdata.engine.review.Assessment;
import lockstep.masterdata.engine.review.ChangedRows;
import lockstep.masterdata.engine.review.Held;
import lockstep.poll.Poll;
import lockstep.project.TextTable;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.InvalidTokenException;
import software.amazon.awssdk.services.sfn.model.TaskDoesNotExistException;
import software.amazon.awssdk.services.sfn.model.TaskTimedOutException;

/** A sync that waits for approval, and what it would change. */
public record HeldSync(SyncAccess access, String syncId, Held held) {
    /** The output of {@code approve} and {@code reject}. */
    public record Answered(String syncId, String answer, Assessment assessment) {}

    /** The output of {@code approve --dry-run}. */
    public record Looked(String syncId, Assessment assessment, List<SyncState.Shard> shards) {}

    public static HeldSync read(SyncAccess access, String syncId) {
        var paths = new SyncPaths(access.dataSet().name(), syncId);
        try (var s3 = access.source().client(S3Client.builder().forcePathStyle(true))) {
            return new HeldSync(access, syncId, Json.MAPPER
                    .readValue(s3.getObjectAsBytes(r -> r.bucket(access.bucket()).key(paths.held())).asByteArrayUnsafe(), Held.class));
        } catch (S3Exception e) {
            if (e.statusCode() == 404 || e.statusCode() == 403)
                throw new IllegalStateException("no sync '" + syncId + "' of data set '" + access.dataSet().name()
                        + "' is held: it was not started in the last week, or it did not have to wait", e);
            throw e;
        }
    }

    /**
     * Runs the restore as a dry run in each shard. Rows that would be deleted but that rows of the shard reference are reported as kept.
     * Nothing is changed.
     */
    public List<SyncState.Shard> forecast() throws InterruptedException {
        String dataSet = access.dataSet().name();
        String name = "try-" + SyncAccess.newSyncId();
        var input = new RestoreInput(dataSet, syncId, access.bucket(), SyncPaths.rehearsal(dataSet, syncId), Mode.SYNC, Optional.empty(),
                true);
        for (Account account : access.targetAccounts()) input.start(access, account, name);
        var shards = new ArrayList<SyncState.Shard>();
        for (Account account : access.targetAccounts()) {
            Execution execution = ended(account, name);
            for (Shard shard : access.landscape().targetsIn(account, access.dataSet()))
                shards.add(RestoredShard.read(account, shard, execution, 0));
        }
        return shards;
    }

    private Execution ended(Account account, String name) throws InterruptedException {
        try (var sfn = access.starter(account).client(SfnClient.builder())) {
            return Poll.until(Instant.MAX, () -> Execution.read(sfn, access.restoreArn(account, name)),
                    e -> e.isPresent() && !e.get().running(), e -> {}).orElseThrow();
        }
    }

    public void approve() {
        answer(sfn -> sfn.sendTaskSuccess(r -> r.taskToken(held.token()).output("{\"approved\":true}")));
    }

    public void reject(String reason) {
        answer(sfn -> sfn.sendTaskFailure(
                r -> r.taskToken(held.token()).error("Rejected").cause("rejected by hand: " + reason + "; nothing was changed")));
    }

    private interface Sent {
        Object to(SfnClient sfn);
    }

    private void answer(Sent sent) {
        try (var sfn = access.approver().client(SfnClient.builder())) {
            sent.to(sfn);
        } catch (TaskTimedOutException | TaskDoesNotExistException | InvalidTokenException e) {
            throw new IllegalStateException(
                    "sync " + syncId + " is no longer held: it was answered before, or given up because it was held too long. To find out: "
                            + "lockstep sync --id " + syncId + " --timeout 1",
                    e);
        }
    }

    /** Formats the tables that would change, sample rows, and the reasons why the sync is held. */
    public static String difference(Assessment assessment, boolean verbose) {
        var lines = new ArrayList<String>();
        lines.add("sync " + assessment.syncId() + " against " + assessment.against().orElse("nothing"));
        var table = new TextTable().left("table", 27).right("rows before", 12).right("rows after", 11).right("come", 11).right("go", 11);
        var busiest = SyncReport.Busiest.of(changed(assessment), t -> t.came() + t.went(), verbose);
        for (TableChange change : busiest.shown()) add(table, change.table(), change);
        busiest.others().stream()
                .reduce((a, b) -> new TableChange("", a.before() + b.before(), a.after() + b.after(), a.came() + b.came(),
                        a.went() + b.went(), a.exact() && b.exact()))
                .ifPresent(others -> add(table, "and " + busiest.others().size() + " more tables", others));
        lines.add(table.toString());
        var shown = busiest.shown().stream().map(TableChange::table).toList();
        assessment.samples().stream().filter(sample -> shown.contains(sample.table())).forEach(sample -> lines.add(sample(sample)));
        assessment.reasons().forEach(reason -> lines.add("held: " + reason));
        return String.join("\n", lines);
    }

    private static void add(TextTable table, String name, TableChange change) {
        table.row(name, change.before(), change.after(), atMost(change, change.came()), atMost(change, change.went()));
    }

    /** Formats a sample row: {@code ~} for an update, {@code +} for an insert, {@code -} for a delete. */
    private static String sample(ChangedRows.Sample sample) {
        var before = sample.before().orElse(Map.of());
        var after = sample.after().orElse(Map.of());
        var row = new StringJoiner(", ");
        for (String column : sample.after().isPresent() ? after.keySet() : before.keySet())
            row.add(column + " " + (sample.before().isPresent() ? value(before.get(column)) : "")
                    + (sample.before().isPresent() && sample.after().isPresent() ? " → " : "")
                    + (sample.after().isPresent() ? value(after.get(column)) : ""));
        return "  " + (sample.before().isEmpty() ? "+" : sample.after().isEmpty() ? "-" : "~") + " " + sample.table() + " " + sample.key()
                + ": " + row;
    }

    private static String value(String value) {
        return value == null ? "NULL" : "'" + value + "'";
    }

    private static List<TableChange> changed(Assessment assessment) {
        return assessment.tables().stream().filter(t -> t.came() > 0 || t.went() > 0).toList();
    }

    private static String atMost(TableChange table, long rows) {
        return (table.exact() ? "" : "≤ ") + String.format(Locale.ROOT, "%,d", rows);
    }
}
