package lockstep.cli.sync;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.cli.aws.AccountAccess;
import lockstep.landscape.DataSet;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;
import lockstep.masterdata.engine.Json;
import lockstep.masterdata.engine.ShardReport;
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

    private Answer ask(boolean progressOnly) {
        try {
            var answer = lambda.invoke(r -> r.functionName(Names.reportStatus(shard.name()))
                    .payload(SdkBytes.fromByteArray(Json.MAPPER.writeValueAsBytes(Map.of("dataSet", dataSet, "progressOnly", progressOnly)))));
            if (answer.functionError() != null) return new Answer(Optional.empty(), Optional.of(Execution.message(answer.payload().asUtf8String())));
            return new Answer(Optional.of(Json.MAPPER.readerFor(ShardReport.class).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .readValue(answer.payload().asByteArrayUnsafe())), Optional.empty());
        } catch (SdkException e) {
            return new Answer(Optional.empty(), Optional.of(e.getMessage()));
        }
    }

    @Override
    public void close() {
        lambda.close();
    }
}
