package lockstep.cli.sync;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.cli.aws.AccountAccess;
import lockstep.landscape.DataSet;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;
import lockstep.masterdata.check.SqlCheck;
import lockstep.masterdata.engine.parts.Causes;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.restore.ShardReport;
import lockstep.masterdata.schema.ShardInspection;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.lambda.LambdaClient;
import tools.jackson.databind.DeserializationFeature;

/** Asks a shard's own function what its database holds. */
final class ShardReporter implements AutoCloseable {
    private final LambdaClient lambda;
    private final Shard shard;
    private final DataSet dataSet;

    ShardReporter(AccountAccess access, Shard shard, DataSet dataSet) {
        this.lambda = access.client(LambdaClient.builder());
        this.shard = shard;
        this.dataSet = dataSet;
    }

    /** A report, or why there is none. */
    record Answer(Optional<ShardReport> report, Optional<String> unreachable) {}

    /** What the shard really holds now. */
    Answer report() {
        return ask(false);
    }

    /** Quickly, which sync it says is in force; nothing of its tables. */
    Answer inForce() {
        return ask(true);
    }

    /** Rows of the sync that lie in staging; 0 when that can't be told. */
    long stagedRows(String syncId) {
        return ask(true).report().map(ShardReport::staging).orElse(List.of()).stream().filter(s -> s.syncId().equals(syncId)).mapToLong(ShardReport.Staged::rows).sum();
    }

    /** What the check by SQL alone finds, or why it finds nothing. */
    record Checked(Optional<SqlCheck.Sums> sums, Optional<String> unreachable) {}

    Checked checkBySql() {
        var asked = ask(Map.of("dataSet", dataSet, "progressOnly", false, "sqlCheck", true), SqlCheck.Sums.class);
        return new Checked(asked.answer(), asked.unreachable());
    }

    /** How the shard's schema is described and what it finds in itself, or why there is no answer. */
    record Described(Optional<ShardInspection.Answer> answer, Optional<String> unreachable) {}

    /** @param source whether the shard is the data set's source */
    Described schema(boolean source) {
        var asked = ask(Map.of("dataSet", dataSet, "progressOnly", false, "schema", Map.of("source", source, "writer", Names.databaseUser(shard.name(), DatabaseUser.WRITER))), ShardInspection.Answer.class);
        return new Described(asked.answer(), asked.unreachable());
    }

    private Answer ask(boolean progressOnly) {
        var asked = ask(Map.of("dataSet", dataSet, "progressOnly", progressOnly), ShardReport.class);
        return new Answer(asked.answer(), asked.unreachable());
    }

    private record Asked<T>(Optional<T> answer, Optional<String> unreachable) {}

    private <T> Asked<T> ask(Map<String, Object> event, Class<T> type) {
        try {
            var answer = lambda.invoke(r -> r.functionName(Names.reportStatus(shard.name())).payload(SdkBytes.fromByteArray(Json.MAPPER.writeValueAsBytes(event))));
            if (answer.functionError() != null) return new Asked<>(Optional.empty(), Optional.of(Causes.message(answer.payload().asUtf8String())));
            T told = Json.MAPPER.readerFor(type).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).readValue(answer.payload().asByteArrayUnsafe());
            return new Asked<>(Optional.of(told), Optional.empty());
        } catch (SdkException e) {
            return new Asked<>(Optional.empty(), Optional.of(Causes.message(e)));
        }
    }

    @Override
    public void close() {
        lambda.close();
    }
}
