package lockstep.sync;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Optional;
import lockstep.landscape.Account;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionAlreadyExistsException;

/**
 * The input of a restore. A notification has only the first four fields.
 *
 * @param shard the shard of the account to restore; all shards if empty
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record RestoreInput(String dataSet, String syncId, String bucket, String manifestKey, Mode mode, Optional<String> shard,
        boolean dryRun) {
    /** Starts the restore in an account, unless one was started with this id before. */
    public void start(SyncAccess access, Account account, String id) {
        try (var sfn = access.starter(account).client(SfnClient.builder())) {
            sfn.startExecution(r -> r.stateMachineArn(access.restoreMachineArn(account)).name(access.execution(id))
                    .input(Json.MAPPER.writeValueAsString(this)));
        } catch (ExecutionAlreadyExistsException e) {
            return;
        }
    }
}
