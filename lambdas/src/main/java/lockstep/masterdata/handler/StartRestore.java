package lockstep.masterdata.handler;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.events.SQSBatchResponse;
import com.amazonaws.services.lambda.runtime.events.SQSBatchResponse.BatchItemFailure;
import com.amazonaws.services.lambda.runtime.events.SQSEvent;
import com.amazonaws.services.lambda.runtime.events.SQSEvent.SQSMessage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Objects;
import lockstep.masterdata.aws.Clients;
import lockstep.landscape.Names;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.SyncPaths;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionAlreadyExistsException;
import tools.jackson.core.JacksonException;

/**
 * Starts a restore for each notification in the inbox. The execution's name is the sync's id, so a repeated notification starts nothing.
 * Only messages that fail are returned to the queue, which moves them to its dead-letter queue after some retries.
 */
public final class StartRestore implements RequestHandler<SQSEvent, SQSBatchResponse> {
    /** A source's notification of a new manifest, with its location but not its content. */
    public record Notification(String dataSet, String syncId, String bucket, String manifestKey, Instant snapshotTime) {
        public Notification {
            for (Object field : new Object[]{dataSet, syncId, bucket, manifestKey, snapshotTime})
                Objects.requireNonNull(field, "a notification must have data set, sync, bucket, manifest and snapshot time");
        }

        static Notification parse(String body) {
            return Objects.requireNonNull(Json.MAPPER.readValue(body, Notification.class), "the message is null");
        }
    }

    private final SfnClient sfn;
    private final String stateMachineArn;

    public StartRestore() {
        this(SfnClient.builder().httpClient(Clients.Http.CLIENT).build(), System.getenv("RESTORE_STATE_MACHINE_ARN"));
        Priming.beforeSnapshot();
    }

    StartRestore(SfnClient sfn, String stateMachineArn) {
        this.sfn = sfn;
        this.stateMachineArn = stateMachineArn;
    }

    @Override
    public SQSBatchResponse handleRequest(SQSEvent event, Context context) {
        var failures = new ArrayList<BatchItemFailure>();
        for (SQSMessage message : event.getRecords()) {
            try {
                var notification = Notification.parse(message.getBody());
                var name = Names.execution(notification.dataSet(), new SyncPaths(notification.dataSet(), notification.syncId()).syncId());
                sfn.startExecution(r -> r.stateMachineArn(stateMachineArn).name(name).input(Json.MAPPER.writeValueAsString(notification)));
            } catch (ExecutionAlreadyExistsException e) {
                context.getLogger().log("message " + message.getMessageId() + " is a duplicate: its restore was already started\n");
            } catch (JacksonException | NullPointerException | Fault e) {
                context.getLogger().log("message " + message.getMessageId() + " is not a notification of a sync: " + e.getMessage() + "\n");
                failures.add(new BatchItemFailure(message.getMessageId()));
            } catch (SdkException e) {
                context.getLogger().log("message " + message.getMessageId() + " could not start its restore: " + e.getMessage() + "\n");
                failures.add(new BatchItemFailure(message.getMessageId()));
            }
        }
        return new SQSBatchResponse(failures);
    }
}
