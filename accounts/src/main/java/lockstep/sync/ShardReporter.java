package lockstep.sync;

import java.util.List;
import java.util.Optional;
import lockstep.accounts.AccountAccess;
import lockstep.landscape.DataSet;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;
import lockstep.masterdata.check.SqlCheck;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.restore.ShardReport.Rows;
import lockstep.masterdata.engine.restore.ShardReport;
import lockstep.masterdata.handler.ReportStatus;
import lockstep.masterdata.schema.ShardInspection;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.lambda.LambdaClient;
import tools.jackson.databind.DeserializationFeature;

/** Queries the contents of a shard's database through the status function of the shard. */
public final class ShardReporter implements AutoCloseable {
    private final LambdaClient lambda;
    private final Shard shard;
    private final DataSet dataSet;

    ShardReporter(AccountAccess access, Shard shard, DataSet dataSet) {
        this.lambda = access.client(LambdaClient.builder());
        this.shard = shard;
        this.dataSet = dataSet;
    }

    /** A report, or the reason why there is none. */
    record Answer(Optional<ShardReport> report, Optional<String> unreachable) {}

    /**
     * Returns the full report of the shard's current contents.
     *
     * @param known at the source: tables of the newest manifest
     */
    Answer report(Rows rows, List<TableManifest> known) {
        return askReport(new ReportStatus.Report(rows, known));
    }

    /** Returns a quick report with the sync in force but without tables. */
    Answer inForce() {
        return askReport(new ReportStatus.Progress());
    }

    /** Returns the number of staged rows of a sync; 0 if unknown. */
    long stagedRows(String syncId) {
        return inForce().report().map(ShardReport::staging).orElse(List.of()).stream().filter(s -> s.syncId().equals(syncId))
                .mapToLong(ShardReport.Staged::rows).sum();
    }

    /** The checksums of the SQL check, or the reason why there are none. */
    public record Checked(Optional<SqlCheck.Sums> sums, Optional<String> unreachable) {}

    Checked checkBySql() {
        var asked = ask(new ReportStatus.Sums(), SqlCheck.Sums.class);
        return new Checked(asked.answer(), asked.unreachable());
    }

    /** The schema of the shard and its own findings, or the reason why there is no answer. */
    record Described(Optional<ShardInspection.Answer> answer, Optional<String> unreachable) {}

    /** @param source whether the shard is the data set's source */
    Described schema(boolean source) {
        var asked = ask(new ReportStatus.Schema(source, Names.databaseUser(shard.name(), DatabaseUser.WRITER)),
                ShardInspection.Answer.class);
        return new Described(asked.answer(), asked.unreachable());
    }

    private Answer askReport(ReportStatus.Request request) {
        var asked = ask(request, ShardReport.class);
        return new Answer(asked.answer(), asked.unreachable());
    }

    private record Asked<T>(Optional<T> answer, Optional<String> unreachable) {}

    private <T> Asked<T> ask(ReportStatus.Request request, Class<T> type) {
        try {
            var answer = lambda.invoke(r -> r.functionName(Names.reportStatus())
                    .payload(
                            SdkBytes.fromByteArray(Json.MAPPER.writeValueAsBytes(new ReportStatus.Event(shard.name(), dataSet, request)))));
            if (answer.functionError() != null)
                return new Asked<>(Optional.empty(), Optional.of(Causes.message(answer.payload().asUtf8String())));
            T read = Json.MAPPER.readerFor(type).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .readValue(answer.payload().asByteArrayUnsafe());
            return new Asked<>(Optional.of(read), Optional.empty());
        } catch (SdkException e) {
            return new Asked<>(Optional.empty(), Optional.of(Causes.message(e)));
        }
    }

    @Override
    public void close() {
        lambda.close();
    }
}
