package lockstep.masterdata.handler;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.SourceReader;
import lockstep.masterdata.engine.restore.Preflight.Mode;

/** What the restore state machine tells each of its functions: what the notification said, and constants of its definition. */
record TargetSync(String syncId, String bucket, String manifestKey, String account, DataSet dataSet, String readerRoleArn,
        String externalId, String signingKeyArn, String sourceBucket, Terms terms) {
    /** What else an execution's input may say; which shard is meant concerns the state machine alone. A notification can't: who asks for a rollback starts the execution. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Terms(Optional<Mode> mode, Optional<Boolean> dryRun) {
        boolean isDryRun() {
            return dryRun.orElse(false);
        }
    }

    /** @param name in the landscape */
    record TargetShard(String name, String secretArn) {}

    /** Reads from the bucket that this account was deployed for, whatever a notification says. */
    SourceReader source() {
        return new SourceReader(readerRoleArn, externalId, sourceBucket, signingKeyArn);
    }
}
