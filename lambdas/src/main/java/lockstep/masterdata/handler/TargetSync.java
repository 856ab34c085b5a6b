package lockstep.masterdata.handler;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.SourceReader;
import lockstep.masterdata.engine.FunctionTime;
import lockstep.masterdata.engine.restore.Preflight.Mode;

/** The input that the restore state machine passes to its functions: the notification, and constants of its definition. */
record TargetSync(String syncId, String bucket, String manifestKey, String account, DataSet dataSet, String readerRoleArn,
        String externalId, String signingKeyArn, String sourceBucket, Terms terms, Optional<Integer> functionMinutes) {
    /**
     * Further input of an execution that is started directly, for example for a rollback; notifications don't have it. The state machine
     * selects the shard.
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Terms(Optional<Mode> mode, Optional<Boolean> dryRun) {
        boolean isDryRun() {
            return dryRun.orElse(false);
        }
    }

    /** @param name the shard's name in the landscape */
    record TargetShard(String name, String secretArn) {}

    /** Returns the time of a function, or that of a task if the input says nothing. */
    FunctionTime functionTime() {
        return FunctionTime.ofMinutes(functionMinutes);
    }

    /** Returns a reader of the bucket that this account is deployed for, whatever a notification says. */
    SourceReader source() {
        return new SourceReader(readerRoleArn, externalId, sourceBucket, signingKeyArn);
    }
}
