package lockstep.cli.sync;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Optional;
import lockstep.landscape.Account;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.restore.Preflight.Mode;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionAlreadyExistsException;

/**
 * What a restore is started with. A notification has the same first four fields and none of the others.
 *
 * @param shard the only one of the account that is meant; all of them when there is none
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
record RestoreInput(String dataSet, String syncId, String bucket, String manifestKey, Mode mode, Optional<String> shard, boolean dryRun) {
    /** Starts it in that account. One that was started under this name before is not started again. */
    void start(SyncAccess access, Account account, String name) {
        try (var sfn = access.starter(account).client(SfnClient.builder())) {
            sfn.startExecution(r -> r.stateMachineArn(access.restoreMachineArn(account)).name(name).input(Json.MAPPER.writeValueAsString(this)));
        } catch (ExecutionAlreadyExistsException e) {
            return;
        }
    }
}
